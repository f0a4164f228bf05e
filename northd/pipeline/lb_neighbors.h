// Routers answer for VIPs: flows of lr_in_ip_input, and the Address_Set rows that they match on.
#ifndef NORTHD_PIPELINE_LB_NEIGHBORS_H_
#define NORTHD_PIPELINE_LB_NEIGHBORS_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/model/load_balancers.h"
#include "northd/rows/row_view.h"

namespace northd {

// The flows and the sets of a router.
std::monostate RouterLbNeighbors(Context& ctx, const Uuid& router);
extern const engine::Kind<Uuid> kRouterLbNeighbors;

// A VIP in the sets of the routers that answer for it.
std::monostate LbVipNeighbors(Context& ctx, const LbVipId& id);
extern const engine::Kind<LbVipId> kLbVipNeighbors;

}  // namespace northd

#endif  // NORTHD_PIPELINE_LB_NEIGHBORS_H_
