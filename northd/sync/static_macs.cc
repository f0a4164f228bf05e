#include "northd/sync/static_macs.h"

#include <utility>

#include "northd/model/datapaths.h"
#include "northd/model/ports.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"

namespace northd {

std::monostate SyncStaticMac(Context& ctx, const Uuid& binding) {
  const auto row = Row<nb::StaticMACBinding>(ctx, binding);
  if (!row) return {};
  const auto ports =
      RowsWith<nb::LogicalRouterPort>(ctx, nb::LogicalRouterPort::kName, row.logical_port());
  if (ports.empty()) return {};
  const RouterPort& port = ctx.Get(kRouterPortModel, ports.front());
  if (!port.exists) return {};
  const Datapath& datapath = ctx.Get(kDatapath, port.router_uuid);
  if (!datapath.exists) return {};
  using B = sb::StaticMACBinding;
  OutRow out = OutRow::Of<B>(binding.ToString());
  out.Set(B::kDatapath, datapath.sb_uuid);
  out.Set(B::kLogicalPort, row.logical_port());
  out.Set(B::kIp, row.ip());
  out.Set(B::kMac, row.mac());
  out.Set(B::kOverrideDynamicMac, row.override_dynamic_mac());
  ctx.world().sb_rows.Emit(ctx, std::move(out));
  return {};
}
constexpr engine::Kind<Uuid> kSyncStaticMac{"sync_static_mac", &SyncStaticMac};

}  // namespace northd
