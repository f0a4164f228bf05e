// What copies of traffic go where (Mirror), a row of the northbound each.
#ifndef NORTHD_SYNC_MIRRORS_H_
#define NORTHD_SYNC_MIRRORS_H_

#include <variant>
#include <vector>

#include "absl/types/span.h"
#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

std::monostate SyncMirror(Context& ctx, const Uuid& mirror);
extern const engine::Kind<Uuid> kSyncMirror;

// The southbound rows of mirrors in the northbound.
std::vector<Uuid> MirrorsOf(Context& ctx, absl::Span<const Uuid> mirrors);

}  // namespace northd

#endif  // NORTHD_SYNC_MIRRORS_H_
