#include "northd/pipeline/dhcp_relay.h"

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "northd/model/routers.h"
#include "northd/output/flow_table.h"
#include "northd/pipeline/stages.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"

namespace northd {

std::monostate TranslateDhcpRelay(Context& ctx, const Uuid& uuid) {
  const auto row = Row<nb::LogicalRouterPort>(ctx, uuid);
  if (!row || !row.dhcp_relay()) return {};
  const auto relay = Row<nb::DHCPRelay>(ctx, *row.dhcp_relay());
  const RouterPort& port = ctx.Get(kRouterPortModel, uuid);
  if (!relay || !port.exists || port.addresses.v4.empty()) return {};
  const Router& router = RouterOfPort(ctx, port);
  const auto sw = Row<nb::LogicalSwitch>(ctx, SwitchBehind(ctx, port));
  if (!router.exists || !sw || !sw.other_config().Contains("dhcp_relay_port")) return {};
  // The switch's own server, perhaps with a port that does not matter here.
  const absl::string_view servers = relay.servers().value_or("");
  std::optional<Ip> parsed = Ip::Parse(servers);
  if (!parsed) parsed = Ip::Parse(servers.substr(0, servers.find(':')));
  if (!parsed) return {};
  const std::string server = parsed->ToString();
  const std::string own = port.addresses.v4[0].IpText();

  const auto add = [&](Stage stage, int priority, const std::string& match,
                       const std::string& actions) {
    AddFlow(ctx, router.number, stage, priority, match, actions, {.hint = uuid});
  };
  const std::string broadcast = absl::StrCat(
      "inport == ", port.json_name, " && ip4.src == 0.0.0.0 && ip4.dst == 255.255.255.255");
  const std::string from_client = " && udp.src == 68 && udp.dst == 67";
  const std::string request = absl::StrCat(broadcast, from_client);
  add(Stage::kLrInIpInput, 110, absl::StrCat(broadcast, " && ip.frag == 0", from_client),
      absl::StrCat("reg9[7] = dhcp_relay_req_chk(", own, ", ", server,
                   ");next; /* DHCP_RELAY_REQ */"));
  add(Stage::kLrInDhcpRelayReq, 100, absl::StrCat(request, " && reg9[7]"),
      absl::StrCat("ip4.src = ", own, "; ip4.dst = ", server,
                   "; udp.src = 67; next; /* DHCP_RELAY_REQ */"));
  add(Stage::kLrInDhcpRelayReq, 1, absl::StrCat(request, " && reg9[7] == 0"),
      "drop; /* DHCP_RELAY_REQ */");

  const std::string from_server = absl::StrCat("ip4.src == ", server);
  const std::string between_servers = " && udp.src == 67 && udp.dst == 67";
  add(Stage::kLrInIpInput, 110,
      absl::StrCat(from_server, " && ip4.dst == ", own, " && ip.frag == 0", between_servers),
      "next; /* DHCP_RELAY_RESP */");
  add(Stage::kLrInDhcpRelayRespChk, 100,
      absl::StrCat(from_server, " && ip4.dst == ", own, between_servers),
      absl::StrCat("reg2 = ip4.dst; reg9[8] = dhcp_relay_resp_chk(", own, ", ", server,
                   "); next; /* DHCP_RELAY_RESP */"));
  const std::string response = absl::StrCat(from_server, " && reg2 == ", own, between_servers);
  add(Stage::kLrInDhcpRelayResp, 100, absl::StrCat(response, " && reg9[8]"),
      absl::StrCat("ip4.src = ", own, "; udp.dst = 68; outport = ", port.json_name,
                   "; output; /* DHCP_RELAY_RESP */"));
  add(Stage::kLrInDhcpRelayResp, 1, absl::StrCat(response, " && reg9[8] == 0"),
      "drop; /* DHCP_RELAY_RESP */");
  return {};
}
constexpr engine::Kind<Uuid> kDhcpRelay{"dhcp_relay", &TranslateDhcpRelay};

}  // namespace northd
