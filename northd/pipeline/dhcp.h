// Address service for switch ports: the stages dhcp_options and dhcp_response.
#ifndef NORTHD_PIPELINE_DHCP_H_
#define NORTHD_PIPELINE_DHCP_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// What all switches have.
std::monostate AddDhcp(Context& ctx, const std::monostate&);
extern const engine::Kind<std::monostate> kDhcp;

// What one switch port has.
std::monostate AddDhcpOf(Context& ctx, const Uuid& port);
extern const engine::Kind<Uuid> kDhcpOf;

}  // namespace northd

#endif  // NORTHD_PIPELINE_DHCP_H_
