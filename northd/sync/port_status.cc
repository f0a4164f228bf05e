#include "northd/sync/port_status.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "northd/model/chassis.h"
#include "northd/model/dynamic_addresses.h"
#include "northd/model/ports.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"
#include "northd/sync/ha_references.h"
#include "northd/sync/router_advertisements.h"

namespace northd {
namespace {

// A port is up when its chassis says so. One of another availability zone does not tell here: what
// is bound to it, we have bound ourselves.
bool IsUp(Context& ctx, const SwitchPort& port) {
  if (port.is_router() || port.type == SwitchPortType::kSwitch) return true;
  const auto binding = Row<sb::PortBinding>(ctx, port.sb_uuid);
  const auto chassis = binding ? binding.chassis() : std::nullopt;
  if (!chassis) return false;
  return ctx.Get(kIsRemoteChassis, *chassis) || binding.up().value_or(false);
}

// The prefix that was delegated to a port which asks for one: "ID:PREFIX" in the southbound.
void SyncPrefix(Context& ctx, const RouterPort& port) {
  if (!Row<nb::LogicalRouterPort>(ctx, port.uuid).options().GetBool("prefix", false)) return;
  const std::string& delegated = ctx.Get(kDelegatedPrefixes, port.name);
  const size_t colon = delegated.find(':');
  if (colon == delegated.npos || colon + 1 == delegated.size()) return;
  OutRow row = OutRow::Of<nb::LogicalRouterPort>(port.uuid.ToString());
  row.Set(nb::LogicalRouterPort::kIpv6Prefix,
          std::vector<std::string>{delegated.substr(colon + 1)});
  ctx.world().nb_rows.Emit(ctx, std::move(row));
}

}  // namespace

std::monostate SyncSwitchPortStatus(Context& ctx, const Uuid& uuid) {
  const SwitchPort& port = ctx.Get(kSwitchPortModel, uuid);
  if (!port.exists) return {};
  EmitHaReferences(ctx, port);
  const auto present = Row<nb::LogicalSwitchPort>(ctx, uuid);
  OutRow row = OutRow::Of<nb::LogicalSwitchPort>(uuid.ToString());
  row.Set(nb::LogicalSwitchPort::kUp, IsUp(ctx, port));
  if (const auto tag = TagToWrite(ctx, present)) row.Set(nb::LogicalSwitchPort::kTag, *tag);
  if (!port.dynamic_addresses.empty()) {
    row.Set(nb::LogicalSwitchPort::kDynamicAddresses, port.dynamic_addresses);
  } else if (present.dynamic_addresses() && PeerOf(ctx, port).is_zero()) {
    row.SetEmpty(nb::LogicalSwitchPort::kDynamicAddresses);
  }
  ctx.world().nb_rows.Emit(ctx, std::move(row));
  return {};
}
constexpr engine::Kind<Uuid> kSyncSwitchPortStatus{"sync_switch_port_status",
                                                   &SyncSwitchPortStatus};

std::monostate SyncRouterPortStatus(Context& ctx, const Uuid& uuid) {
  const RouterPort& port = ctx.Get(kRouterPortModel, uuid);
  if (!port.exists) return {};
  SyncPrefix(ctx, port);
  if (!port.is_distributed_gateway) return {};
  const auto binding =
      Row<sb::PortBinding>(ctx, PortBindingUuid(ctx, absl::StrCat("cr-", port.name)));
  if (!binding) return {};
  std::map<std::string, std::string> status;
  for (const auto& [key, value] : Row<nb::LogicalRouterPort>(ctx, uuid).status()) {
    if (key != "hosting-chassis") status.emplace(key, value);
  }
  if (const auto chassis = binding.chassis()) {
    const auto row = Row<sb::Chassis>(ctx, *chassis);
    if (row) status["hosting-chassis"] = std::string(row.name());
  }
  OutRow row = OutRow::Of<nb::LogicalRouterPort>(uuid.ToString());
  row.Set(nb::LogicalRouterPort::kStatus, status);
  ctx.world().nb_rows.Emit(ctx, std::move(row));
  return {};
}
constexpr engine::Kind<Uuid> kSyncRouterPortStatus{"sync_router_port_status",
                                                   &SyncRouterPortStatus};

}  // namespace northd
