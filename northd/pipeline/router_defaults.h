// Logical flows that every router has alike, in all of its stages.
#ifndef NORTHD_PIPELINE_ROUTER_DEFAULTS_H_
#define NORTHD_PIPELINE_ROUTER_DEFAULTS_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// By the UUID of the Logical_Router.
std::monostate TranslateRouterDefaults(Context& ctx, const Uuid& router);
extern const engine::Kind<Uuid> kRouterDefaults;

}  // namespace northd

#endif  // NORTHD_PIPELINE_ROUTER_DEFAULTS_H_
