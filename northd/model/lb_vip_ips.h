// The addresses of load balancers' VIPs, as those who announce or route to them want them.
#ifndef NORTHD_MODEL_LB_VIP_IPS_H_
#define NORTHD_MODEL_LB_VIP_IPS_H_

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"
#include "ovsdb/uuid.h"

namespace northd {

// Routable: with options:add_route, and not of a template, whose variables may stand for anything.
enum class WhichVips : uint8_t { kAll, kRoutable };

// Those of IPv4, then the others: of IPv6, and a template's, whatever they are. Variables of
// templates are among them, as they are.
using LbVipIps = std::set<std::pair<bool, std::string>>;

// Of a Load_Balancer.
using LbVips = std::pair<Uuid, WhichVips>;
LbVipIps ComputeLbVipIps(Context& ctx, const LbVips& vips);
extern const engine::Kind<LbVips, LbVipIps> kLbVipIps;

// Of the load balancers that a Logical_Router names, by itself or through groups: one twice if a
// template has it, too.
std::vector<std::string> LbVipIpsOf(Context& ctx, const Uuid& router, WhichVips which);

}  // namespace northd

#endif  // NORTHD_MODEL_LB_VIP_IPS_H_
