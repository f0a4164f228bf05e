#include "northd/sync/global.h"

#include <map>
#include <string>
#include <utility>

#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"

namespace northd {

std::monostate SyncGlobal(Context& ctx, const std::monostate&) {
  const nb::NBGlobal nb = OnlyRow<nb::NBGlobal>(ctx);
  if (!nb) return {};
  std::map<std::string, std::string> options;
  for (const auto& [key, value] : nb.options()) options.emplace(key, value);
  options["arp_ns_explicit_output"] = "true";
  options["register_consolidation"] = "true";
  const sb::SBGlobal sb = OnlyRow<sb::SBGlobal>(ctx);
  if (sb) {
    const auto interval = sb.options().Get("sbctl_probe_interval");
    if (interval) options["sbctl_probe_interval"] = std::string(*interval);
  }
  OutRow row = OutRow::Of<sb::SBGlobal>("global");
  row.Set(sb::SBGlobal::kNbCfg, nb.nb_cfg());
  row.Set(sb::SBGlobal::kIpsec, nb.ipsec());
  row.Set(sb::SBGlobal::kOptions, options);
  ctx.world().sb_rows.Emit(ctx, std::move(row));
  return {};
}

}  // namespace northd
