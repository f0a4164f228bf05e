// Which ports of a datapath a packet for many goes to (Multicast_Group): _MC_flood, _MC_flood_l2,
// _MC_unknown, _MC_mrouter_flood and _MC_static. A group exists while it has a port.
#ifndef NORTHD_SYNC_MULTICAST_GROUPS_H_
#define NORTHD_SYNC_MULTICAST_GROUPS_H_

#include <cstdint>
#include <variant>

#include "absl/strings/string_view.h"
#include "northd/engine/engine.h"
#include "northd/model/ports.h"
#include "northd/rows/row_view.h"

namespace northd {

// The Port_Binding that stands for a port in groups: its chassisredirect one if it has one.
Uuid GroupMemberOf(Context& ctx, const SwitchPort& port);
Uuid GroupMemberOf(Context& ctx, const RouterPort& port);

// A port becomes a member of a group of a datapath, with the group if it is the first. By an
// element of the row, so for as long as the unit emits this.
void JoinMulticastGroup(Context& ctx, const Uuid& sb_datapath, absl::string_view name,
                        int64_t tunnel_key, const Uuid& sb_port);
void JoinMulticastRouters(Context& ctx, const Uuid& sb_datapath, const Uuid& sb_port);

std::monostate SyncSwitchPortGroups(Context& ctx, const Uuid& port);
extern const engine::Kind<Uuid> kSyncSwitchPortGroups;

std::monostate SyncRouterPortGroups(Context& ctx, const Uuid& port);
extern const engine::Kind<Uuid> kSyncRouterPortGroups;

}  // namespace northd

#endif  // NORTHD_SYNC_MULTICAST_GROUPS_H_
