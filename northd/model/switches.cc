#include "northd/model/switches.h"

#include "absl/strings/string_view.h"
#include "northd/model/router_attachment.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"

namespace northd {
namespace {

// What a port adds to its switch. Most changes of a port's row stop here.
struct PortTraits {
  bool has_unknown = false;
  bool is_vtep = false;
  bool has_arp_proxy = false;
  bool leads_to_router = false;
  std::string localnet_name;

  bool operator==(const PortTraits& o) const = default;
};

PortTraits ComputePortTraits(Context& ctx, const Uuid& uuid) {
  PortTraits traits;
  const SwitchPort& port = ctx.Get(kSwitchPortModel, uuid);
  if (!port.exists) return traits;
  traits.has_unknown = port.has_unknown;
  traits.is_vtep = port.type == SwitchPortType::kVtep;
  if (port.is_localnet()) traits.localnet_name = port.name;
  if (port.is_router()) {
    const RouterAttachment& attachment = ctx.Get(kRouterAttachment, uuid);
    traits.leads_to_router = attachment.exists;
    traits.has_arp_proxy = ArpProxyOf(ctx, port, attachment).has_value();
  }
  return traits;
}
constexpr engine::Kind<Uuid, PortTraits> kPortTraits{"port_traits", &ComputePortTraits,
                                                     /*is_cutoff=*/true};

// Many switches may share them: of most changes no switch need know.
bool HasRecords(Context& ctx, const Uuid& uuid) {
  const auto dns = Row<nb::DNS>(ctx, uuid);
  return dns && !dns.records().empty();
}
constexpr engine::Kind<Uuid, bool> kHasRecords{"has_dns_records", &HasRecords, /*is_cutoff=*/true};

}  // namespace

SwitchTraits ComputeSwitchTraits(Context& ctx, const Uuid& uuid) {
  SwitchTraits traits;
  const Datapath& datapath = ctx.Get(kDatapath, uuid);
  const auto sw = Row<nb::LogicalSwitch>(ctx, uuid);
  if (!sw || !datapath.exists) return traits;
  traits.exists = true;
  traits.number = datapath.number;
  traits.vlan_passthru = sw.other_config().GetBool("vlan-passthru", false);
  traits.relays_dhcp = sw.other_config().Contains("dhcp_relay_port");
  for (const Uuid& dns : sw.dns_records()) traits.has_dns |= ctx.Get(kHasRecords, dns);
  for (const Uuid& port : sw.ports()) {
    const PortTraits& of_port = ctx.Get(kPortTraits, port);
    traits.has_unknown |= of_port.has_unknown;
    traits.has_vtep_ports |= of_port.is_vtep;
    traits.has_arp_proxy |= of_port.has_arp_proxy;
    if (of_port.leads_to_router) traits.router_ports.push_back(port);
    if (!of_port.localnet_name.empty()) traits.localnet_ports.push_back(of_port.localnet_name);
  }
  traits.only_router_ports = traits.router_ports.size() == sw.ports().size();
  return traits;
}
constexpr engine::Kind<Uuid, SwitchTraits> kSwitchTraits{"switch_traits", &ComputeSwitchTraits,
                                                         /*is_cutoff=*/true};

SwitchGroups ComputeSwitchGroups(Context& ctx, const std::monostate&) {
  DatapathBits all, vlan_blocked, with_unknown, without_unknown, with_vtep_ports, with_dns;
  for (const Uuid& uuid : AllRows<nb::LogicalSwitch>(ctx)) {
    const SwitchTraits& traits = ctx.Get(kSwitchTraits, uuid);
    if (!traits.exists) continue;
    all.Add(traits.number);
    if (!traits.vlan_passthru) vlan_blocked.Add(traits.number);
    (traits.has_unknown ? with_unknown : without_unknown).Add(traits.number);
    if (traits.has_vtep_ports) with_vtep_ports.Add(traits.number);
    if (traits.has_dns) with_dns.Add(traits.number);
  }
  DatapathSets& sets = ctx.world().datapath_sets;
  return {.all = sets.Make(all),
          .vlan_blocked = sets.Make(vlan_blocked),
          .with_unknown = sets.Make(with_unknown),
          .without_unknown = sets.Make(without_unknown),
          .with_vtep_ports = sets.Make(with_vtep_ports),
          .with_dns = sets.Make(with_dns)};
}
constexpr engine::Kind<std::monostate, SwitchGroups> kSwitchGroups{
    "switch_groups", &ComputeSwitchGroups, /*is_cutoff=*/true};

}  // namespace northd
