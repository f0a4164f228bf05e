// Flows of a switch that only depend on whether it has ACLs, stateful ones, load balancers ...:
// ls_{in,out}_{pre_acl,pre_lb,pre_stateful,acl_hint,acl_eval,acl_sample,acl_action,stateful} and
// ls_in_acl_after_lb_{eval,sample,action}, but for those of single ACLs (acl_rules.h), VIPs and
// multicast.
#ifndef NORTHD_PIPELINE_ACL_H_
#define NORTHD_PIPELINE_ACL_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// By the UUID of a Logical_Switch.
std::monostate EmitSwitchAclFlows(Context& ctx, const Uuid& sw);
extern const engine::Kind<Uuid> kSwitchAclFlows;

// By the UUID of a Logical_Switch_Port: router and localnet ports bypass connection tracking.
std::monostate EmitPortAclFlows(Context& ctx, const Uuid& port);
extern const engine::Kind<Uuid> kPortAclFlows;

}  // namespace northd

#endif  // NORTHD_PIPELINE_ACL_H_
