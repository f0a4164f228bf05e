#include "northd/sync/load_balancers.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "northd/model/datapaths.h"
#include "northd/model/globals.h"
#include "northd/model/lb_health.h"
#include "northd/model/ports.h"
#include "northd/pipeline/lb_neighbors.h"
#include "northd/pipeline/lb_router.h"
#include "northd/pipeline/lb_switch.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"

namespace northd {
namespace {

// ---- Groups of datapaths ----

// Load balancers in the same places share a group of switches and one of routers, whose names these
// are.
using GroupId = std::pair<LbPlaces, bool>;  // Of routers, else of switches.

const DatapathSet& MembersOf(Context& ctx, const GroupId& id) {
  return id.second ? ctx.Get(kLbRouters, id.first).all : ctx.Get(kLbSwitches, id.first);
}

std::string GroupKey(const GroupId& id) {
  std::string key = id.second ? "lb routers" : "lb switches";
  const auto append = [&](absl::string_view what, const std::vector<Uuid>& uuids) {
    absl::StrAppend(&key, " ", what);
    for (const Uuid& uuid : uuids) absl::StrAppend(&key, " ", uuid.ToString());
  };
  append("groups", id.first.groups);
  append("switches", id.first.switches);
  append("routers", id.first.routers);
  return key;
}

// Those of several places that come to the same datapaths share a row, which has the first one's
// name.
using GroupsByMembers = absl::flat_hash_map<DatapathSet, GroupId>;

// Reading a relation is a unit's whole business.
std::vector<LbPlaces> ComputeAllPlaces(Context& ctx, const std::monostate&) {
  const auto& places = ctx.world().lb_places.Read(ctx, {});
  return {places.begin(), places.end()};
}
constexpr engine::Kind<std::monostate, std::vector<LbPlaces>> kAllPlaces{"all_lb_places",
                                                                         &ComputeAllPlaces};

GroupsByMembers ComputeGroupsByMembers(Context& ctx, const std::monostate&) {
  GroupsByMembers groups;
  for (const LbPlaces& its : ctx.Get(kAllPlaces, {})) {
    for (const bool of_routers : {false, true}) {
      const GroupId id(its, of_routers);
      const auto [at, is_new] = groups.try_emplace(MembersOf(ctx, id), id);
      if (!is_new) at->second = std::min(at->second, id);
    }
  }
  return groups;
}
constexpr engine::Kind<std::monostate, GroupsByMembers> kGroupsByMembers{"lb_groups_by_members",
                                                                         &ComputeGroupsByMembers};

GroupId ComputeSharedGroup(Context& ctx, const GroupId& id) {
  const GroupsByMembers& groups = ctx.Get(kGroupsByMembers, {});
  const auto found = groups.find(MembersOf(ctx, id));
  return found == groups.end() ? id : found->second;
}
constexpr engine::Kind<GroupId, GroupId> kSharedGroup{"shared_lb_group", &ComputeSharedGroup,
                                                      /*is_cutoff=*/true};

std::monostate SyncGroup(Context& ctx, const GroupId& id) {
  World& world = ctx.world();
  std::vector<Uuid> datapaths;
  MembersOf(ctx, id).bits().ForEach(
      [&](DatapathNumber n) { datapaths.push_back(world.datapath_sets.datapath(n).sb_uuid); });
  OutRow row = OutRow::Of<sb::LogicalDPGroup>(GroupKey(id));
  row.Set(sb::LogicalDPGroup::kDatapaths, datapaths);
  world.sb_rows.Emit(ctx, std::move(row));
  return {};
}
constexpr engine::Kind<GroupId> kSyncGroup{"sync_lb_datapath_group", &SyncGroup};

// The group, to be referred to in `column` of the row of `lb`: the one that is there already, for
// the first of those who share it.
void SetGroup(Context& ctx, const Uuid& lb, const GroupId& id, int column, OutRow* row) {
  if (MembersOf(ctx, id).empty()) {
    row->SetEmpty(column);
    return;
  }
  World& world = ctx.world();
  Uuid present;
  if (const ovsdb::Row* there = world.sb.Peek(sb::LoadBalancer::kTable, lb)) {
    const absl::Span<const Uuid> groups = there->datum(column).uuids();
    if (!groups.empty()) present = groups.front();
  }
  const GroupId& shared = ctx.Get(kSharedGroup, id);
  row->Set(column, world.sb_rows.Identity(sb::LogicalDPGroup::kTable, GroupKey(shared), present));
  ctx.Require(kSyncGroup, shared);
}

// As the row has them. But IPv6 addresses of a template, if any VIP of it is valid, get brackets,
// and then the others are left out.
void SetVips(Context& ctx, const Uuid& lb, const nb::LoadBalancer& row, OutRow* out) {
  std::map<std::string, std::string> vips;
  if (ctx.Get(kLoadBalancer, lb).is_template) {
    for (const auto& [key, value] : row.vips()) {
      const LbVip& vip = ctx.Get(kLbVip, LbVipId(lb, std::string(key)));
      if (!vip.valid || !vip.v6) continue;
      const std::string port = vip.port.empty() ? "" : absl::StrCat(":", vip.port);
      const bool is_variable = absl::StartsWith(vip.ip, "^");
      vips[is_variable ? absl::StrCat("[", vip.ip, "]", port) : absl::StrCat(vip.ip, port)] =
          std::string(value);
    }
  }
  if (vips.empty()) {
    out->Set(sb::LoadBalancer::kVips, row.vips().datum());
  } else {
    out->Set(sb::LoadBalancer::kVips, vips);
  }
}

}  // namespace

std::monostate SyncLoadBalancer(Context& ctx, const Uuid& lb) {
  const auto nb = Row<nb::LoadBalancer>(ctx, lb);
  if (!nb) return {};
  const LbPlaces& places = ctx.Get(kLbPlaces, lb);
  const GroupId switches(places, false);
  const GroupId routers(places, true);
  if (MembersOf(ctx, switches).empty() && MembersOf(ctx, routers).empty()) return {};

  const std::string key = lb.ToString();
  ctx.world().sb_rows.Identity(sb::LoadBalancer::kTable, key, lb);
  OutRow row = OutRow::Of<sb::LoadBalancer>(key);
  row.Set(sb::LoadBalancer::kName, nb.name());
  SetVips(ctx, lb, nb, &row);
  if (const auto protocol = nb.protocol()) {
    row.Set(sb::LoadBalancer::kProtocol, *protocol);
  } else {
    row.SetEmpty(sb::LoadBalancer::kProtocol);
  }
  std::map<std::string, std::string> options;
  for (const auto& [name, value] : nb.options()) options.emplace(name, value);
  options["hairpin_orig_tuple"] = "true";
  row.Set(sb::LoadBalancer::kOptions, options);
  row.SetEmpty(sb::LoadBalancer::kDatapaths);
  // Older controllers know but one column for both.
  const bool own_column = GetGlobals(ctx).features.ls_dpg_column;
  row.SetEmpty(own_column ? sb::LoadBalancer::kDatapathGroup : sb::LoadBalancer::kLsDatapathGroup);
  SetGroup(ctx, lb, switches,
           own_column ? sb::LoadBalancer::kLsDatapathGroup : sb::LoadBalancer::kDatapathGroup,
           &row);
  SetGroup(ctx, lb, routers, sb::LoadBalancer::kLrDatapathGroup, &row);
  ctx.world().sb_rows.Emit(ctx, std::move(row));
  return {};
}
constexpr engine::Kind<Uuid> kSyncLoadBalancer{"sync_load_balancer", &SyncLoadBalancer};

std::monostate SyncLbMonitors(Context& ctx, const LbVipId& id) {
  const LbHealth& health = ctx.Get(kLbHealth, id);
  if (!health.checked || health.backends.empty()) return {};
  const LoadBalancer& lb = ctx.Get(kLoadBalancer, id.first);
  const bool v6 = ctx.Get(kLbVip, id).v6;
  const std::string mac = GetGlobals(ctx).svc_monitor_mac_text();
  std::map<std::string, std::string> options;
  const auto check_row = Row<nb::LoadBalancerHealthCheck>(ctx, health.check);
  for (const auto& [name, value] : check_row.options()) options.emplace(name, value);
  World& world = ctx.world();
  for (const LbCheck& check : health.backends) {
    const auto port_row = FindRow<nb::LogicalSwitchPort>(ctx, nb::LogicalSwitchPort::kName,
                                                         absl::string_view(check.logical_port));
    if (!port_row) continue;
    const SwitchPort& port = ctx.Get(kSwitchPortModel, port_row.uuid());
    if (!port.exists) continue;

    const DatapathNumber n = ctx.Get(kDatapath, port.switch_uuid).number;
    const FlowExtra extra{.hint = id.first};
    if (v6) {
      AddFlow(
          ctx, n, Stage::kLsInArpRsp, 110, absl::StrCat("nd_ns && nd.target == ", check.source_ip),
          absl::StrCat("nd_na { eth.dst = eth.src; eth.src = ", mac,
                       "; ip6.src = ", check.source_ip, "; nd.target = ", check.source_ip,
                       "; nd.tll = ", mac, "; outport = inport; flags.loopback = 1; output; };"),
          extra);
    } else {
      AddFlow(ctx, n, Stage::kLsInArpRsp, 110,
              absl::StrCat("arp.tpa == ", check.source_ip, " && arp.op == 1"),
              absl::StrCat("eth.dst = eth.src; eth.src = ", mac,
                           "; arp.op = 2; /* ARP reply */ arp.tha = arp.sha; arp.sha = ", mac,
                           "; arp.tpa = arp.spa; arp.spa = ", check.source_ip,
                           "; outport = inport; flags.loopback = 1; output;"),
              extra);
    }

    if (!port.enabled) continue;
    int64_t number = 0;
    if (!absl::SimpleAtoi(check.backend.port, &number)) number = 0;
    const std::string key = ServiceMonitorKey(check, lb.protocol);
    OutRow row = OutRow::Of<sb::ServiceMonitor>(key);
    row.Set(sb::ServiceMonitor::kIp, check.backend.ip);
    row.Set(sb::ServiceMonitor::kPort, number);
    row.Set(sb::ServiceMonitor::kProtocol, lb.protocol);
    row.Set(sb::ServiceMonitor::kLogicalPort, check.logical_port);
    row.Set(sb::ServiceMonitor::kSrcIp, check.source_ip);
    row.Set(sb::ServiceMonitor::kSrcMac, mac);
    row.Set(sb::ServiceMonitor::kOptions, options);
    const auto binding = Row<sb::PortBinding>(ctx, port.sb_uuid);
    std::string chassis_name;
    if (binding && binding.chassis()) {
      if (const auto chassis = Row<sb::Chassis>(ctx, *binding.chassis())) {
        chassis_name = std::string(chassis.name());
      }
    }
    row.Set(sb::ServiceMonitor::kChassisName, chassis_name);
    // Of a port that has gone down nobody reports any more.
    const auto monitor =
        Row<sb::ServiceMonitor>(ctx, world.sb_rows.Identity(sb::ServiceMonitor::kTable, key));
    if (monitor && monitor.status() == "online" && !(binding && binding.up().value_or(false))) {
      row.Set(sb::ServiceMonitor::kStatus, "offline");
    }
    world.sb_rows.Emit(ctx, std::move(row));
  }
  return {};
}
constexpr engine::Kind<LbVipId> kSyncLbMonitors{"sync_lb_monitors", &SyncLbMonitors};

std::monostate TranslateLoadBalancer(Context& ctx, const Uuid& lb) {
  const auto row = Row<nb::LoadBalancer>(ctx, lb);
  if (!row) return {};
  ctx.Require(kSyncLoadBalancer, lb);
  ctx.Require(kRouterLb, lb);
  for (const auto& [key, value] : row.vips()) {
    const LbVipId id(lb, std::string(key));
    ctx.Require(kSwitchLbVip, id);
    ctx.Require(kRouterLbVip, id);
    ctx.Require(kLbVipNeighbors, id);
    ctx.Require(kSyncLbMonitors, id);
  }
  return {};
}
constexpr engine::Kind<Uuid> kTranslateLoadBalancer{"translate_load_balancer",
                                                    &TranslateLoadBalancer};

}  // namespace northd
