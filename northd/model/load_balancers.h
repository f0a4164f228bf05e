// Load balancers: what their rows say, VIP by VIP, and the switches and routers that they are on.
//
// A load balancer is on a datapath that names it, or that names a group with it. A switch has those
// of the routers it is connected to, too, if NB_Global:options:install_ls_lb_from_router says so.
// Nothing here is per VIP and datapath: load balancers in the same places share the sets of these.
#ifndef NORTHD_MODEL_LOAD_BALANCERS_H_
#define NORTHD_MODEL_LOAD_BALANCERS_H_

#include <compare>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "northd/engine/engine.h"
#include "northd/model/lb_places.h"
#include "northd/output/datapath_sets.h"
#include "northd/rows/row_view.h"
#include "ovsdb/uuid.h"

namespace northd {

// For which VIPs a router answers ARP requests and neighbor solicitations.
enum class NeighborResponder : uint8_t { kReachable, kAll, kNone };

// What holds for all VIPs of a Load_Balancer.
struct LoadBalancer {
  bool exists = false;   // Else nothing below means anything.
  std::string protocol;  // "tcp", "udp" or "sctp".
  bool is_template = false;
  bool skip_snat = false;
  bool reject = false;  // A connection that finds no backend is refused,
  bool event = false;   // or reported to the controller.
  bool add_route = false;
  bool use_stateless_nat = false;
  NeighborResponder neighbor_responder = NeighborResponder::kReachable;
  int64_t affinity_timeout = 0;  // Seconds, up to 65535; 0: no affinity.
  std::vector<std::string> selection_fields;
  std::vector<Uuid> health_checks;

  bool operator==(const LoadBalancer& o) const = default;
};

LoadBalancer ComputeLoadBalancer(Context& ctx, const Uuid& uuid);
extern const engine::Kind<Uuid, LoadBalancer> kLoadBalancer;

struct LbBackend {
  std::string ip;    // An address, or a template's variable.
  std::string port;  // "": none.

  bool operator==(const LbBackend& o) const = default;
};

struct LbVip {
  bool valid = false;  // Else nothing below means anything.
  bool v6 = false;
  std::string ip;                   // An address, or a template's variable.
  std::string port;                 // "": it is a VIP for all ports.
  std::vector<LbBackend> backends;  // In the order of the row.
  std::string backends_text;        // As the row spells them.
  bool has_variables = false;       // A template's: backends are not known to be addresses.

  bool operator==(const LbVip& o) const = default;
};

// A VIP: its load balancer, and its key in `vips`.
using LbVipId = std::pair<Uuid, std::string>;

// Not valid, with a warning, if the VIP or one of its backends is malformed.
LbVip ComputeLbVip(Context& ctx, const LbVipId& id);
extern const engine::Kind<LbVipId, LbVip> kLbVip;

// ---- Where load balancers are ----

// Of a Load_Balancer.
LbPlaces ComputeLbPlaces(Context& ctx, const Uuid& lb);
extern const engine::Kind<Uuid, LbPlaces> kLbPlaces;

// The switches that the load balancers in these places are on.
DatapathSet ComputeLbSwitches(Context& ctx, const LbPlaces& places);
extern const engine::Kind<LbPlaces, DatapathSet> kLbSwitches;

// The routers, all of them and by what their flows look like.
struct LbRouters {
  DatapathSet all;
  // Without distributed gateway ports, by whether they have options:lb_force_snat_ip.
  DatapathSet plain;
  DatapathSet force_snat;
  // With distributed gateway ports: each has flows of its own.
  std::vector<Uuid> distributed;
  DatapathSet distributed_plain;  // The same, by lb_force_snat_ip.
  DatapathSet distributed_force_snat;

  bool operator==(const LbRouters& o) const = default;
};
LbRouters ComputeLbRouters(Context& ctx, const LbPlaces& places);
extern const engine::Kind<LbPlaces, LbRouters> kLbRouters;

// The load balancers that a switch or router names, by itself or through groups, in order.
std::vector<Uuid> LoadBalancersOf(Context& ctx, const Uuid& datapath);

// ---- Summaries ----

// A switch (router) names a load balancer that has a VIP.
bool ComputeSwitchHasLbVips(Context& ctx, const Uuid& sw);
extern const engine::Kind<Uuid, bool> kSwitchHasLbVips;
bool ComputeRouterHasLbVips(Context& ctx, const Uuid& router);
extern const engine::Kind<Uuid, bool> kRouterHasLbVips;

}  // namespace northd

#endif  // NORTHD_MODEL_LOAD_BALANCERS_H_
