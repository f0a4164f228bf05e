#include "northd/sync/template_vars.h"

#include <utility>

#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"

namespace northd {

std::monostate SyncTemplateVar(Context& ctx, const Uuid& variables) {
  const auto row = Row<nb::ChassisTemplateVar>(ctx, variables);
  if (!row) return {};
  OutRow out = OutRow::Of<sb::ChassisTemplateVar>(variables.ToString());
  out.Set(sb::ChassisTemplateVar::kChassis, row.chassis());
  out.Set(sb::ChassisTemplateVar::kVariables, row.variables().datum());
  ctx.world().sb_rows.Emit(ctx, std::move(out));
  return {};
}
constexpr engine::Kind<Uuid> kSyncTemplateVar{"sync_template_var", &SyncTemplateVar};

}  // namespace northd
