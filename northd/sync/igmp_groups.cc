#include "northd/sync/igmp_groups.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "northd/model/addresses.h"
#include "northd/model/datapaths.h"
#include "northd/model/ports.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"
#include "northd/sync/multicast_groups.h"

namespace northd {
namespace {

constexpr int64_t kMinKey = 32773;  // Below are those of groups that are always there.
constexpr int64_t kMaxKey = 65535;
constexpr char kRouters[] = "mrouters";  // What controllers call ports with a multicast router.

using Groups = std::map<std::string, std::set<Uuid>>;  // Port_Bindings by address.

bool RelaysMulticast(Context& ctx, const Uuid& router) {
  const auto row = Row<nb::LogicalRouter>(ctx, router);
  return row && row.options().GetBool("mcast_relay", false);
}

// A port that gets all multicast traffic anyway.
bool IsFlooded(Context& ctx, const nb::LogicalSwitchPort& port) {
  if (port.options().GetBool("mcast_flood", false)) return true;
  return port.type() == "router" &&
         RelaysMulticast(ctx, RouterOf(ctx, PeerOf(ctx, ctx.Get(kSwitchPortModel, port.uuid()))));
}

// What is known of the switch's groups, whatever the chassis.
Groups ComputeSwitchGroups(Context& ctx, const Uuid& sw) {
  Groups groups;
  const Datapath& datapath = ctx.Get(kDatapath, sw);
  if (!datapath.exists) return groups;
  for (const Uuid& uuid :
       RowsWith<sb::IGMPGroup>(ctx, sb::IGMPGroup::kDatapath, datapath.sb_uuid)) {
    const auto group = Row<sb::IGMPGroup>(ctx, uuid);
    if (!group || !group.chassis()) continue;
    const std::string address(group.address());
    if (address != kRouters && !Ip::Parse(address)) continue;
    for (const Uuid& sb_port : group.ports()) {
      const auto binding = Row<sb::PortBinding>(ctx, sb_port);
      if (!binding) continue;
      const auto port =
          FindRow<nb::LogicalSwitchPort>(ctx, nb::LogicalSwitchPort::kName, binding.logical_port());
      if (!port || IsFlooded(ctx, port)) continue;
      groups[address].insert(GroupMemberOf(ctx, ctx.Get(kSwitchPortModel, port.uuid())));
    }
  }
  // What is outside may have joined, too.
  for (const Uuid& localnet : ctx.Get(kSwitchPorts, sw).localnet) {
    const SwitchPort& port = ctx.Get(kSwitchPortModel, localnet);
    for (auto& [address, ports] : groups) {
      if (port.exists && address != kRouters) ports.insert(port.sb_uuid);
    }
  }
  return groups;
}
constexpr engine::Kind<Uuid, Groups> kSwitchGroups{"switch_igmp_groups", &ComputeSwitchGroups};

// In IPv6 not those of an interface or a link.
bool IsRelayed(const std::string& address) {
  const std::optional<Ip> ip = Ip::Parse(address);
  return ip && (!ip->v6 || (ip->bytes[0] == 0xff && (ip->bytes[1] & 0xf) > 2));
}

void EmitGroups(Context& ctx, const Datapath& datapath, const Groups& groups) {
  World& world = ctx.world();
  std::vector<NumberWish> wishes;
  for (const auto& [address, ports] : groups) {
    if (address == kRouters) continue;
    const ovsdb::Row* row =
        world.sb.Peek(sb::MulticastGroup::kTable,
                      world.sb_rows.Identity(sb::MulticastGroup::kTable,
                                             absl::StrCat(datapath.sb_uuid.ToString(), address)));
    const int64_t existing =
        row == nullptr ? 0 : row->datum(sb::MulticastGroup::kTunnelKey).key(0).integer();
    wishes.push_back({address, 0, existing});
  }
  const std::vector<int64_t> keys = world.numbers.Assign(
      absl::StrCat("multicast/", datapath.sb_uuid.ToString()), wishes, kMinKey, kMaxKey);
  size_t i = 0;
  for (const auto& [address, ports] : groups) {
    const int64_t key = address == kRouters ? 0 : keys[i++];
    for (const Uuid& port : ports) {
      if (address == kRouters) {
        JoinMulticastRouters(ctx, datapath.sb_uuid, port);
      } else if (key != 0) {
        JoinMulticastGroup(ctx, datapath.sb_uuid, address, key, port);
      }
    }
  }
}

}  // namespace

std::monostate SyncSwitchIgmpGroups(Context& ctx, const Uuid& sw) {
  const Datapath& datapath = ctx.Get(kDatapath, sw);
  if (datapath.exists) EmitGroups(ctx, datapath, ctx.Get(kSwitchGroups, sw));
  return {};
}

std::monostate SyncRouterIgmpGroups(Context& ctx, const Uuid& router) {
  if (!RelaysMulticast(ctx, router)) return {};
  const Datapath& datapath = ctx.Get(kDatapath, router);
  const auto row = Row<nb::LogicalRouter>(ctx, router);
  if (!datapath.exists || !row) return {};
  Groups groups;
  for (const Uuid& uuid : row.ports()) {
    const RouterPort& port = ctx.Get(kRouterPortModel, uuid);
    if (!port.exists || port.switch_port.is_zero()) continue;
    if (Row<nb::LogicalRouterPort>(ctx, uuid).options().GetBool("mcast_flood", false)) continue;
    for (const auto& [address, ports] : ctx.Get(kSwitchGroups, SwitchOf(ctx, port.switch_port))) {
      if (IsRelayed(address)) groups[address].insert(GroupMemberOf(ctx, port));
    }
  }
  EmitGroups(ctx, datapath, groups);
  return {};
}

}  // namespace northd
