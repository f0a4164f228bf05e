// BFD control packets of router ports with sessions (lr_in_ip_input).
#ifndef NORTHD_PIPELINE_ROUTER_BFD_H_
#define NORTHD_PIPELINE_ROUTER_BFD_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// By the UUID of the Logical_Router_Port.
std::monostate TranslateRouterPortBfd(Context& ctx, const Uuid& port);
extern const engine::Kind<Uuid> kRouterPortBfd;

}  // namespace northd

#endif  // NORTHD_PIPELINE_ROUTER_BFD_H_
