#include "northd/sync/port_groups.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "northd/model/datapaths.h"
#include "northd/model/globals.h"
#include "northd/model/ports.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"

namespace northd {
namespace {

using ovsdb::Atom;

// A group's name, which may be empty: apart from the row, whose ports come and go.
std::optional<std::string> ComputeGroupName(Context& ctx, const Uuid& uuid) {
  const auto group = Row<nb::PortGroup>(ctx, uuid);
  return group ? std::optional(std::string(group.name())) : std::nullopt;
}
constexpr engine::Kind<Uuid, std::optional<std::string>> kGroupName{
    "port_group_name", &ComputeGroupName, /*is_cutoff=*/true};

std::string Ipv4Set(absl::string_view group) { return absl::StrCat(group, "_ip4"); }
std::string Ipv6Set(absl::string_view group) { return absl::StrCat(group, "_ip6"); }

void EmitAddressSet(Context& ctx, const std::string& name) {
  OutRow row = OutRow::Of<sb::AddressSet>(name);
  row.Set(sb::AddressSet::kName, name);
  ctx.world().sb_rows.Emit(ctx, std::move(row));
}

void EmitAddress(Context& ctx, const std::string& set, absl::string_view address) {
  ctx.world().sb_rows.EmitElement(ctx, sb::AddressSet::kTable, set, sb::AddressSet::kAddresses,
                                  Atom::String(address));
}

// The sets of a group, for its ports to fill.
std::monostate SyncGroupSets(Context& ctx, const Uuid& uuid) {
  const std::optional<std::string>& name = ctx.Get(kGroupName, uuid);
  if (!name) return {};
  EmitAddressSet(ctx, Ipv4Set(*name));
  EmitAddressSet(ctx, Ipv6Set(*name));
  return {};
}
constexpr engine::Kind<Uuid> kSyncGroupSets{"sync_port_group_sets", &SyncGroupSets};

std::monostate SyncAddressSet(Context& ctx, const Uuid& uuid) {
  const auto set = Row<nb::AddressSet>(ctx, uuid);
  if (!set) return {};
  OutRow row = OutRow::Of<sb::AddressSet>(set.name());
  row.Set(sb::AddressSet::kName, set.name());
  row.Set(sb::AddressSet::kAddresses, set.addresses().datum());
  ctx.world().sb_rows.Emit(ctx, std::move(row));
  return {};
}
constexpr engine::Kind<Uuid> kSyncAddressSet{"sync_address_set", &SyncAddressSet};

std::monostate SyncServiceMonitorSet(Context& ctx, const std::monostate&) {
  EmitAddressSet(ctx, "svc_monitor_mac");
  EmitAddress(ctx, "svc_monitor_mac", GetGlobals(ctx).svc_monitor_mac_text());
  return {};
}
constexpr engine::Kind<std::monostate> kSyncServiceMonitorSet{"sync_svc_monitor_set",
                                                              &SyncServiceMonitorSet};

}  // namespace

std::monostate SyncAddressSets(Context& ctx, const std::monostate&) {
  ctx.Require(kSyncServiceMonitorSet, {});
  for (const Uuid& uuid : AllRows<nb::PortGroup>(ctx)) ctx.Require(kSyncGroupSets, uuid);
  for (const Uuid& uuid : AllRows<nb::AddressSet>(ctx)) ctx.Require(kSyncAddressSet, uuid);
  return {};
}
constexpr engine::Kind<std::monostate> kSyncAddressSets{"sync_address_sets", &SyncAddressSets};

std::monostate JoinPortGroups(Context& ctx, const Uuid& uuid) {
  const absl::Span<const Uuid> groups = RowsWith<nb::PortGroup>(ctx, nb::PortGroup::kPorts, uuid);
  if (groups.empty()) return {};
  const SwitchPort& port = ctx.Get(kSwitchPortModel, uuid);
  if (!port.exists) return {};
  const Datapath& datapath = ctx.Get(kDatapath, port.switch_uuid);
  if (!datapath.exists) return {};
  World& world = ctx.world();
  for (const Uuid& group : groups) {
    const std::optional<std::string>& name = ctx.Get(kGroupName, group);
    if (!name) continue;
    world.switches_of_port_group.Emit(ctx, group, port.switch_uuid);
    world.port_groups_of_switch.Emit(ctx, port.switch_uuid, group);

    const std::string local_name = absl::StrCat(datapath.tunnel_key, "_", *name);
    OutRow row = OutRow::Of<sb::PortGroup>(local_name);
    row.Set(sb::PortGroup::kName, local_name);
    world.sb_rows.Emit(ctx, std::move(row));
    world.sb_rows.EmitElement(ctx, sb::PortGroup::kTable, local_name, sb::PortGroup::kPorts,
                              Atom::String(port.name));
    for (const PortAddresses& addresses : port.addresses) {
      for (const Network& ip : addresses.v4) EmitAddress(ctx, Ipv4Set(*name), ip.IpText());
      for (const Network& ip : addresses.v6) EmitAddress(ctx, Ipv6Set(*name), ip.IpText());
    }
  }
  return {};
}
constexpr engine::Kind<Uuid> kJoinPortGroups{"join_port_groups", &JoinPortGroups};

}  // namespace northd
