// Forwarding groups: addresses that a switch spreads over ports, in the stages arp_rsp and l2_lkup.
#ifndef NORTHD_PIPELINE_FORWARDING_GROUPS_H_
#define NORTHD_PIPELINE_FORWARDING_GROUPS_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// Those of one switch.
std::monostate AddForwardingGroupsOf(Context& ctx, const Uuid& switch_uuid);
extern const engine::Kind<Uuid> kForwardingGroupsOf;

}  // namespace northd

#endif  // NORTHD_PIPELINE_FORWARDING_GROUPS_H_
