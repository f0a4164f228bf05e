// What the southbound is to know of routers' routes beside flows: those to advertise to the world
// outside (Advertised_Route), and next hops of ECMP routes to watch (ECMP_Nexthop).
#ifndef NORTHD_SYNC_ROUTER_ROUTES_H_
#define NORTHD_SYNC_ROUTER_ROUTES_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// By the UUID of the Logical_Router.
std::monostate SyncRouterRoutes(Context& ctx, const Uuid& router);
extern const engine::Kind<Uuid> kSyncRouterRoutes;

}  // namespace northd

#endif  // NORTHD_SYNC_ROUTER_ROUTES_H_
