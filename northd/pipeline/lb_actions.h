// What switches and routers do with packets to a VIP, as text that both share.
#ifndef NORTHD_PIPELINE_LB_ACTIONS_H_
#define NORTHD_PIPELINE_LB_ACTIONS_H_

#include <string>
#include <utility>
#include <vector>

#include "northd/model/load_balancers.h"
#include "northd/output/datapath_sets.h"
#include "northd/rows/row_view.h"

namespace northd {

// What becomes of a new connection to a VIP.
struct LbVerdict {
  enum class Kind { kBalance, kDrop, kReject } kind = Kind::kBalance;
  // To balance: "ct_lb_mark(backends=...", to be closed by ");". Else the whole.
  std::string actions;
};
// `reject_table` is the egress table in which a refusal goes on.
LbVerdict LbVerdictOf(Context& ctx, const LbVipId& id, const LoadBalancer& lb, const LbVip& vip,
                      int reject_table);

// "reg4 = VIP; reg2[0..15] = PORT; ": what the hairpin and affinity stages will ask for.
std::string LbSaveVip(const LbVip& vip);
// "ip4.dst == VIP".
std::string LbVipMatch(const LbVip& vip);
// "[VIP]:PORT" or "VIP:PORT", without a port "VIP".
std::string LbEndpoint(const LbVip& vip, absl::string_view ip, absl::string_view port);

// If connections to the VIP find no backend and shall be reported: the flow that does.
struct LbEventFlow {
  bool exists = false;
  std::string match;
  std::string actions;
};
LbEventFlow LbEventFlowOf(const Uuid& lb_uuid, const LoadBalancer& lb, const LbVip& vip);

// The flow that learns which backend a client was sent to: for each backend, one.
struct LbAffinityFlow {
  std::string known_match;  // What the check stage found, up to the backend.
  std::string backend;      // As `backends=` has it.
  std::string learn_match;
  std::string learn_actions;
};
// For a VIP of a load balancer with an affinity timeout; of a template's backends without ports,
// and on routers as of IPv6.
std::vector<LbAffinityFlow> LbAffinityFlows(const LoadBalancer& lb, LbVip vip, bool on_router);

// Parts of a set of datapaths by their controller meter for a protocol: see CoppMeter().
using MeteredSets = std::vector<std::pair<std::string, DatapathSet>>;
const MeteredSets& ByMeter(Context& ctx, const DatapathSet& datapaths, const std::string& protocol);

}  // namespace northd

#endif  // NORTHD_PIPELINE_LB_ACTIONS_H_
