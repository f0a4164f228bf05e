// Where switches send packets: the stages l2_lkup and l2_unknown.
#ifndef NORTHD_PIPELINE_L2_LOOKUP_H_
#define NORTHD_PIPELINE_L2_LOOKUP_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// What all switches have.
std::monostate AddL2Lookup(Context& ctx, const std::monostate&);
extern const engine::Kind<std::monostate> kL2Lookup;

// Replies to service checks on one switch.
std::monostate AddServiceChecksOf(Context& ctx, const Uuid& switch_uuid);
extern const engine::Kind<Uuid> kServiceChecksOf;

// What one switch port has.
std::monostate AddL2LookupOf(Context& ctx, const Uuid& port);
extern const engine::Kind<Uuid> kL2LookupOf;

}  // namespace northd

#endif  // NORTHD_PIPELINE_L2_LOOKUP_H_
