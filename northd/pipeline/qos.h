// Marking and metering by QoS rules: the stages qos of both switch pipelines.
#ifndef NORTHD_PIPELINE_QOS_H_
#define NORTHD_PIPELINE_QOS_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// What all switches have.
std::monostate AddQos(Context& ctx, const std::monostate&);
inline constexpr engine::Kind<std::monostate> kQos{"qos", &AddQos};

// The rules of one switch.
std::monostate AddQosOf(Context& ctx, const Uuid& switch_uuid);
inline constexpr engine::Kind<Uuid> kQosOf{"qos_of", &AddQosOf};

}  // namespace northd

#endif  // NORTHD_PIPELINE_QOS_H_
