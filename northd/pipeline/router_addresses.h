// Requests for the addresses of routers, which switches send to those alone: flows of the stage
// l2_lkup.
#ifndef NORTHD_PIPELINE_ROUTER_ADDRESSES_H_
#define NORTHD_PIPELINE_ROUTER_ADDRESSES_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// The addresses of the router port that a switch port leads to.
std::monostate AddRouterAddressesOf(Context& ctx, const Uuid& switch_port);
extern const engine::Kind<Uuid> kRouterAddressesOf;

// The external address of a NAT rule.
std::monostate AddNatAddressesOf(Context& ctx, const Uuid& nat);
extern const engine::Kind<Uuid> kNatAddressesOf;

// The VIPs of a load balancer that routers answer for.
std::monostate AddVipAddressesOf(Context& ctx, const Uuid& load_balancer);
extern const engine::Kind<Uuid> kVipAddressesOf;

}  // namespace northd

#endif  // NORTHD_PIPELINE_ROUTER_ADDRESSES_H_
