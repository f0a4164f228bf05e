#include "northd/pipeline/switch_dhcp_relay.h"

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "northd/model/datapaths.h"
#include "northd/model/ports.h"
#include "northd/model/router_attachment.h"
#include "northd/output/flow_table.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"

namespace northd {
namespace {

// How the requests of a switch reach the router that relays them.
struct Relay {
  bool exists = false;
  std::string mac;
  std::string port;  // In quotes.
  bool operator==(const Relay& o) const = default;
};

Relay ComputeRelay(Context& ctx, const Uuid& switch_uuid) {
  const auto sw = Row<nb::LogicalSwitch>(ctx, switch_uuid);
  if (!sw) return {};
  const auto name = sw.other_config().Get("dhcp_relay_port");
  if (!name) return {};
  const auto ports = RowsWith<nb::LogicalSwitchPort>(ctx, nb::LogicalSwitchPort::kName, *name);
  if (ports.empty()) return {};
  const RouterAttachment& attachment = ctx.Get(kRouterAttachment, ports.front());
  if (!attachment.exists) return {};
  const std::optional<Uuid> relay_uuid =
      Row<nb::LogicalRouterPort>(ctx, attachment.router_port).dhcp_relay();
  if (!relay_uuid) return {};
  const auto relay = Row<nb::DHCPRelay>(ctx, *relay_uuid);
  const auto servers = relay ? relay.servers() : std::nullopt;
  if (!servers || !Ip::Parse(*servers)) return {};
  return {.exists = true,
          .mac = attachment.addresses.mac_text(),
          .port = ctx.Get(kSwitchPortModel, ports.front()).json_name};
}
// Of a switch.
constexpr engine::Kind<Uuid, Relay> kRelay{"dhcp_relay", &ComputeRelay};

std::monostate AddRequestsOf(Context& ctx, const Uuid& uuid) {
  const SwitchPort& port = ctx.Get(kSwitchPortModel, uuid);
  if (!port.exists || port.type != SwitchPortType::kVif || port.addresses.empty()) return {};
  const Relay& relay = ctx.Get(kRelay, port.switch_uuid);
  const Datapath& sw = ctx.Get(kDatapath, port.switch_uuid);
  if (!relay.exists || !sw.exists) return {};
  AddFlow(ctx, sw.number, Stage::kLsInL2Lkup, 100,
          absl::StrCat("inport == ", port.json_name,
                       " && eth.src == ", port.addresses.front().mac_text(),
                       " && ip4.src == 0.0.0.0 && ip4.dst == 255.255.255.255"
                       " && udp.src == 68 && udp.dst == 67"),
          absl::StrCat("eth.dst = ", relay.mac, "; outport = ", relay.port,
                       "; next; /* DHCP_RELAY_REQ */"),
          {.hint = uuid, .port = port.name});
  return {};
}
// Of a port.
constexpr engine::Kind<Uuid> kRequestsOf{"dhcp_relay_of_port", &AddRequestsOf};

}  // namespace

std::monostate AddDhcpRelayOf(Context& ctx, const Uuid& uuid) {
  if (!ctx.Get(kRelay, uuid).exists) return {};
  const auto sw = Row<nb::LogicalSwitch>(ctx, uuid);
  for (const Uuid& port : sw.ports()) ctx.Require(kRequestsOf, port);
  return {};
}
constexpr engine::Kind<Uuid> kDhcpRelayOf{"dhcp_relay_of", &AddDhcpRelayOf};

}  // namespace northd
