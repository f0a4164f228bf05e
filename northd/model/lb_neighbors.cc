#include "northd/model/lb_neighbors.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "northd/model/addresses.h"
#include "northd/model/datapaths.h"
#include "northd/model/ports.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"

namespace northd {
namespace {

// A network of a router's port.
struct RouterNetwork {
  DatapathNumber router = 0;
  Network network;
  bool operator==(const RouterNetwork& o) const = default;
};
using RouterNetworks = std::vector<RouterNetwork>;

RouterNetworks ComputeNetworksOfRouter(Context& ctx, const Uuid& router) {
  RouterNetworks networks;
  const auto row = Row<nb::LogicalRouter>(ctx, router);
  const Datapath& datapath = ctx.Get(kDatapath, router);
  if (!row || !datapath.exists) return networks;
  for (const Uuid& port : row.ports()) {
    const RouterPort& model = ctx.Get(kRouterPortModel, port);
    if (!model.exists) continue;
    for (const auto* addresses : {&model.addresses.v4, &model.addresses.v6}) {
      for (const Network& network : *addresses) networks.push_back({datapath.number, network});
    }
  }
  return networks;
}
constexpr engine::Kind<Uuid, RouterNetworks> kNetworksOfRouter{"networks_of_router",
                                                               &ComputeNetworksOfRouter};

// Of all routers that load balancers in these places are on, shared by their VIPs.
RouterNetworks ComputeNetworksOfPlaces(Context& ctx, const LbPlaces& places) {
  World& world = ctx.world();
  RouterNetworks all;
  ctx.Get(kLbRouters, places).all.bits().ForEach([&](DatapathNumber n) {
    const RouterNetworks& its = ctx.Get(kNetworksOfRouter, world.datapath_sets.datapath(n).nb_uuid);
    all.insert(all.end(), its.begin(), its.end());
  });
  return all;
}
constexpr engine::Kind<LbPlaces, RouterNetworks> kNetworksOfPlaces{"networks_of_lb_places",
                                                                   &ComputeNetworksOfPlaces};

// Who answers for at least one VIP, by IsAnsweredAsV6().
struct Answerers {
  DatapathSet v4;
  DatapathSet v6;
  bool operator==(const Answerers& o) const = default;
};

Answerers ComputeAnswerersOfLb(Context& ctx, const Uuid& lb) {
  const auto row = Row<nb::LoadBalancer>(ctx, lb);
  if (!row) return {};
  DatapathBits v4;
  DatapathBits v6;
  for (const auto& [key, value] : row.vips()) {
    const LbVipId id(lb, std::string(key));
    const DatapathSet& routers = ctx.Get(kLbVipAnswerers, id);
    if (!routers.empty()) (IsAnsweredAsV6(ctx, id) ? v6 : v4).Add(routers.bits());
  }
  DatapathSets& sets = ctx.world().datapath_sets;
  return {sets.Make(v4), sets.Make(v6)};
}
constexpr engine::Kind<Uuid, Answerers> kAnswerersOfLb{"lb_answerers", &ComputeAnswerersOfLb};

Answerers ComputeAnswerersOfGroup(Context& ctx, const Uuid& group) {
  const auto row = Row<nb::LoadBalancerGroup>(ctx, group);
  if (!row) return {};
  DatapathBits v4;
  DatapathBits v6;
  for (const Uuid& lb : row.load_balancer()) {
    const Answerers& its = ctx.Get(kAnswerersOfLb, lb);
    v4.Add(its.v4.bits());
    v6.Add(its.v6.bits());
  }
  DatapathSets& sets = ctx.world().datapath_sets;
  return {sets.Make(v4), sets.Make(v6)};
}
constexpr engine::Kind<Uuid, Answerers> kAnswerersOfGroup{"lb_group_answerers",
                                                          &ComputeAnswerersOfGroup};

}  // namespace

bool IsAnsweredAsV6(Context& ctx, const LbVipId& id) {
  return ctx.Get(kLoadBalancer, id.first).is_template || ctx.Get(kLbVip, id).v6;
}

DatapathSet ComputeLbVipAnswerers(Context& ctx, const LbVipId& id) {
  const LbVip& vip = ctx.Get(kLbVip, id);
  const LoadBalancer& lb = ctx.Get(kLoadBalancer, id.first);
  if (!vip.valid || lb.neighbor_responder == NeighborResponder::kNone) return {};
  const LbPlaces& places = ctx.Get(kLbPlaces, id.first);
  if (lb.neighbor_responder == NeighborResponder::kAll) return ctx.Get(kLbRouters, places).all;
  const std::optional<Ip> ip = Ip::Parse(vip.ip);
  if (!ip) return {};
  DatapathBits bits;
  for (const RouterNetwork& its : ctx.Get(kNetworksOfPlaces, places)) {
    if (its.network.Contains(*ip)) bits.Add(its.router);
  }
  return ctx.world().datapath_sets.Make(bits);
}
constexpr engine::Kind<LbVipId, DatapathSet> kLbVipAnswerers{"lb_vip_answerers",
                                                             &ComputeLbVipAnswerers};

LbAnswers ComputeLbAnswers(Context& ctx, const Uuid& router) {
  LbAnswers answers;
  const auto row = Row<nb::LogicalRouter>(ctx, router);
  const Datapath& datapath = ctx.Get(kDatapath, router);
  if (!row || !datapath.exists) return answers;
  const auto add = [&](const Answerers& its) {
    answers.v4 |= its.v4.bits().Contains(datapath.number);
    answers.v6 |= its.v6.bits().Contains(datapath.number);
  };
  for (const Uuid& lb : row.load_balancer()) add(ctx.Get(kAnswerersOfLb, lb));
  for (const Uuid& group : row.load_balancer_group()) add(ctx.Get(kAnswerersOfGroup, group));
  return answers;
}
constexpr engine::Kind<Uuid, LbAnswers> kLbAnswers{"lb_answers", &ComputeLbAnswers};

std::string LbAddressSetName(int64_t tunnel_key, bool v6) {
  return absl::StrCat("_rtr_lb_", tunnel_key, v6 ? "_ip6" : "_ip4");
}

}  // namespace northd
