#include "northd/pipeline/port_security.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "northd/model/globals.h"
#include "northd/model/queues.h"
#include "northd/model/router_attachment.h"
#include "northd/model/switches.h"
#include "northd/output/flow_table.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"

namespace northd {
namespace {

// An ICMP error 'packet too big' that came back through a tunnel.
constexpr absl::string_view kTooBig =
    "((ip4 && icmp4.type == 3 && icmp4.code == 4) || (ip6 && icmp6.type == 2 && icmp6.code == 0))";

// Such an error, made for what a port has sent, goes back to where that came from.
void AddTooBig(Context& ctx, const SwitchPort& port, DatapathNumber sw) {
  if (!port.is_router()) {
    for (const PortAddresses& addresses : port.addresses) {
      AddFlow(ctx, sw, Stage::kLsInCheckPortSec, 110,
              absl::StrCat(kTooBig, " && eth.src == ", addresses.mac_text(),
                           " && outport == ", port.json_name, " && !is_chassis_resident(",
                           port.json_name, ") && flags.tunnel_rx == 1"),
              "outport <-> inport; next;");
    }
    return;
  }
  const RouterAttachment& attachment = ctx.Get(kRouterAttachment, port.uuid);
  if (!attachment.exists) return;
  // As the row spells it.
  const absl::string_view mac = Row<nb::LogicalRouterPort>(ctx, attachment.router_port).mac();
  if (attachment.of_gateway_router) {
    AddFlow(ctx, sw, Stage::kLsInCheckPortSec, 120,
            absl::StrCat(kTooBig, " && eth.src == ", mac, " && outport == ", port.json_name,
                         " && flags.tunnel_rx == 1"),
            "outport <-> inport; next;");
  } else {
    AddFlow(ctx, sw, Stage::kLsInCheckPortSec, 120,
            absl::StrCat(kTooBig, " && eth.dst == ", mac, " && flags.tunnel_rx == 1"),
            absl::StrCat("outport <-> inport; next(pipeline=ingress,table=",
                         InfoOf(Stage::kLsInL2Lkup).table, ");"));
  }
}

// A port whose packets are put in a queue, which shapes what leaves by the localnet port.
void AddQueue(Context& ctx, const SwitchPort& port, DatapathNumber sw, const std::string& set_queue,
              const std::string& from_port) {
  AddFlow(ctx, sw, Stage::kLsInCheckPortSec, 70, from_port,
          absl::StrCat(set_queue, "reg0[15] = check_in_port_sec(); next;"),
          {.hint = port.uuid, .port = port.name});
  const std::string output = absl::StrCat(set_queue, "output;");
  if (port.is_localnet()) {
    AddFlow(ctx, sw, Stage::kLsOutApplyPortSec, 100, absl::StrCat("outport == ", port.json_name),
            output, {.hint = port.uuid, .port = port.name});
    return;
  }
  const std::vector<Uuid>& localnet = ctx.Get(kSwitchPorts, port.switch_uuid).localnet;
  if (localnet.empty()) return;
  const SwitchPort& outer = ctx.Get(kSwitchPortModel, localnet.front());
  if (!outer.exists) return;
  AddFlow(ctx, sw, Stage::kLsOutApplyPortSec, 110,
          absl::StrCat("outport == ", outer.json_name, " && ", from_port), output,
          {.hint = outer.uuid, .port = outer.name});
}

}  // namespace

std::monostate AddPortSecurity(Context& ctx, const std::monostate&) {
  const SwitchGroups& switches = ctx.Get(kSwitchGroups, {});
  const std::string& drop = GetGlobals(ctx).drop_action;

  const Stage check = Stage::kLsInCheckPortSec;
  AddFlow(ctx, switches.all, check, 105, absl::StrCat(kTooBig, " && flags.tunnel_rx == 1"), drop,
          {.description = "ICMP: packet too big"});
  AddFlow(ctx, switches.vlan_blocked, check, 100, "vlan.present", drop,
          {.description = "VLANs blocked due to vlan-passthru option"});
  AddFlow(ctx, switches.all, check, 100, "eth.src[40]", drop,
          {.description = "Incoming Broadcast/multicast source address is invalid"});
  AddFlow(ctx, switches.all, check, 50, "1", "reg0[15] = check_in_port_sec(); next;");

  AddFlow(ctx, switches.all, Stage::kLsInApplyPortSec, 50, "reg0[15] == 1", drop,
          {.description = "Broadcast/multicast port security invalid"});
  AddFlow(ctx, switches.all, Stage::kLsInApplyPortSec, 0, "1", "next;");

  AddFlow(ctx, switches.all, Stage::kLsOutCheckPortSec, 100, "eth.mcast", "reg0[15] = 0; next;");
  AddFlow(ctx, switches.all, Stage::kLsOutCheckPortSec, 0, "1",
          "reg0[15] = check_out_port_sec(); next;");
  AddFlow(ctx, switches.all, Stage::kLsOutApplyPortSec, 50, "reg0[15] == 1", drop,
          {.description = "Packet does not follow port security rules"});
  AddFlow(ctx, switches.all, Stage::kLsOutApplyPortSec, 0, "1", "output;");
  return {};
}
constexpr engine::Kind<std::monostate> kPortSecurity{"port_security", &AddPortSecurity};

std::monostate AddPortSecurityOf(Context& ctx, const Uuid& uuid) {
  const SwitchPort& port = ctx.Get(kSwitchPortModel, uuid);
  if (!port.exists) return {};
  const Datapath& sw = ctx.Get(kDatapath, port.switch_uuid);
  if (!sw.exists) return {};
  AddTooBig(ctx, port, sw.number);
  if (port.type == SwitchPortType::kExternal) return {};
  const FlowExtra extra = {.hint = uuid, .port = port.name};
  const std::string from_port = absl::StrCat("inport == ", port.json_name);
  const std::optional<std::string> queue = QueueTextOf(ctx, port);
  const std::string set_queue = queue ? absl::StrCat("set_queue(", *queue, "); ") : "";
  if (!port.enabled) {
    AddFlow(ctx, sw.number, Stage::kLsInCheckPortSec, 100, from_port, "reg0[15] = 1; next;", extra);
    const std::string& redirect = ctx.Get(kRouterAttachment, uuid).redirect_port;
    if (!redirect.empty()) {
      AddFlow(ctx, sw.number, Stage::kLsInCheckPortSec, 100, absl::StrCat("inport == ", redirect),
              "reg0[15] = 1; next;", {.hint = uuid, .port = absl::StrCat("cr-", port.name)});
    }
  } else if (port.type == SwitchPortType::kVtep) {
    // From a hardware VTEP: no service but switching.
    AddFlow(ctx, sw.number, Stage::kLsInCheckPortSec, 70, from_port,
            absl::StrCat(set_queue, "reg0[14] = 1; next(pipeline=ingress, table=",
                         InfoOf(Stage::kLsInHairpin).table, ");"),
            extra);
  } else if (queue) {
    AddQueue(ctx, port, sw.number, set_queue, from_port);
  } else if (port.is_router()) {
    AddFlow(ctx, sw.number, Stage::kLsInCheckPortSec, 70, from_port, "reg0[18] = 1; next;", extra);
    const std::string& redirect = ctx.Get(kRouterAttachment, uuid).redirect_port;
    if (!redirect.empty()) {
      AddFlow(ctx, sw.number, Stage::kLsInCheckPortSec, 70, absl::StrCat("inport == ", redirect),
              "reg0[18] = 1; next;", {.hint = uuid, .port = absl::StrCat("cr-", port.name)});
    }
  }
  return {};
}
constexpr engine::Kind<Uuid> kPortSecurityOf{"port_security_of", &AddPortSecurityOf};

}  // namespace northd
