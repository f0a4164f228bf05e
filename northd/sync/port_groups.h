// Port groups and address sets.
//
// A northbound Port_Group becomes a southbound row for each switch that has some of its ports, and
// the address sets NAME_ip4 and NAME_ip6 of all of its ports' addresses. These are emitted by the
// ports, an element each, so that a port that joins or leaves costs the same in a large group.
#ifndef NORTHD_SYNC_PORT_GROUPS_H_
#define NORTHD_SYNC_PORT_GROUPS_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// The address sets of all port groups, of the northbound, and of northd itself.
std::monostate SyncAddressSets(Context& ctx, const std::monostate&);
extern const engine::Kind<std::monostate> kSyncAddressSets;

// What a switch port is in its port groups, by the UUID of the Logical_Switch_Port.
std::monostate JoinPortGroups(Context& ctx, const Uuid& port);
extern const engine::Kind<Uuid> kJoinPortGroups;

}  // namespace northd

#endif  // NORTHD_SYNC_PORT_GROUPS_H_
