// Addresses of NAT rules and VIPs with options:add_route: routers on the same switch know where to
// send them, in lr_in_ip_routing (of IPv4, if they are entered there) and lr_in_arp_resolve (where
// packets leave through a gateway).
#ifndef NORTHD_PIPELINE_ROUTABLE_ADDRESSES_H_
#define NORTHD_PIPELINE_ROUTABLE_ADDRESSES_H_

#include <string>
#include <variant>
#include <vector>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// IPv4 addresses that are reached by one MAC address.
struct RoutableAddresses {
  std::string mac;
  std::vector<std::string> v4;

  bool operator==(const RoutableAddresses& o) const = default;
};

// Of a router port, for its neighbours.
std::vector<RoutableAddresses> ComputeRoutableAddresses(Context& ctx, const Uuid& router_port);
extern const engine::Kind<Uuid, std::vector<RoutableAddresses>> kRoutableAddresses;

// The flows of a router port for what is behind others on its switch.
std::monostate RoutableNeighbors(Context& ctx, const Uuid& router_port);
extern const engine::Kind<Uuid> kRoutableNeighbors;

}  // namespace northd

#endif  // NORTHD_PIPELINE_ROUTABLE_ADDRESSES_H_
