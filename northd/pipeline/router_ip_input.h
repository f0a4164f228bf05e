// IP input of one router port (lr_in_ip_input): what is addressed to the router itself. Replies to
// pings, ARP and neighbour solicitations, refusals of all else; and what to answer to expired
// packets.
#ifndef NORTHD_PIPELINE_ROUTER_IP_INPUT_H_
#define NORTHD_PIPELINE_ROUTER_IP_INPUT_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// By the UUID of the Logical_Router_Port.
std::monostate TranslateRouterPortIpInput(Context& ctx, const Uuid& port);
extern const engine::Kind<Uuid> kRouterPortIpInput;

// What else is for the port's own addresses, but for those that are load balancers' VIPs (also in
// lr_in_arp_resolve).
std::monostate TranslateOwnDestinations(Context& ctx, const Uuid& port);
extern const engine::Kind<Uuid> kOwnDestinations;

}  // namespace northd

#endif  // NORTHD_PIPELINE_ROUTER_IP_INPUT_H_
