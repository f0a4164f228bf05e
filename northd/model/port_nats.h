// External addresses of NAT rules as the ports of their router have them, for whoever is told of
// them: neighbours, by gratuitous ARP, and routers that have routes to them.
#ifndef NORTHD_MODEL_PORT_NATS_H_
#define NORTHD_MODEL_PORT_NATS_H_

#include <string>
#include <vector>

#include "northd/engine/engine.h"
#include "northd/model/addresses.h"
#include "northd/model/ports.h"
#include "northd/rows/row_view.h"

namespace northd {

struct PortNat {
  std::string text;  // The address as the rule spells it.
  Ip ip;
  // Of a distributed rule: where it is done, and by which MAC address. Else "", and the port does.
  std::string mac;
  std::string logical_port;
};

// Those of IPv4, in the order of the rules. Whether the rest of a rule makes sense does not matter.
// `with_route`: only what is translated on its way in, and has options:add_route.
std::vector<PortNat> PortNats(Context& ctx, const RouterPort& port, bool with_route);

}  // namespace northd

#endif  // NORTHD_MODEL_PORT_NATS_H_
