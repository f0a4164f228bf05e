#include "northd/model/globals.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"
#include "server/base/log.h"

namespace northd {
namespace {

base::LogModule log("northd");

ChassisFeatures ComputeFeatures(Context& ctx, const std::monostate&) {
  ChassisFeatures features;
  for (const Uuid& uuid : AllRows<sb::Chassis>(ctx)) {
    const StringMap config = Row<sb::Chassis>(ctx, uuid).other_config();
    // Chassis of other zones do not install our flows.
    if (config.GetBool("is-remote", false)) continue;
    const auto need = [&config](absl::string_view key, bool* feature) {
      if (!config.GetBool(key, false)) *feature = false;
    };
    need("mac-binding-timestamp", &features.mac_binding_timestamp);
    need("fdb-timestamp", &features.fdb_timestamp);
    need("ls-dpg-column", &features.ls_dpg_column);
    need("ct-commit-nat-v2", &features.ct_commit_nat_v2);
    need("ct-commit-to-zone", &features.ct_commit_to_zone);
    need("ovn-sample-with-registers", &features.sample_with_registers);
    need("ct-next-zone", &features.ct_next_zone);
    need("ct-label-flush", &features.ct_label_flush);
  }
  return features;
}
// Chassis write other things to their rows all the time: those stop here.
constexpr engine::Kind<std::monostate, ChassisFeatures> kChassisFeatures{"chassis_features",
                                                                         &ComputeFeatures};

SamplingApps ReadSamplingApps(Context& ctx) {
  SamplingApps apps;
  for (const Uuid& uuid : AllRows<nb::SamplingApp>(ctx)) {
    const auto app = Row<nb::SamplingApp>(ctx, uuid);
    if (app.type() == "drop") apps.drop = app.id();
    if (app.type() == "acl-new") apps.acl_new = app.id();
    if (app.type() == "acl-est") apps.acl_est = app.id();
  }
  return apps;
}

// Where a random address is wanted: bits of a UUID, so that a network has its own for good, whoever
// computes it.
Mac InventedMac(const Uuid& uuid, uint64_t salt) {
  const uint64_t bits = uuid.hi ^ uuid.lo * salt;
  Mac mac;
  for (size_t i = 0; i < 6; ++i) mac.bytes[i] = static_cast<uint8_t>(bits >> (56 - 8 * i));
  mac.bytes[0] = static_cast<uint8_t>((mac.bytes[0] & ~1) | 2);  // Unicast, locally administered.
  return mac;
}

// The first three bytes as "xx:xx:xx".
std::string PrefixOf(const Mac& mac) { return mac.ToString().substr(0, 8); }

void SetDropActions(const StringMap& options, Globals* globals) {
  const int64_t collectors = options.GetInt("debug_drop_collector_set", 0);
  int64_t domain = globals->sampling_apps.drop;
  if (domain == 0) domain = options.GetInt("debug_drop_domain_id", 0);
  if (collectors <= 0 || collectors > std::numeric_limits<uint32_t>::max()) return;
  if (domain < 0 || domain >= 255) {
    static base::RateLimit limit(1, 5);
    log.WarnLimited(limit, "NB_Global.options:debug_drop_domain_id: %d is not in 0..254", domain);
    return;
  }
  globals->debug_drop = true;
  globals->drop_action = absl::StrCat("sample(probability=65535,collector_set=",
                                      static_cast<int32_t>(collectors),  // As stock spells it.
                                      ",obs_domain=", domain, ",obs_point=$cookie); /* drop */");
  globals->implicit_drop_action = globals->drop_action;
}

}  // namespace

Globals ComputeGlobals(Context& ctx, const std::monostate&) {
  Globals globals;
  globals.sampling_apps = ReadSamplingApps(ctx);
  const nb::NBGlobal nb = OnlyRow<nb::NBGlobal>(ctx);
  if (!nb) return globals;
  const StringMap options = nb.options();
  globals.ignore_lsp_down = options.GetBool("ignore_lsp_down", true);
  globals.use_ct_inv_match = options.GetBool("use_ct_inv_match", true);
  globals.default_acl_drop = options.GetBool("default_acl_drop", false);
  globals.controller_event = options.GetBool("controller_event", false);
  globals.install_ls_lb_from_router = options.GetBool("install_ls_lb_from_router", false);
  globals.use_common_zone = options.GetBool("use_common_zone", false);
  globals.always_tunnel = options.GetBool("always_tunnel", false);
  globals.ecmp_nexthop_monitor = options.GetBool("ecmp_nexthop_monitor_enable", false);
  globals.vxlan_mode = options.GetBool("vxlan_mode", true);
  globals.mac_binding_removal_limit = options.GetInt("mac_binding_removal_limit", 0);
  globals.fdb_removal_limit = options.GetInt("fdb_removal_limit", 0);
  globals.svc_monitor_mac = Mac::Parse(options.GetOrEmpty("svc_monitor_mac"))
                                .value_or(InventedMac(nb.uuid(), 0x9e3779b97f4a7c15));
  const auto prefix = Mac::ParseVendor(options.GetOrEmpty("mac_prefix"));
  globals.mac_prefix =
      PrefixOf(prefix && !prefix->is_zero() ? *prefix : InventedMac(nb.uuid(), 0xc2b2ae3d27d4eb4f));
  if (!options.GetBool("ignore_chassis_features", false)) {
    globals.features = ctx.Get(kChassisFeatures, {});
  }
  SetDropActions(options, &globals);
  return globals;
}
constexpr engine::Kind<std::monostate, Globals> kGlobals{"globals", &ComputeGlobals,
                                                         /*is_cutoff=*/true};

}  // namespace northd
