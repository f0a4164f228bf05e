// Chassis that stand in for each other (HA_Chassis_Group, HA_Chassis): those of a distributed
// gateway port, and those of a group in the northbound that a port refers to.
#ifndef NORTHD_SYNC_HA_CHASSIS_GROUPS_H_
#define NORTHD_SYNC_HA_CHASSIS_GROUPS_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// Of a router port that is a distributed gateway: the UUID of its group. Zero if it has none.
Uuid ComputeGatewayGroup(Context& ctx, const Uuid& router_port);
extern const engine::Kind<Uuid, Uuid> kGatewayGroup;

// Of a row of HA_Chassis_Group in the northbound: the UUID of the southbound's. Zero if it is gone.
Uuid ComputeHaChassisGroup(Context& ctx, const Uuid& group);
extern const engine::Kind<Uuid, Uuid> kHaChassisGroup;

// The key of a member's row, before which so many of the group are the same chassis: those with
// higher priorities.
std::string HaChassisKey(absl::string_view chassis, absl::string_view group, size_t n_same);

}  // namespace northd

#endif  // NORTHD_SYNC_HA_CHASSIS_GROUPS_H_
