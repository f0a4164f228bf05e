#include "northd/model/routers.h"

#include <algorithm>
#include <variant>

#include "absl/strings/str_cat.h"
#include "northd/model/chassis.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"

namespace northd {
Router ComputeRouter(Context& ctx, const Uuid& uuid) {
  Router router;
  const auto row = Row<nb::LogicalRouter>(ctx, uuid);
  if (!row) return router;
  const Datapath& datapath = ctx.Get(kDatapath, uuid);
  if (!datapath.exists) return router;
  router.exists = true;
  router.number = datapath.number;
  router.uuid = uuid;
  const StringMap options = row.options();
  const RouterGateways& gateways = ctx.Get(kRouterGateways, uuid);
  router.is_gateway = gateways.is_gateway_router;
  router.gateway_ports = gateways.distributed_ports;
  router.learns_from_arp_requests = options.GetBool("always_learn_from_arp_request", true);
  router.resolves_routers_dynamically = options.GetBool("dynamic_neigh_routers", false);
  router.relays_multicast = options.GetBool("mcast_relay", false);
  router.commits_all = options.GetBool("ct-commit-all", false);
  for (const Uuid& port_uuid : row.ports()) {
    if (RemoteChassisOf(ctx, port_uuid) && ctx.Get(kRouterPortModel, port_uuid).exists) {
      router.has_remote_ports = true;
    }
  }
  return router;
}
constexpr engine::Kind<Uuid, Router> kRouterModel{"router_model", &ComputeRouter, true};

const Router& RouterOfPort(Context& ctx, const RouterPort& port) {
  return ctx.Get(kRouterModel, port.router_uuid);
}

std::string RedirectName(Context& ctx, const RouterPort& port) {
  return IsGatewayPort(ctx, port) ? JsonName(absl::StrCat("cr-", port.name)) : std::string();
}

Uuid SwitchBehind(Context& ctx, const RouterPort& port) {
  return port.switch_port.is_zero() ? Uuid() : SwitchOf(ctx, port.switch_port);
}

RouterPorts ComputeRouterPortsAround(Context& ctx, const Uuid& sw) {
  RouterPorts ports;
  const auto row = Row<nb::LogicalSwitch>(ctx, sw);
  if (!row) return ports;
  for (const Uuid& uuid : row.ports()) {
    const auto port = Row<nb::LogicalSwitchPort>(ctx, uuid);
    if (!port || port.type() != "router") continue;
    const Uuid peer = RouterPortNamed(ctx, port.options().GetOrEmpty("router-port"));
    if (!peer.is_zero()) ports.push_back(peer);
  }
  return ports;
}
constexpr engine::Kind<Uuid, RouterPorts> kRouterPortsAround{"router_ports_around",
                                                             &ComputeRouterPortsAround, true};

const SwitchPorts& SwitchPortsBehind(Context& ctx, const RouterPort& port) {
  static const auto& none = *new SwitchPorts;
  const Uuid sw = SwitchBehind(ctx, port);
  return sw.is_zero() ? none : ctx.Get(kSwitchPorts, sw);
}

}  // namespace northd
