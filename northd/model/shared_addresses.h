// Addresses that a router shares with NAT rules and load balancers.
#ifndef NORTHD_MODEL_SHARED_ADDRESSES_H_
#define NORTHD_MODEL_SHARED_ADDRESSES_H_

#include <string>
#include <variant>
#include <vector>

#include "northd/engine/engine.h"
#include "northd/model/addresses.h"
#include "northd/rows/row_view.h"
#include "ovsdb/uuid.h"

namespace northd {

// Whether sources are translated to this address, by a SNAT rule or by force.
bool IsSnatIp(Context& ctx, const Uuid& router, const Ip& ip);
// Whether a load balancer that the router names has this address as a VIP.
bool IsLbVip(Context& ctx, const Uuid& router, const Ip& ip);
bool IsForcedToRouterIp(Context& ctx, const Uuid& router);

// Says what VIPs a load balancer has. Of each there has to be this.
std::monostate OwnVips(Context& ctx, const Uuid& lb);
extern const engine::Kind<Uuid> kOwnVips;

}  // namespace northd

#endif  // NORTHD_MODEL_SHARED_ADDRESSES_H_
