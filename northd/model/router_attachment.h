// How a switch is attached to a router: a switch port of type router, seen with the router port
// that it leads to.
#ifndef NORTHD_MODEL_ROUTER_ATTACHMENT_H_
#define NORTHD_MODEL_ROUTER_ATTACHMENT_H_

#include <optional>
#include <string>
#include <vector>

#include "northd/engine/engine.h"
#include "northd/model/addresses.h"
#include "northd/model/ports.h"
#include "northd/rows/row_view.h"

namespace northd {

struct RouterAttachment {
  bool exists = false;  // Else nothing below means anything: the port leads nowhere.
  Uuid router_port;
  Uuid router;
  bool of_gateway_router = false;
  bool enabled = false;     // The router port is.
  PortAddresses addresses;  // Of the router port.
  // The chassisredirect port, in quotes, of the router on whose chassis alone the switch finds the
  // router port's MAC address: that of a gateway port, or of a port that resides with it. Or "".
  std::string resident_with;
  // The switch port's own chassisredirect port, through which other chassis reach the router port;
  // in quotes. Or "".
  std::string redirect_port;

  bool operator==(const RouterAttachment& o) const = default;
};

// By the UUID of the switch port.
RouterAttachment ComputeRouterAttachment(Context& ctx, const Uuid& port);
extern const engine::Kind<Uuid, RouterAttachment> kRouterAttachment;

// What a switch port is addressed by, with the addresses of the router port that it leads to if its
// `addresses` say "router".
std::vector<PortAddresses> AddressesOf(Context& ctx, const SwitchPort& port);

// What a switch port that leads to a router answers for (options:arp_proxy), and as which MAC
// address: the router port's if none is given. Nothing if there is neither of them.
std::optional<PortAddresses> ArpProxyOf(Context& ctx, const SwitchPort& port,
                                        const RouterAttachment& attachment);

}  // namespace northd

#endif  // NORTHD_MODEL_ROUTER_ATTACHMENT_H_
