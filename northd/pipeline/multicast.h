// Multicast and broadcast on switches, snooped or not: flows of the stage l2_lkup.
#ifndef NORTHD_PIPELINE_MULTICAST_H_
#define NORTHD_PIPELINE_MULTICAST_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// What one switch does by itself.
std::monostate AddMulticastOf(Context& ctx, const Uuid& switch_uuid);
inline constexpr engine::Kind<Uuid> kMulticastOf{"multicast_of", &AddMulticastOf};

// The groups that its ports have joined.
std::monostate AddMulticastGroupsOf(Context& ctx, const Uuid& switch_uuid);
inline constexpr engine::Kind<Uuid> kMulticastGroupsOf{"multicast_groups_of",
                                                       &AddMulticastGroupsOf};

}  // namespace northd

#endif  // NORTHD_PIPELINE_MULTICAST_H_
