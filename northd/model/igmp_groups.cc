#include "northd/model/igmp_groups.h"

#include <optional>

#include "northd/model/addresses.h"
#include "northd/model/datapaths.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"

namespace northd {
namespace {

// A port that gets all multicast anyway.
bool IsFlooded(Context& ctx, const nb::LogicalSwitchPort& port) {
  return port.options().GetBool("mcast_flood", false) ||
         (port.type() == "router" && LeadsToRelay(ctx, ctx.Get(kSwitchPortModel, port.uuid())));
}

// In IPv6 not a group of an interface or a link.
bool IsRelayed(const std::string& address) {
  const std::optional<Ip> ip = Ip::Parse(address);
  return ip && (!ip->v6 || (ip->bytes[0] == 0xff && (ip->bytes[1] & 0xf) > 2));
}

std::set<std::string> AddressesOf(const IgmpGroups& groups) {
  std::set<std::string> addresses;
  for (const auto& [address, ports] : groups) {
    if (address != kMulticastRouters) addresses.insert(address);
  }
  return addresses;
}

}  // namespace

bool RelaysMulticast(Context& ctx, const Uuid& router) {
  const auto row = Row<nb::LogicalRouter>(ctx, router);
  return row && row.options().GetBool("mcast_relay", false);
}

bool LeadsToRelay(Context& ctx, const SwitchPort& port) {
  if (!port.is_router()) return false;
  const RouterPort& peer = ctx.Get(kRouterPortModel, PeerOf(ctx, port));
  return peer.exists && RelaysMulticast(ctx, peer.router_uuid);
}

IgmpGroups ComputeSwitchIgmpGroups(Context& ctx, const Uuid& sw) {
  IgmpGroups groups;
  const Datapath& datapath = ctx.Get(kDatapath, sw);
  if (!datapath.exists) return groups;
  for (const Uuid& uuid :
       RowsWith<sb::IGMPGroup>(ctx, sb::IGMPGroup::kDatapath, datapath.sb_uuid)) {
    const auto group = Row<sb::IGMPGroup>(ctx, uuid);
    if (!group || !group.chassis()) continue;
    const std::string address(group.address());
    if (address != kMulticastRouters && !Ip::Parse(address)) continue;
    for (const Uuid& sb_port : group.ports()) {
      const auto binding = Row<sb::PortBinding>(ctx, sb_port);
      if (!binding) continue;
      const auto port =
          FindRow<nb::LogicalSwitchPort>(ctx, nb::LogicalSwitchPort::kName, binding.logical_port());
      if (port && !IsFlooded(ctx, port)) groups[address].insert(port.uuid());
    }
  }
  for (const Uuid& localnet : ctx.Get(kSwitchPorts, sw).localnet) {
    for (auto& [address, ports] : groups) {
      if (address != kMulticastRouters) ports.insert(localnet);
    }
  }
  return groups;
}
constexpr engine::Kind<Uuid, IgmpGroups> kSwitchIgmpGroups{"switch_igmp_groups",
                                                           &ComputeSwitchIgmpGroups};

IgmpGroups ComputeRouterIgmpGroups(Context& ctx, const Uuid& router) {
  IgmpGroups groups;
  const auto row = Row<nb::LogicalRouter>(ctx, router);
  if (!row || !RelaysMulticast(ctx, router)) return groups;
  for (const Uuid& uuid : row.ports()) {
    const RouterPort& port = ctx.Get(kRouterPortModel, uuid);
    if (!port.exists || port.switch_port.is_zero()) continue;
    if (Row<nb::LogicalRouterPort>(ctx, uuid).options().GetBool("mcast_flood", false)) continue;
    const Uuid sw = SwitchOf(ctx, port.switch_port);
    for (const std::string& address : ctx.Get(kSwitchIgmpAddresses, sw)) {
      if (IsRelayed(address)) groups[address].insert(uuid);
    }
  }
  return groups;
}
constexpr engine::Kind<Uuid, IgmpGroups> kRouterIgmpGroups{"router_igmp_groups",
                                                           &ComputeRouterIgmpGroups};

std::set<std::string> ComputeSwitchIgmpAddresses(Context& ctx, const Uuid& sw) {
  return AddressesOf(ctx.Get(kSwitchIgmpGroups, sw));
}
constexpr engine::Kind<Uuid, std::set<std::string>> kSwitchIgmpAddresses{
    "switch_igmp_addresses", &ComputeSwitchIgmpAddresses, /*is_cutoff=*/true};

std::set<std::string> ComputeRouterIgmpAddresses(Context& ctx, const Uuid& router) {
  return AddressesOf(ctx.Get(kRouterIgmpGroups, router));
}
constexpr engine::Kind<Uuid, std::set<std::string>> kRouterIgmpAddresses{
    "router_igmp_addresses", &ComputeRouterIgmpAddresses, /*is_cutoff=*/true};

}  // namespace northd
