// Chassis, as ports ask for them.
#ifndef NORTHD_MODEL_CHASSIS_H_
#define NORTHD_MODEL_CHASSIS_H_

#include <optional>

#include "absl/strings/string_view.h"
#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"
#include "ovsdb/uuid.h"

namespace northd {

// By name or host name.
std::optional<Uuid> FindChassis(Context& ctx, absl::string_view name);

// Whether a Chassis belongs to another availability zone.
bool ComputeIsRemoteChassis(Context& ctx, const Uuid& chassis);
extern const engine::Kind<Uuid, bool> kIsRemoteChassis;

// The remote chassis that a Logical_Router_Port of a distributed router is on, as it requests.
std::optional<Uuid> RemoteChassisOf(Context& ctx, const Uuid& router_port);

}  // namespace northd

#endif  // NORTHD_MODEL_CHASSIS_H_
