// The MTU of router ports (options:gateway_mtu): packets are measured where they come in and where
// they are about to go out (lr_in_chk_pkt_len), and an error tells the sender of one that is too
// large (lr_in_ip_input, lr_in_larger_pkts).
#ifndef NORTHD_PIPELINE_ROUTER_MTU_H_
#define NORTHD_PIPELINE_ROUTER_MTU_H_

#include <cstdint>
#include <string>
#include <variant>

#include "northd/engine/engine.h"
#include "northd/model/ports.h"
#include "northd/rows/row_view.h"

namespace northd {

// By the UUID of the Logical_Router_Port.
std::monostate TranslateRouterPortMtu(Context& ctx, const Uuid& port);
extern const engine::Kind<Uuid> kRouterPortMtu;

// options:gateway_mtu of a Logical_Router_Port in bytes; 0 or less: none.
int64_t GatewayMtu(Context& ctx, const Uuid& port);

struct PacketLimit {
  std::string check;   // An action that sets reg9[1] if a packet is too large; "": no limit.
  std::string bypass;  // A match for what is not to be measured; "": nothing.
};
PacketLimit PacketLimitOf(Context& ctx, const RouterPort& port);

}  // namespace northd

#endif  // NORTHD_PIPELINE_ROUTER_MTU_H_
