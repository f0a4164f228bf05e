// Routing protocols that are spoken by a port in a router port's place: check_port_sec and l2_lkup.
#ifndef NORTHD_PIPELINE_ROUTING_PROTOCOL_REDIRECT_H_
#define NORTHD_PIPELINE_ROUTING_PROTOCOL_REDIRECT_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// For the router port that a switch port leads to.
std::monostate AddRoutingProtocolRedirectOf(Context& ctx, const Uuid& switch_port);
extern const engine::Kind<Uuid> kRoutingProtocolRedirectOf;

}  // namespace northd

#endif  // NORTHD_PIPELINE_ROUTING_PROTOCOL_REDIRECT_H_
