#include "northd/sync/hypervisors.h"

#include <algorithm>
#include <utility>

#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"

namespace northd {

std::monostate SyncHypervisors(Context& ctx, const std::monostate&) {
  const nb::NBGlobal global = OnlyRow<nb::NBGlobal>(ctx);
  if (!global) return {};
  // The slowest counts, and of those that are as slow the last to have come there. Without any,
  // all are up to date.
  int64_t least = global.nb_cfg();
  int64_t timestamp = 0;
  for (const Uuid& uuid : AllRows<sb::ChassisPrivate>(ctx)) {
    const auto state = Row<sb::ChassisPrivate>(ctx, uuid);
    const auto chassis_uuid = state.chassis();
    if (chassis_uuid) {
      const auto chassis = Row<sb::Chassis>(ctx, *chassis_uuid);
      if (chassis && chassis.other_config().GetBool("is-remote", false)) continue;
    }
    if (state.nb_cfg() < least) {
      least = state.nb_cfg();
      timestamp = 0;
    }
    if (state.nb_cfg() == least) timestamp = std::max(timestamp, state.nb_cfg_timestamp());
  }
  OutRow row = OutRow::Of<nb::NBGlobal>("global");
  row.Set(nb::NBGlobal::kHvCfg, least);
  row.Set(nb::NBGlobal::kHvCfgTimestamp, timestamp);
  ctx.world().nb_rows.Emit(ctx, std::move(row));
  return {};
}
constexpr engine::Kind<std::monostate> kSyncHypervisors{"sync_hypervisors", &SyncHypervisors};

}  // namespace northd
