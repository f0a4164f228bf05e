// Answers to IPv6 router solicitations (lr_in_nd_ra_options, lr_in_nd_ra_response).
#ifndef NORTHD_PIPELINE_ROUTER_ADVERTISEMENTS_H_
#define NORTHD_PIPELINE_ROUTER_ADVERTISEMENTS_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// By the UUID of the Logical_Router_Port.
std::monostate TranslateRouterAdvertisements(Context& ctx, const Uuid& port);
extern const engine::Kind<Uuid> kRouterAdvertisements;

}  // namespace northd

#endif  // NORTHD_PIPELINE_ROUTER_ADVERTISEMENTS_H_
