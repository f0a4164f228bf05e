#include "northd/sync/router_routes.h"

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "northd/model/globals.h"
#include "northd/model/lb_vip_ips.h"
#include "northd/model/nat.h"
#include "northd/model/port_nats.h"
#include "northd/model/routers.h"
#include "northd/model/routes.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"

namespace northd {
namespace {

// ---- Next hops of ECMP routes ----

std::monostate SyncNextHop(Context& ctx, const RouteId& id) {
  if (!GetGlobals(ctx).ecmp_nexthop_monitor) return {};
  const Route& route = ctx.Get(kRoute, id);
  if (!route.exists || !route.has_symmetric_reply || route.discards || !route.next_hop) return {};
  const RouterPort& port = ctx.Get(kRouterPortModel, route.port);
  const Datapath& datapath = ctx.Get(kDatapath, port.router_uuid);
  // The routes of a disabled router are none, wherever they lead.
  if (!port.exists || !ctx.Get(kRouterModel, id.first).exists || !datapath.exists) return {};
  OutRow row =
      OutRow::Of<sb::ECMPNexthop>(absl::StrCat(route.next_hop_text, " ", port.sb_uuid.ToString()));
  row.Set(sb::ECMPNexthop::kNexthop, route.next_hop_text);
  row.Set(sb::ECMPNexthop::kPort, port.sb_uuid);
  row.Set(sb::ECMPNexthop::kDatapath, datapath.sb_uuid);
  ctx.world().sb_rows.Emit(ctx, std::move(row));
  return {};
}
constexpr engine::Kind<RouteId> kSyncNextHop{"sync_ecmp_next_hop", &SyncNextHop};

// ---- Advertised routes ----

// What a port redistributes: by its own option, or else its router's.
struct Redistribution {
  bool connected = false;
  bool hosts = false;  // Instead of connected networks, who is in them.
  bool static_routes = false;
  bool nat = false;
  bool load_balancers = false;
};

Redistribution ParseRedistribution(absl::string_view text) {
  Redistribution r;
  for (absl::string_view word : absl::StrSplit(text, ',')) {
    word = absl::StripAsciiWhitespace(word);
    if (word == "connected") r.connected = true;
    if (word == "connected-as-host") r.connected = r.hosts = true;
    if (word == "static") r.static_routes = true;
    if (word == "nat") r.nat = true;
    if (word == "lb") r.load_balancers = true;
  }
  return r;
}

class Advertiser {
 public:
  Advertiser(Context* ctx, const RouterPort& port) : ctx_(*ctx), port_(port) {}

  void AddNetworks() {
    for (const Network& network : port_.addresses.v4) Add(network.NetworkText());
    for (const Network& network : port_.addresses.v6) {
      if (!network.ip.is_link_local()) Add(network.NetworkText());
    }
  }

  // Who is behind the port, with the port that it is reached through. A port without networks but
  // the link-local one is connected to nobody.
  void AddHosts() {
    if (port_.addresses.v4.empty() && port_.addresses.v6.size() <= 1) return;
    if (!port_.peer_router_port.is_zero()) {
      AddRouterHosts(port_.peer_router_port);
      return;
    }
    const auto sw = Row<nb::LogicalSwitch>(ctx_, SwitchBehind(ctx_, port_));
    if (!sw) return;
    for (const Uuid& neighbor : ctx_.Get(kRouterPortsAround, sw.uuid())) AddRouterHosts(neighbor);
    for (const Uuid& uuid : sw.ports()) {
      const SwitchPort& port = ctx_.Get(kSwitchPortModel, uuid);
      if (!port.exists || port.is_router()) continue;
      for (const PortAddresses& addresses : port.addresses) AddAddresses(addresses, port.sb_uuid);
    }
  }

  void AddStaticRoutes() {
    const auto router = Row<nb::LogicalRouter>(ctx_, port_.router_uuid);
    for (const Uuid& uuid : router.static_routes()) {
      const Route& route = ctx_.Get(kRoute, RouteId(port_.router_uuid, uuid));
      if (route.exists && route.port == port_.uuid) Add(route.prefix.NetworkText());
    }
  }

  void AddNat() {
    AddNatOf(port_.router_uuid);
    std::set<Uuid> routers;
    for (const Uuid& uuid : NeighborPorts()) {
      routers.insert(ctx_.Get(kRouterPortModel, uuid).router_uuid);
    }
    for (const Uuid& router : routers) AddNatOf(router);
  }

  // A router's own VIPs are where it is, which has to be a place; those of others behind their
  // ports.
  void AddLoadBalancers() {
    const Router& router = ctx_.Get(kRouterModel, port_.router_uuid);
    if (router.is_gateway) AddVipsOf(router.uuid, std::nullopt);
    for (const Uuid& gateway : router.gateway_ports) {
      AddVipsOf(router.uuid, ctx_.Get(kRouterPortModel, gateway).sb_uuid);
    }
    for (const Uuid& uuid : NeighborPorts()) {
      const RouterPort& port = ctx_.Get(kRouterPortModel, uuid);
      AddVipsOf(port.router_uuid, port.sb_uuid);
    }
  }

 private:
  using Tracked = std::optional<Uuid>;  // A Port_Binding.

  void Add(const std::string& prefix, const Tracked& tracked = std::nullopt) {
    const Uuid& datapath = ctx_.Get(kDatapath, port_.router_uuid).sb_uuid;
    OutRow row = OutRow::Of<sb::AdvertisedRoute>(
        absl::StrCat(datapath.ToString(), " ", port_.sb_uuid.ToString(), " ", prefix, " ",
                     tracked ? tracked->ToString() : ""));
    row.Set(sb::AdvertisedRoute::kDatapath, datapath);
    row.Set(sb::AdvertisedRoute::kLogicalPort, port_.sb_uuid);
    row.Set(sb::AdvertisedRoute::kIpPrefix, prefix);
    if (tracked) row.Set(sb::AdvertisedRoute::kTrackedPort, *tracked);
    ctx_.world().sb_rows.Emit(ctx_, std::move(row));
  }

  void AddAddresses(const PortAddresses& addresses, const Uuid& tracked) {
    for (const Network& network : addresses.v4) Add(network.IpText(), tracked);
    for (const Network& network : addresses.v6) {
      if (!network.ip.is_link_local()) Add(network.IpText(), tracked);
    }
  }

  void AddRouterHosts(const Uuid& uuid) {
    const RouterPort& port = ctx_.Get(kRouterPortModel, uuid);
    if (!port.exists) return;
    AddAddresses(port.addresses, port.sb_uuid);
    for (const PortNat& nat : PortNats(ctx_, port, /*with_route=*/false)) {
      Add(nat.ip.ToString(), port.sb_uuid);
    }
    for (const std::string& ip : LbVipIpsOf(ctx_, port.router_uuid, WhichVips::kAll)) {
      if (Ip::Parse(ip)) Add(ip, port.sb_uuid);  // Else it is a template's variable.
    }
  }

  // Ports of other routers that are one hop away.
  std::vector<Uuid> NeighborPorts() {
    std::vector<Uuid> ports;
    if (!port_.peer_router_port.is_zero()) {
      ports.push_back(port_.peer_router_port);
    } else if (const Uuid sw = SwitchBehind(ctx_, port_); !sw.is_zero()) {
      ports = ctx_.Get(kRouterPortsAround, sw);
    }
    std::erase_if(ports, [this](const Uuid& uuid) {
      const RouterPort& port = ctx_.Get(kRouterPortModel, uuid);
      return !port.exists || port.router_uuid == port_.router_uuid;
    });
    return ports;
  }

  // Where a NAT rule applies: at its own port if it is distributed, else at a gateway port.
  Tracked PlaceOf(const Nat& nat) {
    if (nat.distributed) {
      const auto rows = RowsWith<nb::LogicalSwitchPort>(ctx_, nb::LogicalSwitchPort::kName,
                                                        absl::string_view(nat.logical_port));
      if (rows.empty()) return std::nullopt;
      const SwitchPort& port = ctx_.Get(kSwitchPortModel, rows.front());
      return port.exists ? Tracked(port.sb_uuid) : std::nullopt;
    }
    if (nat.gateway_port.is_zero()) return std::nullopt;
    return ctx_.Get(kRouterPortModel, nat.gateway_port).sb_uuid;
  }

  void AddNatOf(const Uuid& uuid) {
    const auto router = Row<nb::LogicalRouter>(ctx_, uuid);
    if (!router) return;
    for (const Uuid& nat_uuid : router.nat()) {
      const Nat& nat = ctx_.Get(kNat, nat_uuid);
      if (nat.valid) Add(nat.external_text, PlaceOf(nat));
    }
  }

  void AddVipsOf(const Uuid& router, const Tracked& tracked) {
    for (const std::string& ip : LbVipIpsOf(ctx_, router, WhichVips::kAll)) Add(ip, tracked);
  }

  Context& ctx_;
  const RouterPort& port_;
};

std::monostate SyncAdvertisedRoutes(Context& ctx, const Uuid& uuid) {
  const RouterPort& port = ctx.Get(kRouterPortModel, uuid);
  if (!port.exists || !ctx.Get(kRouterModel, port.router_uuid).exists) return {};
  const auto router = Row<nb::LogicalRouter>(ctx, port.router_uuid);
  const auto row = Row<nb::LogicalRouterPort>(ctx, uuid);
  const auto own = row.options().Get("dynamic-routing-redistribute");
  const Redistribution redistribution =
      ParseRedistribution(own ? *own : router.options().GetOrEmpty("dynamic-routing-redistribute"));
  Advertiser advertiser(&ctx, port);
  if (redistribution.hosts) {
    advertiser.AddHosts();
  } else if (redistribution.connected) {
    advertiser.AddNetworks();
  }
  if (redistribution.static_routes) advertiser.AddStaticRoutes();
  if (redistribution.nat) advertiser.AddNat();
  if (redistribution.load_balancers) advertiser.AddLoadBalancers();
  return {};
}
constexpr engine::Kind<Uuid> kAdvertisedRoutes{"advertised_routes", &SyncAdvertisedRoutes};

}  // namespace

std::monostate SyncRouterRoutes(Context& ctx, const Uuid& uuid) {
  const auto router = Row<nb::LogicalRouter>(ctx, uuid);
  if (!router) return {};
  for (const Uuid& route : router.static_routes()) ctx.Require(kSyncNextHop, RouteId(uuid, route));
  if (!router.options().GetBool("dynamic-routing", false)) return {};
  for (const Uuid& port : router.ports()) ctx.Require(kAdvertisedRoutes, port);
  return {};
}
constexpr engine::Kind<Uuid> kSyncRouterRoutes{"sync_router_routes", &SyncRouterRoutes};

}  // namespace northd
