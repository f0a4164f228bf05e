#include "northd/pipeline/arp_responder.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "northd/model/copp.h"
#include "northd/model/globals.h"
#include "northd/model/router_attachment.h"
#include "northd/model/switches.h"
#include "northd/output/flow_table.h"
#include "northd/pipeline/neighbor_replies.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"

namespace northd {
namespace {

// Narrow: the other settings do not concern ports.
bool IgnoreDownPorts(Context& ctx, const std::monostate&) {
  return GetGlobals(ctx).ignore_lsp_down;
}
constexpr engine::Kind<std::monostate, bool> kIgnoreDownPorts{"ignore_down_ports", &IgnoreDownPorts,
                                                              /*is_cutoff=*/true};

// A virtual port moves to the parent that is seen to use its address.
void AddVirtualPort(Context& ctx, const SwitchPort& port, DatapathNumber sw) {
  const auto row = Row<nb::LogicalSwitchPort>(ctx, port.uuid);
  const std::string virtual_ip(row.options().GetOrEmpty("virtual-ip"));
  const std::optional<Ip> parsed = Ip::Parse(virtual_ip);
  if (!parsed) return;
  const std::string ip = absl::StrCat(virtual_ip);
  for (const absl::string_view parent_name :
       absl::StrSplit(row.options().GetOrEmpty("virtual-parents"), ',', absl::SkipEmpty())) {
    const auto parents =
        RowsWith<nb::LogicalSwitchPort>(ctx, nb::LogicalSwitchPort::kName, parent_name);
    if (parents.empty()) continue;
    const SwitchPort& parent = ctx.Get(kSwitchPortModel, parents.front());
    if (!parent.exists || parent.switch_uuid != port.switch_uuid) continue;
    const std::string uses =
        parsed->v6
            ? absl::StrCat("((nd_ns && ip6.dst == {", ip, ", ", SolicitedNode(*parsed).ToString(),
                           "} && nd.target == ", ip, ") ||(nd_na && nd.target == ", ip, "))")
            : absl::StrCat("((arp.op == 1 && arp.spa == ", ip, " && arp.tpa == ", ip,
                           ") || (arp.op == 2 && arp.spa == ", ip, "))");
    AddFlow(ctx, sw, Stage::kLsInArpRsp, 100,
            absl::StrCat("inport == ", parent.json_name, " && ", uses),
            absl::StrCat("bind_vport(", port.json_name, ", inport); next;"),
            {.hint = parent.uuid, .port = parent.name});
  }
}

// Answers for one address of a port, but not to the port itself: that only wants to know whether
// somebody else has the address.
void AddReplies(Context& ctx, const SwitchPort& port, DatapathNumber sw, absl::string_view mac,
                const Ip& ip) {
  const std::string text = ip.ToString();
  const std::string match =
      ip.v6 ? absl::StrCat("nd_ns_mcast && ip6.dst == ", SolicitedNode(ip).ToString(),
                           " && nd.target == ", text)
            : absl::StrCat("arp.tpa == ", text, " && arp.op == 1 && eth.dst == ff:ff:ff:ff:ff:ff");
  // Controllers make advertisements, but not ARP replies.
  const std::string meter = ip.v6 ? CoppMeter(ctx, port.switch_uuid, "nd-na") : "";
  AddFlow(ctx, sw, Stage::kLsInArpRsp, 50, match,
          ip.v6 ? NeighborAdvertisement(mac, text, port.is_router()) : ArpReply(mac, text),
          {.hint = port.uuid, .meter = meter});
  AddFlow(ctx, sw, Stage::kLsInArpRsp, 100, absl::StrCat(match, " && inport == ", port.json_name),
          "next;", {.hint = port.uuid, .port = port.name});
}

bool IsSilent(Context& ctx, const SwitchPort& port) {
  if (port.type == SwitchPortType::kExternal || port.has_unknown) return true;
  const auto row = Row<nb::LogicalSwitchPort>(ctx, port.uuid);
  if (!port.is_router() && port.type != SwitchPortType::kLocalport && !row.up().value_or(true) &&
      !ctx.Get(kIgnoreDownPorts, {})) {
    return true;
  }
  return port.type == SwitchPortType::kVif && row.options().GetBool("disable_arp_nd_rsp", false);
}

}  // namespace

std::monostate AddArpResponder(Context& ctx, const std::monostate&) {
  AddFlow(ctx, ctx.Get(kSwitchGroups, {}).all, Stage::kLsInArpRsp, 0, "1", "next;");
  return {};
}
constexpr engine::Kind<std::monostate> kArpResponder{"arp_responder", &AddArpResponder};

std::monostate AddArpResponderOf(Context& ctx, const Uuid& uuid) {
  const SwitchPort& port = ctx.Get(kSwitchPortModel, uuid);
  if (!port.exists) return {};
  const SwitchTraits& sw = ctx.Get(kSwitchTraits, port.switch_uuid);
  if (!sw.exists) return {};
  if (port.is_localnet() && !sw.has_arp_proxy) {
    AddFlow(ctx, sw.number, Stage::kLsInArpRsp, 100, absl::StrCat("inport == ", port.json_name),
            "next;", {.hint = uuid, .port = port.name});
  }
  if (port.type == SwitchPortType::kVirtual) {
    AddVirtualPort(ctx, port, sw.number);
    return {};
  }
  if (sw.vlan_passthru || IsSilent(ctx, port)) return {};
  for (const PortAddresses& addresses : AddressesOf(ctx, port)) {
    const std::string mac = addresses.mac_text();
    for (const Network& network : addresses.v4) AddReplies(ctx, port, sw.number, mac, network.ip);
    for (const Network& network : addresses.v6) AddReplies(ctx, port, sw.number, mac, network.ip);
  }
  return {};
}
constexpr engine::Kind<Uuid> kArpResponderOf{"arp_responder_of", &AddArpResponderOf};

}  // namespace northd
