#include "northd/model/chassis.h"

#include "northd/model/datapaths.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"

namespace northd {

std::optional<Uuid> FindChassis(Context& ctx, absl::string_view name) {
  for (const int column : {sb::Chassis::kName, sb::Chassis::kHostname}) {
    const auto rows = RowsWith<sb::Chassis>(ctx, column, name);
    if (!rows.empty()) return rows.front();
  }
  return std::nullopt;
}

bool ComputeIsRemoteChassis(Context& ctx, const Uuid& chassis) {
  const auto row = Row<sb::Chassis>(ctx, chassis);
  return row && row.other_config().GetBool("is-remote", false);
}
constexpr engine::Kind<Uuid, bool> kIsRemoteChassis{"is_remote_chassis", &ComputeIsRemoteChassis};

std::optional<Uuid> RemoteChassisOf(Context& ctx, const Uuid& router_port) {
  const auto port = Row<nb::LogicalRouterPort>(ctx, router_port);
  if (!port) return std::nullopt;
  const auto name = port.options().Get("requested-chassis");
  if (!name || name->empty()) return std::nullopt;
  const auto router = Row<nb::LogicalRouter>(ctx, RouterOf(ctx, router_port));
  if (!router || router.options().Contains("chassis")) return std::nullopt;
  const std::optional<Uuid> chassis = FindChassis(ctx, *name);
  return chassis && ctx.Get(kIsRemoteChassis, *chassis) ? chassis : std::nullopt;
}

}  // namespace northd
