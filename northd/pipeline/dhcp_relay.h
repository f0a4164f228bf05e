// DHCP relay of router ports: requests from clients to a server (lr_in_ip_input,
// lr_in_dhcp_relay_req) and its responses back (lr_in_dhcp_relay_resp_chk, lr_in_dhcp_relay_resp).
#ifndef NORTHD_PIPELINE_DHCP_RELAY_H_
#define NORTHD_PIPELINE_DHCP_RELAY_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// By the UUID of the Logical_Router_Port.
std::monostate TranslateDhcpRelay(Context& ctx, const Uuid& port);
extern const engine::Kind<Uuid> kDhcpRelay;

}  // namespace northd

#endif  // NORTHD_PIPELINE_DHCP_RELAY_H_
