// Port security on switches: the stages check_port_sec and apply_port_sec of both pipelines.
#ifndef NORTHD_PIPELINE_PORT_SECURITY_H_
#define NORTHD_PIPELINE_PORT_SECURITY_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// What all switches have.
std::monostate AddPortSecurity(Context& ctx, const std::monostate&);
extern const engine::Kind<std::monostate> kPortSecurity;

// What one switch port has.
std::monostate AddPortSecurityOf(Context& ctx, const Uuid& port);
extern const engine::Kind<Uuid> kPortSecurityOf;

}  // namespace northd

#endif  // NORTHD_PIPELINE_PORT_SECURITY_H_
