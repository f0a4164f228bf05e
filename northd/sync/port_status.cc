#include "northd/sync/port_status.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
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

// PREFIX of "ID:PREFIX", as controllers write it, with whatever follows; "" if it is something
// else.
absl::string_view PrefixOf(absl::string_view delegated) {
  delegated = absl::StripLeadingAsciiWhitespace(delegated);
  const size_t colon = delegated.find_first_not_of("0123456789");
  if (colon == 0 || colon == delegated.npos || delegated[colon] != ':') return "";
  const absl::string_view rest = absl::StripLeadingAsciiWhitespace(delegated.substr(colon + 1));
  return rest.substr(0, rest.find_first_of(" \t"));
}

// The prefix that was delegated to a port which asks for one.
void SyncPrefix(Context& ctx, const RouterPort& port) {
  if (!Row<nb::LogicalRouterPort>(ctx, port.uuid).options().GetBool("prefix", false)) return;
  const absl::string_view prefix = PrefixOf(ctx.Get(kDelegatedPrefixes, port.name));
  if (prefix.empty()) return;
  OutRow row = OutRow::Of<nb::LogicalRouterPort>(port.uuid.ToString());
  row.Set(nb::LogicalRouterPort::kIpv6Prefix, std::vector<std::string>{std::string(prefix)});
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
  } else if (present.dynamic_addresses() &&
             (PeerOf(ctx, port).is_zero() || !HasDynamicAddresses(ctx, port.switch_uuid))) {
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
  const auto binding = Row<sb::PortBinding>(
      ctx, PortBindingUuid(ctx, port.router_uuid, absl::StrCat("cr-", port.name)));
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
