#include "northd/sync/igmp_groups.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "northd/model/datapaths.h"
#include "northd/model/igmp_groups.h"
#include "northd/model/ports.h"
#include "northd/rows/sb_rows.h"
#include "northd/sync/multicast_groups.h"
#include "northd/world.h"

namespace northd {
namespace {

constexpr int64_t kMinKey = 32773;  // Below are those of groups that are always there.
constexpr int64_t kMaxKey = 65535;

// The Port_Binding that stands for a port of the model; zero if there is none. A switch's is what a
// controller has named, not its redirecting half.
Uuid MemberOf(Context& ctx, const Datapath& datapath, const Uuid& uuid) {
  if (datapath.is_router) {
    const RouterPort& port = ctx.Get(kRouterPortModel, uuid);
    return port.exists ? GroupMemberOf(ctx, port) : Uuid();
  }
  const SwitchPort& port = ctx.Get(kSwitchPortModel, uuid);
  return port.exists ? port.sb_uuid : Uuid();
}

void EmitGroups(Context& ctx, const Datapath& datapath, const IgmpGroups& groups) {
  World& world = ctx.world();
  std::vector<NumberWish> wishes;
  for (const auto& [address, ports] : groups) {
    if (address == kMulticastRouters) continue;
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
    const int64_t key = address == kMulticastRouters ? 0 : keys[i++];
    for (const Uuid& uuid : ports) {
      const Uuid port = MemberOf(ctx, datapath, uuid);
      if (port.is_zero()) continue;
      if (address == kMulticastRouters) {
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
  if (datapath.exists) EmitGroups(ctx, datapath, ctx.Get(kSwitchIgmpGroups, sw));
  return {};
}
constexpr engine::Kind<Uuid> kSyncSwitchIgmpGroups{"sync_switch_igmp_groups",
                                                   &SyncSwitchIgmpGroups};

std::monostate SyncRouterIgmpGroups(Context& ctx, const Uuid& router) {
  const Datapath& datapath = ctx.Get(kDatapath, router);
  if (datapath.exists) EmitGroups(ctx, datapath, ctx.Get(kRouterIgmpGroups, router));
  return {};
}
constexpr engine::Kind<Uuid> kSyncRouterIgmpGroups{"sync_router_igmp_groups",
                                                   &SyncRouterIgmpGroups};

}  // namespace northd
