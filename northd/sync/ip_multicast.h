// How each switch snoops multicast (IP_Multicast).
#ifndef NORTHD_SYNC_IP_MULTICAST_H_
#define NORTHD_SYNC_IP_MULTICAST_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

std::monostate SyncIpMulticast(Context& ctx, const Uuid& sw);
extern const engine::Kind<Uuid> kSyncIpMulticast;

}  // namespace northd

#endif  // NORTHD_SYNC_IP_MULTICAST_H_
