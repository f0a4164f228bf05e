#include "northd/sync/hypervisors.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"

namespace northd {
namespace {

// The slowest hypervisors: the number that they have come to, and when the last of them did.
struct Slowest {
  int64_t nb_cfg = INT64_MAX;  // If there are none.
  int64_t timestamp = 0;
  bool operator==(const Slowest& o) const = default;
};

// A unit of its own, since they are many, and each change of the northbound has a new number.
Slowest ComputeSlowest(Context& ctx, const std::monostate&) {
  Slowest slowest;
  for (const Uuid& uuid : AllRows<sb::ChassisPrivate>(ctx)) {
    const auto state = Row<sb::ChassisPrivate>(ctx, uuid);
    const auto chassis_uuid = state.chassis();
    if (chassis_uuid) {
      const auto chassis = Row<sb::Chassis>(ctx, *chassis_uuid);
      if (chassis && chassis.other_config().GetBool("is-remote", false)) continue;
    }
    if (state.nb_cfg() < slowest.nb_cfg) slowest = {state.nb_cfg(), 0};
    if (state.nb_cfg() == slowest.nb_cfg) {
      slowest.timestamp = std::max(slowest.timestamp, state.nb_cfg_timestamp());
    }
  }
  return slowest;
}
constexpr engine::Kind<std::monostate, Slowest> kSlowest{"slowest_hypervisors", &ComputeSlowest};

}  // namespace

std::monostate SyncHypervisors(Context& ctx, const std::monostate&) {
  const nb::NBGlobal global = OnlyRow<nb::NBGlobal>(ctx);
  if (!global) return {};
  // Without any, or if they are ahead, all are up to date.
  Slowest slowest = ctx.Get(kSlowest, {});
  if (slowest.nb_cfg > global.nb_cfg()) slowest = {global.nb_cfg(), 0};
  OutRow row = OutRow::Of<nb::NBGlobal>("global");
  row.Set(nb::NBGlobal::kHvCfg, slowest.nb_cfg);
  row.Set(nb::NBGlobal::kHvCfgTimestamp, slowest.timestamp);
  ctx.world().nb_rows.Emit(ctx, std::move(row));
  return {};
}
constexpr engine::Kind<std::monostate> kSyncHypervisors{"sync_hypervisors", &SyncHypervisors};

}  // namespace northd
