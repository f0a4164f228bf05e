// Address service for switch ports: the stages dhcp_options and dhcp_response.
#ifndef NORTHD_PIPELINE_DHCP_H_
#define NORTHD_PIPELINE_DHCP_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// What all switches have.
std::monostate AddDhcp(Context& ctx, const std::monostate&);
inline constexpr engine::Kind<std::monostate> kDhcp{"dhcp", &AddDhcp};

// What one switch port has.
std::monostate AddDhcpOf(Context& ctx, const Uuid& port);
inline constexpr engine::Kind<Uuid> kDhcpOf{"dhcp_of", &AddDhcpOf};

}  // namespace northd

#endif  // NORTHD_PIPELINE_DHCP_H_
