// Flows of ACLs: ls_{in,out}_acl_eval and ls_in_acl_after_lb_eval, what allow-stateless ones do in
// ls_{in,out}_pre_acl, and what the replies to logged connections log.
//
// An ACL belongs to an owner: a switch, or a port group that stands for all switches which have
// some of its ports. An ACL looks alike on switches that are alike (SwitchAcls), so it is emitted
// once for all of these.
#ifndef NORTHD_PIPELINE_ACL_RULES_H_
#define NORTHD_PIPELINE_ACL_RULES_H_

#include <utility>
#include <variant>
#include <vector>

#include "northd/engine/engine.h"
#include "northd/model/switch_acls.h"
#include "northd/output/datapath_sets.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/row_view.h"

namespace northd {

// Switches of an owner that are alike.
struct AclTarget {
  SwitchAcls acls;
  DatapathSet datapaths;
  bool operator==(const AclTarget& o) const = default;
};

// By the UUID of a Logical_Switch or Port_Group.
std::vector<AclTarget> ComputeAclTargets(Context& ctx, const Uuid& owner);
extern const engine::Kind<Uuid, std::vector<AclTarget>> kAclTargets;

// The flows of all ACLs of a switch or port group.
std::monostate EmitSwitchAclRules(Context& ctx, const Uuid& sw);
extern const engine::Kind<Uuid> kSwitchAclRules;
std::monostate EmitPortGroupAclRules(Context& ctx, const Uuid& port_group);
extern const engine::Kind<Uuid> kPortGroupAclRules;

AclStage StageOf(const nb::ACL& acl);

}  // namespace northd

#endif  // NORTHD_PIPELINE_ACL_RULES_H_
