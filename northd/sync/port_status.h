// What is written back to the northbound: of switch ports whether they are up, their dynamic
// addresses and tags; of router ports where they are. Where switch ports are is told to HA groups,
// too.
#ifndef NORTHD_SYNC_PORT_STATUS_H_
#define NORTHD_SYNC_PORT_STATUS_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

std::monostate SyncSwitchPortStatus(Context& ctx, const Uuid& port);
extern const engine::Kind<Uuid> kSyncSwitchPortStatus;

std::monostate SyncRouterPortStatus(Context& ctx, const Uuid& port);
extern const engine::Kind<Uuid> kSyncRouterPortStatus;

}  // namespace northd

#endif  // NORTHD_SYNC_PORT_STATUS_H_
