// Routers as the pipelines see them: what their rows say, read once, without their ports' details.
#ifndef NORTHD_MODEL_ROUTERS_H_
#define NORTHD_MODEL_ROUTERS_H_

#include <string>
#include <vector>

#include "northd/engine/engine.h"
#include "northd/model/ports.h"
#include "northd/output/datapath_sets.h"
#include "northd/rows/row_view.h"
#include "ovsdb/uuid.h"

namespace northd {

struct Router {
  bool exists = false;  // Else nothing below means anything: it has gone, or is disabled.
  DatapathNumber number = 0;
  Uuid uuid;
  bool is_gateway = false;                    // It is bound to a chassis.
  bool learns_from_arp_requests = true;       // Whatever an ARP request asks for.
  bool resolves_routers_dynamically = false;  // Addresses of other routers around a switch.
  bool relays_multicast = false;
  bool commits_all = false;       // options:ct-commit-all.
  bool has_remote_ports = false;  // Some of its ports are in other availability zones.
  // Its distributed gateway ports, in the order of UUIDs; a gateway router has none.
  std::vector<Uuid> gateway_ports;

  bool is_distributed_gateway() const { return !gateway_ports.empty(); }
  bool operator==(const Router& o) const = default;
};

// By the UUID of the Logical_Router.
Router ComputeRouter(Context& ctx, const Uuid& uuid);
extern const engine::Kind<Uuid, Router> kRouterModel;

// The router of a port that has one which exists.
const Router& RouterOfPort(Context& ctx, const RouterPort& port);

// The name of the chassisredirect port of a distributed gateway port, in quotes; "" of others.
std::string RedirectName(Context& ctx, const RouterPort& port);
inline bool IsGatewayPort(Context& ctx, const RouterPort& port) {
  return port.is_distributed_gateway && !RouterOfPort(ctx, port).is_gateway;
}

// The switch that a router's port leads to; zero if it leads to none.
Uuid SwitchBehind(Context& ctx, const RouterPort& port);

// Which ports the switch has that a router's port leads to; none if it leads to none.
const SwitchPorts& SwitchPortsBehind(Context& ctx, const RouterPort& port);

// The router ports that ports of a Logical_Switch lead to, in the order of the switch's ports.
using RouterPorts = std::vector<Uuid>;
RouterPorts ComputeRouterPortsAround(Context& ctx, const Uuid& sw);
extern const engine::Kind<Uuid, RouterPorts> kRouterPortsAround;

}  // namespace northd

#endif  // NORTHD_MODEL_ROUTERS_H_
