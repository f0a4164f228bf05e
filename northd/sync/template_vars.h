// What templates stand for on each chassis (Chassis_Template_Var).
#ifndef NORTHD_SYNC_TEMPLATE_VARS_H_
#define NORTHD_SYNC_TEMPLATE_VARS_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

std::monostate SyncTemplateVar(Context& ctx, const Uuid& variables);
extern const engine::Kind<Uuid> kSyncTemplateVar;

}  // namespace northd

#endif  // NORTHD_SYNC_TEMPLATE_VARS_H_
