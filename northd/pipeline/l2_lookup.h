// Where switches send packets: the stages l2_lkup and l2_unknown.
#ifndef NORTHD_PIPELINE_L2_LOOKUP_H_
#define NORTHD_PIPELINE_L2_LOOKUP_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// What all switches have.
std::monostate AddL2Lookup(Context& ctx, const std::monostate&);
inline constexpr engine::Kind<std::monostate> kL2Lookup{"l2_lookup", &AddL2Lookup};

// Replies to service checks on one switch.
std::monostate AddServiceChecksOf(Context& ctx, const Uuid& switch_uuid);
inline constexpr engine::Kind<Uuid> kServiceChecksOf{"service_checks_of", &AddServiceChecksOf};

// What one switch port has.
std::monostate AddL2LookupOf(Context& ctx, const Uuid& port);
inline constexpr engine::Kind<Uuid> kL2LookupOf{"l2_lookup_of", &AddL2LookupOf};

}  // namespace northd

#endif  // NORTHD_PIPELINE_L2_LOOKUP_H_
