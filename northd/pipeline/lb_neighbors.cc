#include "northd/pipeline/lb_neighbors.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "northd/model/copp.h"
#include "northd/model/datapaths.h"
#include "northd/model/lb_neighbors.h"
#include "northd/model/ports.h"
#include "northd/pipeline/neighbor_answers.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"

namespace northd {

std::monostate RouterLbNeighbors(Context& ctx, const Uuid& router) {
  const LbAnswers& answers = ctx.Get(kLbAnswers, router);
  if (!answers.v4 && !answers.v6) return {};
  const Datapath& datapath = ctx.Get(kDatapath, router);
  for (const bool v6 : {false, true}) {
    if (!(v6 ? answers.v6 : answers.v4)) continue;
    const std::string set = LbAddressSetName(datapath.tunnel_key, v6);
    OutRow row = OutRow::Of<sb::AddressSet>(set);
    row.Set(sb::AddressSet::kName, set);
    ctx.world().sb_rows.Emit(ctx, std::move(row));
    const std::string meter = v6 ? CoppMeter(ctx, router, "nd-na") : "";
    for (const Uuid& port : Row<nb::LogicalRouter>(ctx, router).ports()) {
      const RouterPort& model = ctx.Get(kRouterPortModel, port);
      if (!model.exists) continue;
      const std::string ask =
          absl::StrCat(v6 ? "nd_ns && nd.target == $" : "arp.op == 1 && arp.tpa == $", set);
      std::string match = absl::StrCat("inport == ", model.json_name, " && ", ask);
      if (model.is_distributed_gateway) {
        absl::StrAppend(&match, " && is_chassis_resident(", model.cr_json_name, ")");
      }
      AddFlow(ctx, datapath.number, Stage::kLrInIpInput, 90, match,
              v6 ? NdAnswer(kInportMac) : ArpAnswer(kInportMac), {.meter = meter});
    }
  }
  return {};
}
constexpr engine::Kind<Uuid> kRouterLbNeighbors{"router_lb_neighbors", &RouterLbNeighbors};

std::monostate LbVipNeighbors(Context& ctx, const LbVipId& id) {
  const LbVip& vip = ctx.Get(kLbVip, id);
  World& world = ctx.world();
  const bool v6 = IsAnsweredAsV6(ctx, id);
  ctx.Get(kLbVipAnswerers, id).bits().ForEach([&](DatapathNumber n) {
    const int64_t key = ctx.Get(kDatapath, world.datapath_sets.datapath(n).nb_uuid).tunnel_key;
    world.sb_rows.EmitElement(ctx, sb::AddressSet::kTable, LbAddressSetName(key, v6),
                              sb::AddressSet::kAddresses, ovsdb::Atom::String(vip.ip));
  });
  return {};
}
constexpr engine::Kind<LbVipId> kLbVipNeighbors{"lb_vip_neighbors", &LbVipNeighbors};

}  // namespace northd
