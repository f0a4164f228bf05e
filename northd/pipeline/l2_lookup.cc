#include "northd/pipeline/l2_lookup.h"

#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "northd/model/copp.h"
#include "northd/model/datapaths.h"
#include "northd/model/globals.h"
#include "northd/model/ipam.h"
#include "northd/model/router_attachment.h"
#include "northd/model/switches.h"
#include "northd/output/flow_table.h"
#include "northd/pipeline/arp_proxy.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"

namespace northd {
namespace {

// Narrow: the other settings do not concern ports.
std::string DropAction(Context& ctx, const std::monostate&) { return GetGlobals(ctx).drop_action; }
constexpr engine::Kind<std::monostate, std::string> kDropAction{"drop_action", &DropAction,
                                                                /*is_cutoff=*/true};

// The MAC address that one of a port's `addresses` begins with, or, if that is dynamic, which the
// port was given.
std::optional<Mac> MacOf(const nb::LogicalSwitchPort& row, absl::string_view text) {
  absl::string_view rest;
  if (!DynamicRequest::Parse(text)) return Mac::ParseStart(text, &rest);
  const auto dynamic = row.dynamic_addresses();
  return dynamic ? Mac::ParseStart(*dynamic, &rest) : std::nullopt;
}

// A port that leads to a router has that one's MAC address, and perhaps a proxy's, whatever its own
// `addresses` say; on some chassis only, perhaps.
void AddRouterMac(Context& ctx, const SwitchPort& port, const RouterAttachment& attachment,
                  DatapathNumber sw, absl::string_view action) {
  const FlowExtra extra = {.hint = port.uuid};
  const Mac& mac = attachment.addresses.mac;
  const std::optional<PortAddresses> proxy = ArpProxyOf(ctx, port, attachment);
  const std::string match =
      proxy && proxy->mac != mac
          ? absl::StrCat("eth.dst == { ", proxy->mac.ToString(), ", ", mac.ToString(), " }")
          : absl::StrCat("eth.dst == ", mac.ToString());
  if (!attachment.redirect_port.empty()) {
    const std::string resident =
        absl::StrCat("is_chassis_resident(", attachment.redirect_port, ")");
    AddFlow(ctx, sw, Stage::kLsInL2Lkup, 50, absl::StrCat(match, " && ", resident), action, extra);
    AddFlow(ctx, sw, Stage::kLsInL2Lkup, 50, absl::StrCat(match, " && !", resident),
            port.enabled ? absl::StrCat("outport = ", attachment.redirect_port, "; output;")
                         : std::string(action),
            extra);
  } else if (!attachment.resident_with.empty()) {
    AddFlow(ctx, sw, Stage::kLsInL2Lkup, 50,
            absl::StrCat(match, " && is_chassis_resident(", attachment.resident_with, ")"), action,
            extra);
  } else {
    AddFlow(ctx, sw, Stage::kLsInL2Lkup, 50, match, action, extra);
  }
}

}  // namespace

std::monostate AddL2Lookup(Context& ctx, const std::monostate&) {
  const SwitchGroups& switches = ctx.Get(kSwitchGroups, {});
  AddFlow(ctx, switches.all, Stage::kLsInL2Lkup, 70, "eth.mcast",
          "outport = \"_MC_flood\"; output;");
  AddFlow(ctx, switches.all, Stage::kLsInL2Lkup, 0, "1", "outport = get_fdb(eth.dst); next;");
  AddFlow(ctx, switches.with_unknown, Stage::kLsInL2Unknown, 50, "outport == \"none\"",
          "outport = \"_MC_unknown\"; output;");
  AddFlow(ctx, switches.without_unknown, Stage::kLsInL2Unknown, 50, "outport == \"none\"",
          GetGlobals(ctx).drop_action, {.description = "No L2 destination"});
  AddFlow(ctx, switches.all, Stage::kLsInL2Unknown, 0, "1", "output;");
  return {};
}
constexpr engine::Kind<std::monostate> kL2Lookup{"l2_lookup", &AddL2Lookup};

std::monostate AddServiceChecksOf(Context& ctx, const Uuid& uuid) {
  const Datapath& sw = ctx.Get(kDatapath, uuid);
  if (!sw.exists) return {};
  AddFlow(ctx, sw.number, Stage::kLsInL2Lkup, 110,
          "eth.dst == $svc_monitor_mac && (tcp || icmp || icmp6)", "handle_svc_check(inport);",
          {.meter = CoppMeter(ctx, uuid, "svc-monitor")});
  return {};
}
constexpr engine::Kind<Uuid> kServiceChecksOf{"service_checks_of", &AddServiceChecksOf};

std::monostate AddL2LookupOf(Context& ctx, const Uuid& uuid) {
  const SwitchPort& port = ctx.Get(kSwitchPortModel, uuid);
  if (!port.exists || port.type == SwitchPortType::kExternal) return {};
  const Datapath& sw = ctx.Get(kDatapath, port.switch_uuid);
  if (!sw.exists) return {};
  if (!port.enabled) {
    AddFlow(ctx, sw.number, Stage::kLsInL2Unknown, 50, absl::StrCat("outport == ", port.json_name),
            ctx.Get(kDropAction, {}), {.hint = uuid, .port = port.name});
    const std::string& redirect = ctx.Get(kRouterAttachment, uuid).redirect_port;
    if (!redirect.empty()) {
      AddFlow(ctx, sw.number, Stage::kLsInL2Unknown, 50, absl::StrCat("outport == ", redirect),
              ctx.Get(kDropAction, {}), {.hint = uuid, .port = absl::StrCat("cr-", port.name)});
    }
  }

  const auto row = Row<nb::LogicalSwitchPort>(ctx, uuid);
  const StringMap options = row.options();
  const bool is_vif = port.type == SwitchPortType::kVif;
  if (is_vif && port.has_unknown && options.GetBool("force_fdb_lookup", false)) return {};
  const bool clone = is_vif &&
                     absl::EqualsIgnoreCase(options.GetOrEmpty("pkt_clone_type"), "mc_unknown") &&
                     ctx.Get(kSwitchTraits, port.switch_uuid).has_unknown;
  const std::string action =
      port.enabled
          ? absl::StrCat(clone ? "clone {outport = " : "outport = ", port.json_name,
                         clone ? "; output; };outport = \"_MC_unknown\"; output;" : "; output;")
          : ctx.Get(kDropAction, {});
  if (port.is_router()) {
    const RouterAttachment& attachment = ctx.Get(kRouterAttachment, uuid);
    if (attachment.exists) {
      AddRouterMac(ctx, port, attachment, sw.number, action);
      return {};
    }
  }
  for (const absl::string_view text : row.addresses()) {
    if (const auto mac = MacOf(row, text)) {
      AddFlow(ctx, sw.number, Stage::kLsInL2Lkup, 50, absl::StrCat("eth.dst == ", mac->ToString()),
              action, {.hint = uuid});
    }
  }
  return {};
}
constexpr engine::Kind<Uuid> kL2LookupOf{"l2_lookup_of", &AddL2LookupOf};

}  // namespace northd
