// Marking and metering by QoS rules: the stages qos of both switch pipelines.
#ifndef NORTHD_PIPELINE_QOS_H_
#define NORTHD_PIPELINE_QOS_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// What all switches have.
std::monostate AddQos(Context& ctx, const std::monostate&);
extern const engine::Kind<std::monostate> kQos;

// The rules of one switch.
std::monostate AddQosOf(Context& ctx, const Uuid& switch_uuid);
extern const engine::Kind<Uuid> kQosOf;

}  // namespace northd

#endif  // NORTHD_PIPELINE_QOS_H_
