// Ports that have joined an IP multicast group, as controllers have seen it (IGMP_Group): a
// Multicast_Group for each group of a switch, and on each router that relays to it.
#ifndef NORTHD_SYNC_IGMP_GROUPS_H_
#define NORTHD_SYNC_IGMP_GROUPS_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

std::monostate SyncSwitchIgmpGroups(Context& ctx, const Uuid& sw);
extern const engine::Kind<Uuid> kSyncSwitchIgmpGroups;

std::monostate SyncRouterIgmpGroups(Context& ctx, const Uuid& router);
extern const engine::Kind<Uuid> kSyncRouterIgmpGroups;

}  // namespace northd

#endif  // NORTHD_SYNC_IGMP_GROUPS_H_
