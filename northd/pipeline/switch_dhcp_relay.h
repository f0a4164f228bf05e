// DHCP requests that a switch sends to a router which relays them: flows of the stage l2_lkup.
#ifndef NORTHD_PIPELINE_SWITCH_DHCP_RELAY_H_
#define NORTHD_PIPELINE_SWITCH_DHCP_RELAY_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// What a switch has.
std::monostate AddDhcpRelayOf(Context& ctx, const Uuid& sw);
extern const engine::Kind<Uuid> kDhcpRelayOf;

}  // namespace northd

#endif  // NORTHD_PIPELINE_SWITCH_DHCP_RELAY_H_
