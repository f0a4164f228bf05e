// The addresses of load balancers' VIPs, as those who announce or route to them want them.
#ifndef NORTHD_MODEL_LB_VIP_IPS_H_
#define NORTHD_MODEL_LB_VIP_IPS_H_

#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"
#include "ovsdb/uuid.h"

namespace northd {

enum class WhichVips : uint8_t { kAll, kRoutable };  // Routable: with options:add_route.

// Of a Load_Balancer. Variables of templates are among them, as they are.
using LbVips = std::pair<Uuid, WhichVips>;
std::set<std::string> ComputeLbVipIps(Context& ctx, const LbVips& vips);
extern const engine::Kind<LbVips, std::set<std::string>> kLbVipIps;

// Of the load balancers that a Logical_Router names, by itself or through groups.
std::set<std::string> LbVipIpsOf(Context& ctx, const Uuid& router, WhichVips which);

}  // namespace northd

#endif  // NORTHD_MODEL_LB_VIP_IPS_H_
