// Which chassis need to know whether a gateway is alive (HA_Chassis_Group.ref_chassis): those with
// a port on a switch from where the group's gateway can be reached, however many routers are
// between. Only groups of several chassis have them.
#ifndef NORTHD_SYNC_HA_REFERENCES_H_
#define NORTHD_SYNC_HA_REFERENCES_H_

#include "northd/model/ports.h"
#include "northd/rows/row_view.h"

namespace northd {

// Adds the chassis of a switch port to the groups that it can reach.
void EmitHaReferences(Context& ctx, const SwitchPort& port);

}  // namespace northd

#endif  // NORTHD_SYNC_HA_REFERENCES_H_
