// Multicast routing of routers with options:mcast_relay (lr_in_ip_input, lr_in_ip_routing): to the
// ports whose switches have members of a group, and to those that shall get all of it.
#ifndef NORTHD_PIPELINE_MULTICAST_RELAY_H_
#define NORTHD_PIPELINE_MULTICAST_RELAY_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// By the UUID of the Logical_Router.
std::monostate TranslateMulticastRelay(Context& ctx, const Uuid& router);
extern const engine::Kind<Uuid> kMulticastRelay;

}  // namespace northd

#endif  // NORTHD_PIPELINE_MULTICAST_RELAY_H_
