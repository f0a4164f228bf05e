#include "northd/pipeline/external_ports.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "northd/model/globals.h"
#include "northd/model/router_attachment.h"
#include "northd/model/switches.h"
#include "northd/output/flow_table.h"

namespace northd {
namespace {

// What a chassis drops that comes from a port which another one serves: it is for that chassis to
// answer for the router, and to route.
void AddDrops(Context& ctx, const SwitchPort& port, const SwitchTraits& sw,
              const std::string& localnet) {
  const std::string& drop = GetGlobals(ctx).drop_action;
  const std::string absent = absl::StrCat("!is_chassis_resident(", port.json_name, ")");
  const auto add = [&](absl::string_view match, absl::string_view why) {
    AddFlow(ctx, sw.number, Stage::kLsInExternalPort, 100, match, drop,
            {.hint = port.uuid, .port = localnet, .description = why});
  };
  for (const PortAddresses& own : port.addresses) {
    const std::string from =
        absl::StrCat("inport == ", JsonName(localnet), " && eth.src == ", own.mac_text(), " && ");
    for (const Uuid& router_port : sw.router_ports) {
      for (const PortAddresses& router : AddressesOf(ctx, ctx.Get(kSwitchPortModel, router_port))) {
        for (const Network& network : router.v4) {
          add(absl::StrCat(from, absent, " && arp.tpa == ", network.IpText(), " && arp.op == 1"),
              "Drop ARP for unknown router ports");
        }
        for (const Network& network : router.v6) {
          const std::string ip = network.IpText();
          add(absl::StrCat(from, absent, " && nd_ns && ip6.dst == {", ip, ", ",
                           SolicitedNode(network.ip).ToString(), "} && nd.target == ", ip),
              "Drop ND for unbound router ports");
        }
        add(absl::StrCat(from, "eth.dst == ", router.mac_text(), " && ", absent),
            "Packet does not come from a chassis resident");
      }
    }
  }
}

}  // namespace

std::monostate AddExternalPorts(Context& ctx, const std::monostate&) {
  AddFlow(ctx, ctx.Get(kSwitchGroups, {}).all, Stage::kLsInExternalPort, 0, "1", "next;");
  return {};
}
constexpr engine::Kind<std::monostate> kExternalPorts{"external_ports", &AddExternalPorts};

std::monostate AddExternalPort(Context& ctx, const Uuid& uuid) {
  const SwitchPort& port = ctx.Get(kSwitchPortModel, uuid);
  if (!port.exists || port.type != SwitchPortType::kExternal) return {};
  const SwitchTraits& sw = ctx.Get(kSwitchTraits, port.switch_uuid);
  if (!sw.exists) return {};
  for (const std::string& localnet : sw.localnet_ports) AddDrops(ctx, port, sw, localnet);
  return {};
}
constexpr engine::Kind<Uuid> kExternalPort{"external_port", &AddExternalPort};

}  // namespace northd
