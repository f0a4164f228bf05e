#include "northd/sync/global.h"

#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "northd/model/addresses.h"
#include "northd/model/datapaths.h"
#include "northd/model/globals.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"

namespace northd {

namespace {

// What a controller may insist on: versions of the package and of the southbound's schema, and what
// stands for the actions that flows may have.
constexpr char kInternalVersion[] = "25.03.0-20.41.0-77.6";

}  // namespace

std::monostate SyncGlobal(Context& ctx, const std::monostate&) {
  World& world = ctx.world();
  const nb::NBGlobal nb = OnlyRow<nb::NBGlobal>(ctx);
  if (!nb) {
    world.nb_rows.Emit(ctx, OutRow::Of<nb::NBGlobal>("global"));
    return {};
  }
  const Globals& globals = GetGlobals(ctx);
  std::map<std::string, std::string> options;
  for (const auto& [key, value] : nb.options()) options.emplace(key, value);
  options["mac_prefix"] = globals.mac_prefix;
  // One that is given stays as it is spelt.
  std::string& svc_monitor_mac = options["svc_monitor_mac"];
  if (!Mac::Parse(svc_monitor_mac)) svc_monitor_mac = globals.svc_monitor_mac_text();
  options["max_tunid"] = absl::StrCat(ctx.Get(kKeyLimits, {}).max_datapath);
  options["northd_internal_version"] = kInternalVersion;
  OutRow nb_row = OutRow::Of<nb::NBGlobal>("global");
  nb_row.Set(nb::NBGlobal::kOptions, options);
  world.nb_rows.Emit(ctx, std::move(nb_row));

  // What flows are written for; where somebody says something else, the lesser text stays.
  for (const char* key : {"arp_ns_explicit_output", "register_consolidation"}) {
    const auto [at, is_ours] = options.emplace(key, "true");
    if (!is_ours && at->second > "true") at->second = "true";
  }
  const sb::SBGlobal sb = OnlyRow<sb::SBGlobal>(ctx);
  if (sb) {
    const auto interval = sb.options().Get("sbctl_probe_interval");
    if (interval) options["sbctl_probe_interval"] = std::string(*interval);
  }
  OutRow row = OutRow::Of<sb::SBGlobal>("global");
  row.Set(sb::SBGlobal::kNbCfg, nb.nb_cfg());
  row.Set(sb::SBGlobal::kIpsec, nb.ipsec());
  row.Set(sb::SBGlobal::kOptions, options);
  world.sb_rows.Emit(ctx, std::move(row));
  return {};
}
constexpr engine::Kind<std::monostate> kSyncGlobal{"sync_global", &SyncGlobal};

}  // namespace northd
