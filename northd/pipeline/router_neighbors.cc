#include "northd/pipeline/router_neighbors.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "northd/model/globals.h"
#include "northd/model/routers.h"
#include "northd/output/flow_table.h"
#include "northd/pipeline/match.h"
#include "northd/pipeline/stages.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"

namespace northd {
namespace {

constexpr Stage kStage = Stage::kLrInArpResolve;

bool Reaches(const RouterPort& port, const Ip& ip) {
  for (const Network& network : ip.v6 ? port.addresses.v6 : port.addresses.v4) {
    if (network.Contains(ip)) return true;
  }
  return false;
}

// Packets through `port` to any of a neighbour's addresses.
void AddNeighbor(Context& ctx, const Router& router, const RouterPort& port,
                 const PortAddresses& neighbor, absl::string_view v4_register, const Uuid& hint) {
  const std::string actions = absl::StrCat("eth.dst = ", neighbor.mac_text(), "; next;");
  if (!neighbor.v4.empty()) {
    AddFlow(ctx, router.number, kStage, 100,
            absl::StrCat("outport == ", port.json_name, " && ", v4_register,
                         AnyOf(IpTexts(neighbor.v4))),
            actions, {.hint = hint});
  }
  if (!neighbor.v6.empty()) {
    AddFlow(
        ctx, router.number, kStage, 100,
        absl::StrCat("outport == ", port.json_name, " && xxreg0 == ", AnyOf(IpTexts(neighbor.v6))),
        actions, {.hint = hint});
  }
}

// The router that a port of a switch names finds the switch's other routers there, whether the two
// are joined or the router's port has a peer of its own.
void AddRoutersAround(Context& ctx, const SwitchPort& port) {
  if (port.router_port.empty()) return;
  const Uuid uuid = AnyRouterPortNamed(ctx, port.router_port);
  if (uuid.is_zero()) return;
  const RouterPort& router_port = ctx.Get(kRouterPortModel, uuid);
  const Router& router = RouterOfPort(ctx, router_port);
  if (!router.exists || router.resolves_routers_dynamically) return;
  for (const Uuid& neighbor_uuid : ctx.Get(kRouterPortsAround, port.switch_uuid)) {
    if (neighbor_uuid == uuid) continue;
    const RouterPort& neighbor = ctx.Get(kRouterPortModel, neighbor_uuid);
    if (!neighbor.exists) continue;
    AddNeighbor(ctx, router, router_port, neighbor.addresses, "reg0 == ", port.uuid);
  }
}

}  // namespace

std::monostate TranslateSwitchPortNeighbor(Context& ctx, const Uuid& uuid) {
  const SwitchPort& port = ctx.Get(kSwitchPortModel, uuid);
  if (!port.exists || !port.enabled) return {};
  if (port.is_router()) {
    AddRoutersAround(ctx, port);
    return {};
  }
  // Who claims a virtual port's address changes faster than flows do.
  if (port.type == SwitchPortType::kVirtual || port.addresses.empty()) return {};
  for (const Uuid& router_port_uuid : ctx.Get(kRouterPortsAround, port.switch_uuid)) {
    const RouterPort& router_port = ctx.Get(kRouterPortModel, router_port_uuid);
    if (!router_port.exists) continue;
    const Router& router = RouterOfPort(ctx, router_port);
    if (!router.exists) continue;
    const auto add = [&](const Mac& mac, const Network& network, absl::string_view field) {
      if (!Reaches(router_port, network.ip)) return;
      AddFlow(ctx, router.number, kStage, 100,
              absl::StrCat("outport == ", router_port.json_name, " && ", field, network.IpText()),
              absl::StrCat("eth.dst = ", mac.ToString(), "; next;"), {.hint = uuid});
    };
    for (const PortAddresses& addresses : port.addresses) {
      for (const Network& network : addresses.v4) add(addresses.mac, network, "reg0 == ");
      for (const Network& network : addresses.v6) add(addresses.mac, network, "xxreg0 == ");
    }
  }
  return {};
}
constexpr engine::Kind<Uuid> kSwitchPortNeighbor{"switch_port_neighbor",
                                                 &TranslateSwitchPortNeighbor};

std::monostate TranslateRouterPortNeighbors(Context& ctx, const Uuid& uuid) {
  const RouterPort& port = ctx.Get(kRouterPortModel, uuid);
  if (!port.exists || port.peer_router_port.is_zero()) return {};
  const Router& router = RouterOfPort(ctx, port);
  if (!router.exists) return {};
  const RouterPort& peer = ctx.Get(kRouterPortModel, port.peer_router_port);
  if (peer.exists) AddNeighbor(ctx, router, port, peer.addresses, "reg0== ", peer.uuid);
  return {};
}
constexpr engine::Kind<Uuid> kRouterPortNeighbors{"router_port_neighbors",
                                                  &TranslateRouterPortNeighbors};

}  // namespace northd
