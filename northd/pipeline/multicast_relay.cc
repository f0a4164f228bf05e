#include "northd/pipeline/multicast_relay.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "northd/model/addresses.h"
#include "northd/model/globals.h"
#include "northd/model/igmp_groups.h"
#include "northd/model/routers.h"
#include "northd/output/flow_table.h"
#include "northd/pipeline/stages.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"

namespace northd {
namespace {

// Whether some port of the router gets all multicast traffic.
bool ComputeFloods(Context& ctx, const Uuid& router) {
  const auto row = Row<nb::LogicalRouter>(ctx, router);
  if (!row) return false;
  for (const Uuid& uuid : row.ports()) {
    const RouterPort& port = ctx.Get(kRouterPortModel, uuid);
    if (!port.exists || !port.enabled) continue;
    if (Row<nb::LogicalRouterPort>(ctx, uuid).options().GetBool("mcast_flood", false)) return true;
  }
  return false;
}
constexpr engine::Kind<Uuid, bool> kFloods{"router_floods_multicast", &ComputeFloods};

// Membership reports may have a TTL of 1.
void AdmitReports(Context& ctx, const Router& router) {
  for (const absl::string_view protocol : {"igmp", "(mldv1 || mldv2)"}) {
    AddFlow(ctx, router.number, Stage::kLrInIpInput, 120, absl::StrCat(protocol, " && ip.ttl == 1"),
            "next;");
  }
}

// They go to all flooded ports, but not round in circles.
void AddReports(Context& ctx, const Router& router) {
  for (const absl::string_view protocol : {"igmp", "mldv1 || mldv2"}) {
    AddFlow(ctx, router.number, Stage::kLrInIpRouting, 10460, protocol,
            "clone { outport = \"_MC_static\"; next; };");
  }
  const auto row = Row<nb::LogicalRouter>(ctx, router.uuid);
  for (const Uuid& uuid : row.ports()) {
    const RouterPort& port = ctx.Get(kRouterPortModel, uuid);
    if (!port.exists) continue;
    for (const absl::string_view protocol : {"igmp", "(mldv1 || mldv2)"}) {
      AddFlow(ctx, router.number, Stage::kLrInIpRouting, 10550,
              absl::StrCat("eth.src == ", port.addresses.mac_text(), " && ", protocol),
              GetGlobals(ctx).drop_action);
    }
  }
}

}  // namespace

std::monostate TranslateMulticastRelay(Context& ctx, const Uuid& uuid) {
  const Router& router = ctx.Get(kRouterModel, uuid);
  if (!router.exists) return {};
  const bool floods = ctx.Get(kFloods, uuid);
  if (floods) AdmitReports(ctx, router);
  if (!router.relays_multicast) return {};
  if (floods) AddReports(ctx, router);
  const std::string to_flooded =
      floods ? "clone { outport = \"_MC_static\"; ip.ttl--; next; };" : "";
  for (const std::string& address : ctx.Get(kRouterIgmpAddresses, uuid)) {
    const std::string v = Ip::Parse(address)->v6 ? "6" : "4";
    AddFlow(ctx, router.number, Stage::kLrInIpRouting, 10500,
            absl::StrCat("ip", v, " && ip", v, ".dst == ", address, " "),
            absl::StrCat(to_flooded, "outport = \"", address, "\"; ip.ttl--; next;"));
  }
  AddFlow(ctx, router.number, Stage::kLrInIpRouting, 10450, "ip4.mcast || ip6.mcast",
          floods ? to_flooded : GetGlobals(ctx).drop_action);
  return {};
}
constexpr engine::Kind<Uuid> kMulticastRelay{"multicast_relay", &TranslateMulticastRelay};

}  // namespace northd
