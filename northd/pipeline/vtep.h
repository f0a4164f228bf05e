// What comes from hardware VTEPs is only switched: flows of the stages hairpin and arp_rsp.
#ifndef NORTHD_PIPELINE_VTEP_H_
#define NORTHD_PIPELINE_VTEP_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// For all switches that have VTEP ports.
std::monostate AddVtep(Context& ctx, const std::monostate&);
extern const engine::Kind<std::monostate> kVtep;

}  // namespace northd

#endif  // NORTHD_PIPELINE_VTEP_H_
