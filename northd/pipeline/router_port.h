// Logical flows of one router port where packets come in and go out: admission, neighbour look-up,
// delivery, and redirection to the chassis of a distributed gateway port.
#ifndef NORTHD_PIPELINE_ROUTER_PORT_H_
#define NORTHD_PIPELINE_ROUTER_PORT_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// By the UUID of the Logical_Router_Port.
std::monostate TranslateRouterPortFlows(Context& ctx, const Uuid& port);
extern const engine::Kind<Uuid> kRouterPortFlows;

}  // namespace northd

#endif  // NORTHD_PIPELINE_ROUTER_PORT_H_
