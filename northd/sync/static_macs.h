// Neighbours of routers that people set (Static_MAC_Binding).
#ifndef NORTHD_SYNC_STATIC_MACS_H_
#define NORTHD_SYNC_STATIC_MACS_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

std::monostate SyncStaticMac(Context& ctx, const Uuid& binding);
extern const engine::Kind<Uuid> kSyncStaticMac;

}  // namespace northd

#endif  // NORTHD_SYNC_STATIC_MACS_H_
