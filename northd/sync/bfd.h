// BFD sessions in the southbound, and their status in the northbound.
#ifndef NORTHD_SYNC_BFD_H_
#define NORTHD_SYNC_BFD_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

std::monostate SyncAllBfd(Context& ctx, const std::monostate&);
extern const engine::Kind<std::monostate> kSyncAllBfd;

}  // namespace northd

#endif  // NORTHD_SYNC_BFD_H_
