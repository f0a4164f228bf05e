// NAT on routers: lr_in_admission (MAC addresses of distributed rules), lr_in_ip_input (ARP and ND
// for external addresses), lr_in_unsnat, lr_in_post_unsnat, lr_in_defrag, lr_in_dnat,
// lr_in_arp_resolve, lr_in_gw_redirect, lr_out_chk_dnat_local, lr_out_undnat, lr_out_post_undnat,
// lr_out_snat, lr_out_post_snat, lr_out_egr_loop.
#ifndef NORTHD_PIPELINE_NAT_FLOWS_H_
#define NORTHD_PIPELINE_NAT_FLOWS_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// The flows of one rule.
std::monostate NatFlows(Context& ctx, const Uuid& nat);
extern const engine::Kind<Uuid> kNatFlows;

// What a router with NAT or load balancers has once, and its rules.
std::monostate RouterNat(Context& ctx, const Uuid& router);
extern const engine::Kind<Uuid> kRouterNat;

}  // namespace northd

#endif  // NORTHD_PIPELINE_NAT_FLOWS_H_
