// Ports that are reached through a localnet port: the stage external_port.
#ifndef NORTHD_PIPELINE_EXTERNAL_PORTS_H_
#define NORTHD_PIPELINE_EXTERNAL_PORTS_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// What all switches have.
std::monostate AddExternalPorts(Context& ctx, const std::monostate&);
extern const engine::Kind<std::monostate> kExternalPorts;

// What one switch port has.
std::monostate AddExternalPort(Context& ctx, const Uuid& port);
extern const engine::Kind<Uuid> kExternalPort;

}  // namespace northd

#endif  // NORTHD_PIPELINE_EXTERNAL_PORTS_H_
