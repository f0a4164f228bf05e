#include "northd/translation.h"

#include <variant>

#include "northd/model/datapaths.h"
#include "northd/pipeline/lb_neighbors.h"
#include "northd/pipeline/lb_switch.h"
#include "northd/pipeline/nat_flows.h"
#include "northd/pipeline/routable_addresses.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/sync/global.h"
#include "northd/sync/load_balancers.h"
#include "northd/sync/hypervisors.h"

// A feature adds its kinds here, to the list of what they exist for.
namespace northd {
namespace {

std::monostate TranslateSwitchPort(Context& ctx, const Uuid& port) { return {}; }
constexpr engine::Kind<Uuid> kSwitchPort{"switch_port", &TranslateSwitchPort};

std::monostate TranslateRouterPort(Context& ctx, const Uuid& port) { return {}; }
constexpr engine::Kind<Uuid> kRouterPort{"router_port", &TranslateRouterPort};

std::monostate TranslateSwitch(Context& ctx, const Uuid& uuid) {
  ctx.Require(kDatapath, uuid);
  const nb::LogicalSwitch sw = Row<nb::LogicalSwitch>(ctx, uuid);
  if (!sw) return {};
  ctx.Require(kSwitchLb, uuid);
  for (const Uuid& port : sw.ports()) ctx.Require(kSwitchPort, port);
  return {};
}
constexpr engine::Kind<Uuid> kSwitch{"switch", &TranslateSwitch};

std::monostate TranslateRouter(Context& ctx, const Uuid& uuid) {
  ctx.Require(kDatapath, uuid);
  const nb::LogicalRouter router = Row<nb::LogicalRouter>(ctx, uuid);
  if (!router) return {};
  ctx.Require(kRouterNat, uuid);
  ctx.Require(kRouterLbNeighbors, uuid);
  for (const Uuid& port : router.ports()) {
    ctx.Require(kRouterPort, port);
    ctx.Require(kRoutableNeighbors, port);
  }
  return {};
}
constexpr engine::Kind<Uuid> kRouter{"router", &TranslateRouter};

std::monostate TranslateAll(Context& ctx, const std::monostate&) {
  ctx.Require(kSyncGlobal, {});
  ctx.Require(kSyncHypervisors, {});
  for (const Uuid& uuid : AllRows<nb::LogicalSwitch>(ctx)) ctx.Require(kSwitch, uuid);
  for (const Uuid& uuid : AllRows<nb::LogicalRouter>(ctx)) ctx.Require(kRouter, uuid);
  for (const Uuid& uuid : AllRows<nb::LoadBalancer>(ctx)) {
    ctx.Require(kTranslateLoadBalancer, uuid);
  }
  return {};
}
constexpr engine::Kind<std::monostate> kAll{"all", &TranslateAll};

}  // namespace

void StartTranslation(World* world) { world->engine.AddRoot(kAll, {}); }

}  // namespace northd
