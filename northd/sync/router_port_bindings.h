// The Port_Binding rows of router ports, and the chassisredirect ones of distributed gateway ports.
#ifndef NORTHD_SYNC_ROUTER_PORT_BINDINGS_H_
#define NORTHD_SYNC_ROUTER_PORT_BINDINGS_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

std::monostate SyncRouterPortBinding(Context& ctx, const Uuid& port);
extern const engine::Kind<Uuid> kSyncRouterPortBinding;

}  // namespace northd

#endif  // NORTHD_SYNC_ROUTER_PORT_BINDINGS_H_
