// Router policies (lr_in_policy, lr_in_policy_ecmp): with one next hop or several, and in chains.
#ifndef NORTHD_PIPELINE_ROUTER_POLICIES_H_
#define NORTHD_PIPELINE_ROUTER_POLICIES_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// By the UUID of the Logical_Router.
std::monostate TranslatePolicies(Context& ctx, const Uuid& router);
extern const engine::Kind<Uuid> kRouterPolicies;

}  // namespace northd

#endif  // NORTHD_PIPELINE_ROUTER_POLICIES_H_
