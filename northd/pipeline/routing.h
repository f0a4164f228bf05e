// Routing: lr_in_ip_routing_pre, lr_in_ip_routing and lr_in_ip_routing_ecmp; what symmetric replies
// of ECMP routes need in other stages; and requests for IPv6 next hops (lr_in_arp_request).
#ifndef NORTHD_PIPELINE_ROUTING_H_
#define NORTHD_PIPELINE_ROUTING_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "northd/engine/engine.h"
#include "northd/model/addresses.h"
#include "northd/model/ports.h"
#include "northd/rows/row_view.h"

namespace northd {

// Static and learned routes, by the UUID of the Logical_Router.
std::monostate TranslateRoutes(Context& ctx, const Uuid& router);
extern const engine::Kind<Uuid> kRouterRoutes;

// Routes to the networks of a port, and which table it asks for. By the UUID of the
// Logical_Router_Port.
std::monostate TranslateConnectedRoutes(Context& ctx, const Uuid& port);
extern const engine::Kind<Uuid> kConnectedRoutes;

// Actions that send a packet to `next_hop` (an address, or a field that holds it) through a port
// from `source`.
std::string NextHopActions(const std::string& next_hop, bool v6, const RouterPort& port,
                           const Ip& source, absl::string_view middle);

// Actions that choose one of the members of an ECMP group, by hashing `fields` if there are any.
std::string SelectMember(std::vector<int64_t> ids, const std::vector<std::string>& fields);

}  // namespace northd

#endif  // NORTHD_PIPELINE_ROUTING_H_
