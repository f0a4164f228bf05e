#include "northd/model/routers.h"

#include <algorithm>
#include <variant>

#include "absl/strings/str_cat.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"

namespace northd {
namespace {

// Whether a chassis, by name or hostname, belongs to another availability zone.
bool ComputeIsRemoteChassis(Context& ctx, const std::string& name) {
  sb::Chassis chassis = FindRow<sb::Chassis>(ctx, sb::Chassis::kName, name);
  if (!chassis) chassis = FindRow<sb::Chassis>(ctx, sb::Chassis::kHostname, name);
  return chassis && chassis.other_config().GetBool("is-remote", false);
}
constexpr engine::Kind<std::string, bool> kIsRemoteChassis{"is_remote_chassis",
                                                           &ComputeIsRemoteChassis};

SwitchBehindTraits ComputeTraits(Context& ctx, const Uuid& uuid) {
  SwitchBehindTraits traits;
  const auto sw = Row<nb::LogicalSwitch>(ctx, uuid);
  if (!sw) return traits;
  for (const Uuid& port_uuid : sw.ports()) {
    const auto port = Row<nb::LogicalSwitchPort>(ctx, port_uuid);
    if (!port) continue;
    if (port.type() == "localnet") {
      traits.has_localnet_ports = true;
      if (port.tag()) traits.has_tagged_localnet_ports = true;
    }
    if (port.type() == "vtep") traits.has_vtep_ports = true;
  }
  return traits;
}
constexpr engine::Kind<Uuid, SwitchBehindTraits> kTraits{"switch_behind", &ComputeTraits, true};

}  // namespace

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
  router.is_gateway = options.Contains("chassis");
  router.learns_from_arp_requests = options.GetBool("always_learn_from_arp_request", true);
  router.resolves_routers_dynamically = options.GetBool("dynamic_neigh_routers", false);
  router.relays_multicast = options.GetBool("mcast_relay", false);
  router.commits_all = options.GetBool("ct-commit-all", false);
  for (const Uuid& port_uuid : row.ports()) {
    const auto port = Row<nb::LogicalRouterPort>(ctx, port_uuid);
    if (!port) continue;
    if (!router.is_gateway && (!port.gateway_chassis().empty() || port.ha_chassis_group())) {
      router.gateway_ports.push_back(port_uuid);
    }
    const auto chassis = port.options().Get("requested-chassis");
    if (chassis && !chassis->empty() && ctx.Get(kIsRemoteChassis, std::string(*chassis))) {
      router.has_remote_ports = true;
    }
  }
  return router;
}

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

SwitchBehindTraits TraitsBehind(Context& ctx, const RouterPort& port) {
  const Uuid sw = SwitchBehind(ctx, port);
  return sw.is_zero() ? SwitchBehindTraits() : ctx.Get(kTraits, sw);
}

}  // namespace northd
