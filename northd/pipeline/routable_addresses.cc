#include "northd/pipeline/routable_addresses.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "northd/model/lb_vip_ips.h"
#include "northd/model/nat.h"
#include "northd/model/ports.h"
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

}  // namespace

std::vector<RoutableAddresses> ComputeRoutableAddresses(Context& ctx, const Uuid& uuid) {
  std::vector<RoutableAddresses> all;
  const RouterPort& port = ctx.Get(kRouterPortModel, uuid);
  if (!port.exists) return all;
  const NatRouter& router = ctx.Get(kNatRouter, port.router_uuid);
  const bool enters = router.is_gateway || port.is_distributed_gateway;
  if (!router.exists || !enters || router.distributed_gateways.size() > 1) return all;
  const auto row = Row<nb::LogicalRouter>(ctx, port.router_uuid);

  RoutableAddresses central{port.addresses.mac_text(), {}};
  bool has_central = false;
  const auto add_central = [&](const std::string& ip, bool v6) {
    has_central = true;
    if (!v6) central.v4.push_back(ip);
  };
  for (const Uuid& nat_uuid : row.nat()) {
    const Nat& nat = ctx.Get(kNat, nat_uuid);
    if (!nat.valid || nat.v6() || !nat.add_route || nat.type == NatType::kSnat) continue;
    if (!nat.gateway_port.is_zero() && nat.gateway_port != uuid) continue;
    if (nat.distributed) {
      all.push_back({nat.external_mac, {nat.external_text}});
      continue;
    }
    const std::vector<Network>& own = port.addresses.v4;
    if (std::any_of(own.begin(), own.end(),
                    [&](const Network& network) { return network.ip == nat.external_ip; })) {
      continue;
    }
    add_central(nat.external_text, /*v6=*/false);
  }
  for (const std::string& vip : LbVipIpsOf(ctx, port.router_uuid, WhichVips::kRoutable)) {
    add_central(vip, absl::StrContains(vip, ':'));
  }
  if (has_central) all.push_back(std::move(central));
  return all;
}
constexpr engine::Kind<Uuid, std::vector<RoutableAddresses>> kRoutableAddresses{
    "routable_addresses", &ComputeRoutableAddresses};

std::monostate RoutableNeighbors(Context& ctx, const Uuid& uuid) {
  const RouterPort& port = ctx.Get(kRouterPortModel, uuid);
  if (!port.exists || port.switch_port.is_zero()) return {};
  const NatRouter& router = ctx.Get(kNatRouter, port.router_uuid);
  if (!router.exists || !ctx.Get(kSwitchPortModel, port.switch_port).enabled) return {};
  for (const auto& [other, its] : ctx.Get(kBehind, SwitchOf(ctx, port.switch_port))) {
    if (other == uuid) continue;
    AddFlow(ctx, router.number, Stage::kLrInArpResolve, 100,
            absl::StrCat("outport == ", port.json_name, " && reg0 == {",
                         absl::StrJoin(its.v4, ", "), "}"),
            absl::StrCat("eth.dst = ", its.mac, "; next;"));
    if (port.addresses.v4.empty()) continue;
    for (const std::string& ip : its.v4) {
      AddFlow(ctx, router.number, Stage::kLrInIpRouting, kHostRoutePriority,
              absl::StrCat("ip4.dst == ", ip, "/32"),
              absl::StrCat(
                  "ip.ttl--; reg8[0..15] = 0; reg0 = ip4.dst; reg5 = ",
                  port.addresses.v4.front().IpText(), "; eth.src = ", port.addresses.mac_text(),
                  "; outport = ", port.json_name, "; flags.loopback = 1; reg9[9] = 1; next;"),
              {.hint = uuid});
    }
  }
  return {};
}
constexpr engine::Kind<Uuid> kRoutableNeighbors{"routable_neighbors", &RoutableNeighbors};

}  // namespace northd
