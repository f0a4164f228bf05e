// MAC addresses that are known without asking (lr_in_arp_resolve): of switch ports and of other
// routers' ports; and what is left of traffic to the router's own addresses.
#ifndef NORTHD_PIPELINE_ROUTER_NEIGHBORS_H_
#define NORTHD_PIPELINE_ROUTER_NEIGHBORS_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// How the routers around a switch find one of its ports; or, of a port that leads to a router, how
// that finds the others. By the UUID of the Logical_Switch_Port.
std::monostate TranslateSwitchPortNeighbor(Context& ctx, const Uuid& port);
extern const engine::Kind<Uuid> kSwitchPortNeighbor;

// How a router finds its peer, by the UUID of its Logical_Router_Port.
std::monostate TranslateRouterPortNeighbors(Context& ctx, const Uuid& port);
extern const engine::Kind<Uuid> kRouterPortNeighbors;

}  // namespace northd

#endif  // NORTHD_PIPELINE_ROUTER_NEIGHBORS_H_
