// The Port_Binding rows of switch ports, of every type.
#ifndef NORTHD_SYNC_SWITCH_PORT_BINDINGS_H_
#define NORTHD_SYNC_SWITCH_PORT_BINDINGS_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

std::monostate SyncSwitchPortBinding(Context& ctx, const Uuid& port);
extern const engine::Kind<Uuid> kSyncSwitchPortBinding;

}  // namespace northd

#endif  // NORTHD_SYNC_SWITCH_PORT_BINDINGS_H_
