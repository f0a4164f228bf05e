#include "northd/model/port_nats.h"

#include <algorithm>
#include <optional>

#include "northd/model/nat.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"

namespace northd {
namespace {

// Of a router: the rules that are translated on their way in, and have options:add_route. All its
// ports ask for them, and few routers have any.
std::vector<Uuid> ComputeRoutedNats(Context& ctx, const Uuid& router) {
  std::vector<Uuid> routed;
  const auto row = Row<nb::LogicalRouter>(ctx, router);
  if (!row) return routed;
  for (const Uuid& uuid : row.nat()) {
    const auto nat = Row<nb::NAT>(ctx, uuid);
    if (nat && nat.type() != "snat" && nat.options().GetBool("add_route", false)) {
      routed.push_back(uuid);
    }
  }
  return routed;
}
constexpr engine::Kind<Uuid, std::vector<Uuid>> kRoutedNats{"routed_nats", &ComputeRoutedNats,
                                                            /*is_cutoff=*/true};

}  // namespace

std::vector<PortNat> PortNats(Context& ctx, const RouterPort& port, bool with_route) {
  std::vector<PortNat> all;
  const auto router = Row<nb::LogicalRouter>(ctx, port.router_uuid);
  if (!router) return all;
  const std::vector<Uuid>& gateways = ctx.Get(kRouterGateways, port.router_uuid).distributed_ports;
  const absl::Span<const Uuid> nats =
      with_route ? ctx.Get(kRoutedNats, port.router_uuid) : router.nat();
  for (const Uuid& uuid : nats) {
    const auto nat = Row<nb::NAT>(ctx, uuid);
    if (!nat) continue;
    if (gateways.size() > 1 && NatGatewayPort(ctx, nat, gateways) != port.uuid) continue;
    const std::optional<Network> external = Network::Parse(nat.external_ip());
    if (!external || external->ip.v6 || !external->is_host()) continue;
    PortNat its{std::string(nat.external_ip()), external->ip, "", ""};
    const auto mac_text = nat.external_mac();
    if (!gateways.empty() && nat.type() == "dnat_and_snat" && nat.logical_port() && mac_text) {
      const std::optional<Mac> mac = Mac::Parse(*mac_text);
      if (!mac) continue;
      its.mac = mac->ToString();
      its.logical_port = std::string(*nat.logical_port());
    } else if (std::any_of(port.addresses.v4.begin(), port.addresses.v4.end(),
                           [&](const Network& own) { return own.IpText() == its.text; })) {
      continue;  // The port's own: that is announced, and routed to, anyway.
    }
    all.push_back(std::move(its));
  }
  return all;
}

}  // namespace northd
