#include "northd/pipeline/routable_addresses.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "northd/model/addresses.h"
#include "northd/model/bfd.h"
#include "northd/model/lb_vip_ips.h"
#include "northd/model/port_nats.h"
#include "northd/model/ports.h"
#include "northd/model/routers.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"

namespace northd {
namespace {

// Of a route to one address of a network that the router is connected to.
constexpr int kHostRoutePriority = 262;

// Those of the ports of a switch that have any, each with its router port.
using Behind = std::vector<std::pair<Uuid, RoutableAddresses>>;
Behind ComputeBehind(Context& ctx, const Uuid& sw) {
  Behind behind;
  const auto row = Row<nb::LogicalSwitch>(ctx, sw);
  if (!row) return behind;
  for (const Uuid& uuid : row.ports()) {
    const auto port = Row<nb::LogicalSwitchPort>(ctx, uuid);
    if (!port || port.type() != "router") continue;
    const Uuid peer = PeerOf(ctx, ctx.Get(kSwitchPortModel, uuid));
    if (peer.is_zero()) continue;
    for (const RoutableAddresses& its : ctx.Get(kRoutableAddresses, peer)) {
      behind.emplace_back(peer, its);
    }
  }
  return behind;
}
constexpr engine::Kind<Uuid, Behind> kBehind{"routable_behind_switch", &ComputeBehind};

// Whether packets enter a router there to be translated.
bool IsEntry(Context& ctx, const RouterPort& port) {
  return port.is_distributed_gateway || ctx.Get(kRouterModel, port.router_uuid).is_gateway;
}

void AddHostRoutes(Context& ctx, const Router& router, const RouterPort& port,
                   const std::vector<std::string>& ips) {
  // Without an IPv4 address of its own, the port's link-local one is the source.
  const bool v6 = port.addresses.v4.empty();
  const Ip& source = v6 ? port.addresses.v6.back().ip : port.addresses.v4.front().ip;
  const std::string actions = absl::StrCat(
      "reg8[0..15] = 0; reg0 = ip4.dst; ", v6 ? "xxreg1" : "reg5", " = ", source.ToString(),
      "; eth.src = ", port.addresses.mac_text(), "; outport = ", port.json_name,
      "; flags.loopback = 1; reg9[9] = ", v6 ? 0 : 1, "; next;");
  const bool has_bfd = HasBfd(ctx, port.name);
  for (const std::string& ip : ips) {
    const std::string match = absl::StrCat("ip4.dst == ", ip, "/32");
    AddFlow(ctx, router.number, Stage::kLrInIpRouting, kHostRoutePriority, match,
            absl::StrCat("ip.ttl--; ", actions), {.hint = port.uuid});
    // BFD asks for a TTL of 255 at the other end.
    if (has_bfd) {
      AddFlow(ctx, router.number, Stage::kLrInIpRouting, kHostRoutePriority + 1,
              absl::StrCat(match, " && udp.dst == 3784"), actions, {.hint = port.uuid});
    }
  }
}

}  // namespace

std::vector<RoutableAddresses> ComputeRoutableAddresses(Context& ctx, const Uuid& uuid) {
  std::vector<RoutableAddresses> all;
  const RouterPort& port = ctx.Get(kRouterPortModel, uuid);
  if (!port.exists || !RouterOfPort(ctx, port).exists) return all;
  RoutableAddresses central{port.addresses.mac_text(), {}};
  bool has_central = false;
  for (const PortNat& nat : PortNats(ctx, port, /*with_route=*/true)) {
    if (!nat.mac.empty()) {
      all.push_back({nat.mac, {nat.ip.ToString()}});
      continue;
    }
    has_central = true;
    central.v4.push_back(nat.ip.ToString());
  }
  for (const std::string& vip : LbVipIpsOf(ctx, port.router_uuid, WhichVips::kRoutable)) {
    const std::optional<Ip> ip = Ip::Parse(vip);
    has_central = true;
    if (ip && !ip->v6) central.v4.push_back(vip);
  }
  if (has_central) all.push_back(std::move(central));
  return all;
}
constexpr engine::Kind<Uuid, std::vector<RoutableAddresses>> kRoutableAddresses{
    "routable_addresses", &ComputeRoutableAddresses};

std::monostate RoutableNeighbors(Context& ctx, const Uuid& uuid) {
  const RouterPort& port = ctx.Get(kRouterPortModel, uuid);
  if (!port.exists || port.switch_port.is_zero()) return {};
  const Router& router = RouterOfPort(ctx, port);
  if (!router.exists) return {};
  const bool resolves = IsEntry(ctx, port) && !router.resolves_routers_dynamically;
  for (const auto& [other_uuid, its] : ctx.Get(kBehind, SwitchOf(ctx, port.switch_port))) {
    if (other_uuid == uuid) continue;
    if (resolves) {
      AddFlow(ctx, router.number, Stage::kLrInArpResolve, 100,
              absl::StrCat("outport == ", port.json_name, " && reg0 == {",
                           absl::StrJoin(its.v4, ", "), "}"),
              absl::StrCat("eth.dst = ", its.mac, "; next;"));
    }
    if (IsEntry(ctx, ctx.Get(kRouterPortModel, other_uuid))) {
      AddHostRoutes(ctx, router, port, its.v4);
    }
  }
  return {};
}
constexpr engine::Kind<Uuid> kRoutableNeighbors{"routable_neighbors", &RoutableNeighbors};

}  // namespace northd
