#include "northd/sync/multicast_groups.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "northd/model/datapaths.h"
#include "northd/model/igmp_groups.h"
#include "northd/model/ports.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"

namespace northd {
namespace {

struct Group {
  const char* name;
  int tunnel_key;
};

constexpr Group kFlood = {"_MC_flood", 32768};
constexpr Group kUnknown = {"_MC_unknown", 32769};
constexpr Group kRouterFlood = {"_MC_mrouter_flood", 32770};
constexpr Group kStatic = {"_MC_static", 32771};
constexpr Group kFloodL2 = {"_MC_flood_l2", 32772};

void Join(Context& ctx, const Datapath& datapath, const Group& group, const Uuid& port) {
  JoinMulticastGroup(ctx, datapath.sb_uuid, group.name, group.tunnel_key, port);
}

}  // namespace

Uuid GroupMemberOf(Context& ctx, const SwitchPort& port) {
  const bool redirected = port.is_router() && ctx.Get(kIsCentralized, port.uuid);
  return redirected ? PortBindingUuid(ctx, port.switch_uuid, absl::StrCat("cr-", port.name))
                    : port.sb_uuid;
}

Uuid GroupMemberOf(Context& ctx, const RouterPort& port) {
  return port.is_distributed_gateway
             ? PortBindingUuid(ctx, port.router_uuid, absl::StrCat("cr-", port.name))
             : port.sb_uuid;
}

// Every port brings the row along: so there is one while there is a port.
void JoinMulticastGroup(Context& ctx, const Uuid& sb_datapath, absl::string_view name,
                        int64_t tunnel_key, const Uuid& sb_port) {
  DesiredRows& rows = ctx.world().sb_rows;
  const std::string key = absl::StrCat(sb_datapath.ToString(), name);
  OutRow row = OutRow::Of<sb::MulticastGroup>(key);
  row.Set(sb::MulticastGroup::kDatapath, sb_datapath);
  row.Set(sb::MulticastGroup::kName, name);
  row.Set(sb::MulticastGroup::kTunnelKey, tunnel_key);
  rows.Emit(ctx, std::move(row));
  rows.EmitElement(ctx, sb::MulticastGroup::kTable, key, sb::MulticastGroup::kPorts,
                   ovsdb::Atom::Of(sb_port));
}

void JoinMulticastRouters(Context& ctx, const Uuid& sb_datapath, const Uuid& sb_port) {
  JoinMulticastGroup(ctx, sb_datapath, kRouterFlood.name, kRouterFlood.tunnel_key, sb_port);
}

std::monostate SyncSwitchPortGroups(Context& ctx, const Uuid& uuid) {
  const SwitchPort& port = ctx.Get(kSwitchPortModel, uuid);
  if (!port.exists || port.tunnel_key == 0 || !port.enabled) return {};
  const Datapath& datapath = ctx.Get(kDatapath, port.switch_uuid);
  if (!datapath.exists) return {};
  const Uuid member = GroupMemberOf(ctx, port);
  Join(ctx, datapath, kFlood, member);
  if (!port.is_router()) Join(ctx, datapath, kFloodL2, member);
  if (port.has_unknown) Join(ctx, datapath, kUnknown, member);
  const StringMap options = Row<nb::LogicalSwitchPort>(ctx, uuid).options();
  if (options.GetBool("mcast_flood", false)) Join(ctx, datapath, kStatic, member);
  if (options.GetBool("mcast_flood_reports", false) || LeadsToRelay(ctx, port)) {
    Join(ctx, datapath, kRouterFlood, member);
  }
  return {};
}
constexpr engine::Kind<Uuid> kSyncSwitchPortGroups{"sync_switch_port_groups",
                                                   &SyncSwitchPortGroups};

std::monostate SyncRouterPortGroups(Context& ctx, const Uuid& uuid) {
  const RouterPort& port = ctx.Get(kRouterPortModel, uuid);
  if (!port.exists || port.tunnel_key == 0 || !port.enabled) return {};
  const Datapath& datapath = ctx.Get(kDatapath, port.router_uuid);
  if (!datapath.exists) return {};
  const auto row = Row<nb::LogicalRouterPort>(ctx, uuid);
  if (row.options().GetBool("mcast_flood", false))
    Join(ctx, datapath, kStatic, GroupMemberOf(ctx, port));
  return {};
}
constexpr engine::Kind<Uuid> kSyncRouterPortGroups{"sync_router_port_groups",
                                                   &SyncRouterPortGroups};

}  // namespace northd
