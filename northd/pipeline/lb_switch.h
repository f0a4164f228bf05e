// Load balancers on switches: ls_in_pre_lb (events), ls_in_pre_stateful (per VIP),
// ls_in_lb_aff_check, ls_in_lb, ls_in_lb_aff_learn, ls_in_pre_hairpin, ls_in_nat_hairpin,
// ls_in_hairpin.
#ifndef NORTHD_PIPELINE_LB_SWITCH_H_
#define NORTHD_PIPELINE_LB_SWITCH_H_

#include <variant>

#include "northd/model/load_balancers.h"
#include "northd/rows/row_view.h"

namespace northd {

// The flows of a VIP, for all switches that it is on.
std::monostate SwitchLbVip(Context& ctx, const LbVipId& id);
extern const engine::Kind<LbVipId> kSwitchLbVip;

// What a switch has once.
std::monostate SwitchLb(Context& ctx, const Uuid& sw);
extern const engine::Kind<Uuid> kSwitchLb;

}  // namespace northd

#endif  // NORTHD_PIPELINE_LB_SWITCH_H_
