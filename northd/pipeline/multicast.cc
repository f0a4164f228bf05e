#include "northd/pipeline/multicast.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "northd/model/addresses.h"
#include "northd/model/copp.h"
#include "northd/model/datapaths.h"
#include "northd/model/globals.h"
#include "northd/model/igmp_groups.h"
#include "northd/model/ports.h"
#include "northd/output/flow_table.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"

namespace northd {
namespace {

constexpr int64_t kDefaultTableSize = 2048;

// What snooping on a switch depends on.
struct Snooping {
  bool enabled = false;  // What controllers learn has its flows even if not.
  bool floods_unregistered = false;
  int64_t table_size = 0;      // Groups of an IP version that get a flow.
  bool has_relay = false;      // A router that it leads to relays multicast.
  bool floods_static = false;  // A port is sent all multicast.
  bool operator==(const Snooping& o) const = default;
};

Snooping ComputeSnooping(Context& ctx, const Uuid& uuid) {
  Snooping snooping;
  const auto sw = Row<nb::LogicalSwitch>(ctx, uuid);
  if (!sw) return snooping;
  snooping.enabled = sw.other_config().GetBool("mcast_snoop", false);
  snooping.floods_unregistered = sw.other_config().GetBool("mcast_flood_unregistered", false);
  snooping.table_size =
      std::max<int64_t>(0, sw.other_config().GetInt("mcast_table_size", kDefaultTableSize));
  for (const Uuid& port_uuid : sw.ports()) {
    const auto port = Row<nb::LogicalSwitchPort>(ctx, port_uuid);
    if (!port) continue;
    if (port.enabled().value_or(true)) {
      snooping.floods_static |= port.options().GetBool("mcast_flood", false);
    }
    snooping.has_relay |=
        port.type() == "router" && LeadsToRelay(ctx, ctx.Get(kSwitchPortModel, port_uuid));
  }
  return snooping;
}
constexpr engine::Kind<Uuid, Snooping> kSnooping{"snooping", &ComputeSnooping, /*is_cutoff=*/true};

void AddSnooping(Context& ctx, const Uuid& uuid, DatapathNumber sw, const Snooping& snooping) {
  const std::string meter = CoppMeter(ctx, uuid, "igmp");
  AddFlow(ctx, sw, Stage::kLsInL2Lkup, 100, "igmp", "igmp;", {.meter = meter});
  AddFlow(ctx, sw, Stage::kLsInL2Lkup, 100, "mldv1 || mldv2", "igmp;", {.meter = meter});
  // RFC 4541 2.1.2 and RFC 4291 2.7.1: groups that nobody joins.
  AddFlow(ctx, sw, Stage::kLsInL2Lkup, 85, "ip4.mcast && ip4.dst == 224.0.0.0/24",
          "outport = \"_MC_flood_l2\"; output;");
  AddFlow(ctx, sw, Stage::kLsInL2Lkup, 85, "ip6.mcast_flood", "outport = \"_MC_flood\"; output;");
  if (snooping.floods_unregistered) return;
  std::string actions =
      absl::StrCat(snooping.has_relay ? "clone { outport = \"_MC_mrouter_flood\"; output; }; " : "",
                   snooping.floods_static ? "outport =\"_MC_static\"; output;" : "");
  if (actions.empty()) actions = GetGlobals(ctx).drop_action;
  AddFlow(ctx, sw, Stage::kLsInL2Lkup, 80, "ip4.mcast || ip6.mcast", actions);
}

// ---- Groups ----

bool IsLink(const Ip& ip) {  // Flooded anyway.
  return ip.v6 ? ip == *Ip::Parse("ff02::1") : ip.v4() >> 8 == 0xe00000;
}

using Group = std::pair<Uuid, std::string>;  // Switch and address.

std::monostate AddGroup(Context& ctx, const Group& group) {
  const Datapath& sw = ctx.Get(kDatapath, group.first);
  const std::optional<Ip> ip = Ip::Parse(group.second);
  if (!sw.exists || !ip) return {};
  const Snooping& snooping = ctx.Get(kSnooping, group.first);
  const std::string actions =
      absl::StrCat(snooping.has_relay ? "clone { outport = \"_MC_mrouter_flood\"; output; };" : "",
                   snooping.floods_static ? "clone { outport =\"_MC_static\"; output; };" : "",
                   "outport = \"", group.second, "\"; output; ");
  const absl::string_view protocol = ip->v6 ? "ip6" : "ip4";
  AddFlow(ctx, sw.number, Stage::kLsInL2Lkup, 90,
          absl::StrCat("eth.mcast && ", protocol, " && ", protocol, ".dst == ", group.second, " "),
          actions);
  return {};
}
constexpr engine::Kind<Group> kGroup{"multicast_group_flow", &AddGroup};

}  // namespace

std::monostate AddMulticastOf(Context& ctx, const Uuid& uuid) {
  const auto row = Row<nb::LogicalSwitch>(ctx, uuid);
  const Datapath& sw = ctx.Get(kDatapath, uuid);
  if (!row || !sw.exists) return {};
  const Snooping& snooping = ctx.Get(kSnooping, uuid);
  if (snooping.enabled) AddSnooping(ctx, uuid, sw.number, snooping);
  if (!row.other_config().GetBool("broadcast-arps-to-all-routers", true)) {
    AddFlow(ctx, sw.number, Stage::kLsInL2Lkup, 72, "eth.mcast && (arp.op == 1 || nd_ns)",
            "outport = \"_MC_flood_l2\"; output;");
  }
  return {};
}
constexpr engine::Kind<Uuid> kMulticastOf{"multicast_of", &AddMulticastOf};

std::monostate AddMulticastGroupsOf(Context& ctx, const Uuid& uuid) {
  int64_t left[2];  // By IP version.
  left[0] = left[1] = ctx.Get(kSnooping, uuid).table_size;
  for (const std::string& address : ctx.Get(kSwitchIgmpAddresses, uuid)) {
    const std::optional<Ip> ip = Ip::Parse(address);
    if (!ip || IsLink(*ip) || left[ip->v6 ? 1 : 0]-- <= 0) continue;
    ctx.Require(kGroup, Group(uuid, address));
  }
  return {};
}
constexpr engine::Kind<Uuid> kMulticastGroupsOf{"multicast_groups_of", &AddMulticastGroupsOf};

std::monostate AddRemoteReportsOf(Context& ctx, const Uuid& uuid) {
  const SwitchPort& port = ctx.Get(kSwitchPortModel, uuid);
  if (!port.exists || port.type != SwitchPortType::kRemote) return {};
  const Datapath& sw = ctx.Get(kDatapath, port.switch_uuid);
  if (!sw.exists || !ctx.Get(kSnooping, port.switch_uuid).enabled) return {};
  const auto row = Row<nb::LogicalSwitch>(ctx, port.switch_uuid);
  if (!row || !row.other_config().Contains("interconn-ts")) return {};
  const std::string meter = CoppMeter(ctx, port.switch_uuid, "igmp");
  for (const absl::string_view protocol : {"igmp", "(mldv1 || mldv2)"}) {
    AddFlow(ctx, sw.number, Stage::kLsOutPreLb, 120,
            absl::StrCat("inport == ", port.json_name, " && ", protocol), "clone { igmp; }; next;",
            {.meter = meter});
  }
  return {};
}
constexpr engine::Kind<Uuid> kRemoteReportsOf{"remote_reports_of", &AddRemoteReportsOf};

}  // namespace northd
