// What holds for all: NB_Global and SB_Global.
#ifndef NORTHD_SYNC_GLOBAL_H_
#define NORTHD_SYNC_GLOBAL_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// The row of SB_Global, and the options that NB_Global gets.
std::monostate SyncGlobal(Context& ctx, const std::monostate&);
extern const engine::Kind<std::monostate> kSyncGlobal;

}  // namespace northd

#endif  // NORTHD_SYNC_GLOBAL_H_
