// The VIPs that a router answers ARP requests and neighbor solicitations for: those in the networks
// of its ports, all, or none (Load_Balancer.options:neighbor_responder).
#ifndef NORTHD_MODEL_LB_NEIGHBORS_H_
#define NORTHD_MODEL_LB_NEIGHBORS_H_

#include <string>

#include "northd/engine/engine.h"
#include "northd/model/load_balancers.h"
#include "northd/output/datapath_sets.h"
#include "northd/rows/row_view.h"

namespace northd {

// The routers that answer for a VIP.
DatapathSet ComputeLbVipAnswerers(Context& ctx, const LbVipId& id);
extern const engine::Kind<LbVipId, DatapathSet> kLbVipAnswerers;

// Whether what a VIP is asked for by is a neighbor solicitation, not an ARP request. What a
// template's are is not known: they are taken for IPv6.
bool IsAnsweredAsV6(Context& ctx, const LbVipId& id);

// Whether a router answers for any, by family.
struct LbAnswers {
  bool v4 = false;
  bool v6 = false;
  bool operator==(const LbAnswers& o) const = default;
};
LbAnswers ComputeLbAnswers(Context& ctx, const Uuid& router);
extern const engine::Kind<Uuid, LbAnswers> kLbAnswers;

// The southbound Address_Set that has them; `tunnel_key` is the router's.
std::string LbAddressSetName(int64_t tunnel_key, bool v6);

}  // namespace northd

#endif  // NORTHD_MODEL_LB_NEIGHBORS_H_
