// Load balancers on routers: lr_in_defrag, lr_in_lb_aff_check, lr_in_dnat, lr_in_lb_aff_learn,
// lr_in_gw_redirect, lr_out_undnat, lr_out_snat.
#ifndef NORTHD_PIPELINE_LB_ROUTER_H_
#define NORTHD_PIPELINE_LB_ROUTER_H_

#include <variant>

#include "northd/model/load_balancers.h"
#include "northd/rows/row_view.h"

namespace northd {

// The flows of a VIP, for all routers that it is on.
std::monostate RouterLbVip(Context& ctx, const LbVipId& id);
extern const engine::Kind<LbVipId> kRouterLbVip;

// What all VIPs of a load balancer share.
std::monostate RouterLb(Context& ctx, const Uuid& lb);
extern const engine::Kind<Uuid> kRouterLb;

}  // namespace northd

#endif  // NORTHD_PIPELINE_LB_ROUTER_H_
