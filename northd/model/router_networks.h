// Which of a router's ports leads to an address, and which address of its own it uses there.
#ifndef NORTHD_MODEL_ROUTER_NETWORKS_H_
#define NORTHD_MODEL_ROUTER_NETWORKS_H_

#include <string>
#include <vector>

#include "northd/engine/engine.h"
#include "northd/model/addresses.h"
#include "northd/rows/row_view.h"
#include "ovsdb/uuid.h"

namespace northd {

struct NextHopPort {
  Uuid port;  // Zero: none.
  Ip source;  // Its own address.

  bool found() const { return !port.is_zero(); }
  bool operator==(const NextHopPort& o) const = default;
};

// The port of the router that has `next_hop` in one of its networks.
NextHopPort FindNextHopPort(Context& ctx, const Uuid& router, const Ip& next_hop);
// Likewise of one port; if it has no such network, with its first address (of IPv6 if `v6`).
NextHopPort NextHopThrough(Context& ctx, const Uuid& port, const Ip& next_hop, bool v6);

// Whether some port of the router has this address.
bool IsRouterAddress(Context& ctx, const Uuid& router, const Ip& ip);

}  // namespace northd

#endif  // NORTHD_MODEL_ROUTER_NETWORKS_H_
