// How far the hypervisors are: NB_Global's hv_cfg and hv_cfg_timestamp (ovn-nb(5)).
#ifndef NORTHD_SYNC_HYPERVISORS_H_
#define NORTHD_SYNC_HYPERVISORS_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

std::monostate SyncHypervisors(Context& ctx, const std::monostate&);
extern const engine::Kind<std::monostate> kSyncHypervisors;

}  // namespace northd

#endif  // NORTHD_SYNC_HYPERVISORS_H_
