// Multicast and broadcast on switches, snooped or not: flows of the
// stages ls_in_l2_lkup and ls_out_pre_lb.
#ifndef NORTHD_PIPELINE_MULTICAST_H_
#define NORTHD_PIPELINE_MULTICAST_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// What one switch does by itself.
std::monostate AddMulticastOf(Context& ctx, const Uuid& switch_uuid);
extern const engine::Kind<Uuid> kMulticastOf;

// The groups that its ports have joined.
std::monostate AddMulticastGroupsOf(Context& ctx, const Uuid& switch_uuid);
extern const engine::Kind<Uuid> kMulticastGroupsOf;

// Membership reports from another zone, which a transit switch's remote port lets in: by the UUID
// of the switch port.
std::monostate AddRemoteReportsOf(Context& ctx, const Uuid& port);
extern const engine::Kind<Uuid> kRemoteReportsOf;

}  // namespace northd

#endif  // NORTHD_PIPELINE_MULTICAST_H_
