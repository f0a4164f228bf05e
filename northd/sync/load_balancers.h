// Southbound Load_Balancer rows, with the groups of datapaths that they apply to, and the
// Service_Monitor rows of health checks. A Load_Balancer has the UUID of its northbound row.
#ifndef NORTHD_SYNC_LOAD_BALANCERS_H_
#define NORTHD_SYNC_LOAD_BALANCERS_H_

#include <variant>

#include "northd/model/load_balancers.h"
#include "northd/rows/row_view.h"

namespace northd {

// The row of a load balancer that is somewhere.
std::monostate SyncLoadBalancer(Context& ctx, const Uuid& lb);
extern const engine::Kind<Uuid> kSyncLoadBalancer;

// What watches the backends of a VIP: rows, and the switch flows that answer the checks' ARP.
std::monostate SyncLbMonitors(Context& ctx, const LbVipId& id);
extern const engine::Kind<LbVipId> kSyncLbMonitors;

// All that a load balancer is translated into.
std::monostate TranslateLoadBalancer(Context& ctx, const Uuid& lb);
extern const engine::Kind<Uuid> kTranslateLoadBalancer;

}  // namespace northd

#endif  // NORTHD_SYNC_LOAD_BALANCERS_H_
