#include "northd/pipeline/dhcp.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/strings/str_cat.h"
#include "northd/model/copp.h"
#include "northd/model/switches.h"
#include "northd/output/flow_table.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "server/base/log.h"

namespace northd {
namespace {

base::LogModule log("northd");

using Options = absl::btree_map<std::string, std::string>;  // In the order of actions.

// What DHCP_Options say to all ports that have them.
struct Server {
  std::optional<Network> network;
  std::string missing;  // An option without which there is no service; "" if there is none.
  std::string ip;
  std::string mac;
  bool stateless = false;
  Options options;   // What is left of them for clients,
  std::string text;  // and as actions name it.

  bool operator==(const Server& o) const = default;
};

struct Service {
  std::string addressed;  // What the match says of IP addresses.
  std::string put_options;
  std::string response;
  std::string reply;  // What the match says of a reply that ovn-controller has made.
};

std::string Join(const Options& options) {
  std::string text;
  for (const auto& [name, value] : options) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", name, " = ", value);
  }
  return text;
}

Server ComputeServerV4(Context& ctx, const Uuid& uuid) {
  Server server;
  const auto row = Row<nb::DHCPOptions>(ctx, uuid);
  if (!row) return server;
  server.network = Network::Parse(row.cidr());
  if (!server.network) return server;
  for (const auto& [name, value] : row.options()) server.options.emplace(name, value);
  for (const char* required : {"server_id", "server_mac", "lease_time"}) {
    if (server.options.contains(required)) continue;
    server.missing = required;
    return server;
  }
  server.ip = server.options["server_id"];
  server.mac = server.options["server_mac"];
  server.options.erase("server_mac");
  const std::string mask = server.network->mask().ToString();
  const auto [netmask, is_only] = server.options.try_emplace("netmask", mask);
  // One that the options name comes behind the network's.
  if (!is_only) netmask->second = absl::StrCat(mask, ", netmask = ", netmask->second);
  server.text = Join(server.options);
  return server;
}
constexpr engine::Kind<Uuid, Server> kServerV4{"dhcpv4_server", &ComputeServerV4};

Server ComputeServerV6(Context& ctx, const Uuid& uuid) {
  Server server;
  const auto row = Row<nb::DHCPOptions>(ctx, uuid);
  if (!row) return server;
  server.network = Network::Parse(row.cidr());
  if (!server.network) return server;
  for (const auto& [name, value] : row.options()) server.options.emplace(name, value);
  server.mac = server.options["server_id"];
  const std::optional<Mac> mac = Mac::Parse(server.mac);
  if (!mac) {
    server.missing = "server_id";
    return server;
  }
  server.ip = LinkLocal(*mac).ToString();
  server.stateless = row.options().GetBool("dhcpv6_stateless", false);
  server.options.erase("dhcpv6_stateless");
  server.text = Join(server.options);
  return server;
}
constexpr engine::Kind<Uuid, Server> kServerV6{"dhcpv6_server", &ComputeServerV6};

// Whether a port's address is served: if it is of the network, and the options lack nothing.
bool Serves(const Server& server, const Uuid& uuid, const nb::LogicalSwitchPort& port,
            const Ip& offer) {
  if (!server.network || !server.network->Contains(offer)) return false;
  if (server.missing.empty()) return true;
  static base::RateLimit limit(1, 5);
  log.WarnLimited(limit, "DHCP_Options %s lack a valid option '%s', which port %s needs",
                  uuid.ToString(), server.missing, std::string(port.name()));
  return false;
}

// How a port is served DHCPv4 for one of its addresses.
Service ServeV4(const Server& server, const nb::LogicalSwitchPort& port, const Ip& offer) {
  const std::string ip = offer.ToString();
  const auto hostname = port.options().Get("hostname");
  std::string own_text;
  if (hostname) {
    Options options = server.options;
    options["hostname"] = std::string(*hostname);
    own_text = Join(options);
  }
  return Service{
      .addressed = absl::StrCat("(ip4.src == {", ip, ", 0.0.0.0} && ip4.dst == {", server.ip,
                                ", 255.255.255.255})"),
      .put_options = absl::StrCat("reg0[3] = put_dhcp_opts(offerip = ", ip, ", ",
                                  hostname ? own_text : server.text, "); next;"),
      .response =
          absl::StrCat("eth.dst = eth.src; eth.src = ", server.mac, "; ip4.src = ", server.ip,
                       "; udp.src = 67; udp.dst = 68; outport = inport; "
                       "flags.loopback = 1; output;"),
      .reply = absl::StrCat("eth.src == ", server.mac, " && ip4.src == ", server.ip,
                            " && udp && udp.src == 67 && udp.dst == 68"),
  };
}

// Likewise of DHCPv6.
Service ServeV6(const Server& server, const Ip& offer) {
  return Service{
      .addressed = "ip6.mcast && ip6.dst == ff02::1:2",
      .put_options =
          absl::StrCat("reg0[3] = put_dhcpv6_opts(",
                       server.stateless ? "" : absl::StrCat("ia_addr = ", offer.ToString(), ", "),
                       server.text, "); next;"),
      .response = absl::StrCat("eth.dst = eth.src; eth.src = ", server.mac,
                               "; ip6.dst = ip6.src; ip6.src = ", server.ip,
                               "; udp.src = 547; udp.dst = 546; outport = inport; "
                               "flags.loopback = 1; output;"),
      .reply = absl::StrCat("eth.src == ", server.mac, " && ip6.src == ", server.ip,
                            " && udp && udp.src == 547 && udp.dst == 546"),
  };
}

// The names of the ports that a port's requests come from.
std::vector<std::string> SourcesOf(const SwitchPort& port, const SwitchTraits& sw) {
  if (port.type == SwitchPortType::kExternal) return sw.localnet_ports;
  return {port.name};
}

void AddService(Context& ctx, const SwitchPort& port, const Uuid& options_uuid, bool v6) {
  const Server& server = ctx.Get(v6 ? kServerV6 : kServerV4, options_uuid);
  if (!server.network) return;
  const auto row = Row<nb::LogicalSwitchPort>(ctx, port.uuid);
  const SwitchTraits& sw = ctx.Get(kSwitchTraits, port.switch_uuid);
  if (!sw.exists || sw.relays_dhcp) return;
  const std::string meter = CoppMeter(ctx, port.switch_uuid, v6 ? "dhcpv6-opts" : "dhcpv4-opts");
  const std::string ports =
      v6 ? " && udp.src == 546 && udp.dst == 547" : " && udp.src == 68 && udp.dst == 67";
  const std::string resident = port.type == SwitchPortType::kExternal
                                   ? absl::StrCat(" && is_chassis_resident(", port.json_name, ")")
                                   : "";
  for (const PortAddresses& addresses : port.addresses) {
    std::optional<Service> service;
    for (const Network& network : v6 ? addresses.v6 : addresses.v4) {
      if (!Serves(server, options_uuid, row, network.ip)) continue;
      service = v6 ? ServeV6(server, network.ip) : ServeV4(server, row, network.ip);
      break;
    }
    if (!service) continue;
    for (const std::string& source : SourcesOf(port, sw)) {
      const std::string from = absl::StrCat("inport == ", JsonName(source),
                                            " && eth.src == ", addresses.mac_text(), " && ");
      AddFlow(ctx, sw.number, Stage::kLsInDhcpOptions, 100,
              absl::StrCat(from, service->addressed, ports, resident), service->put_options,
              {.hint = options_uuid, .meter = meter, .port = source});
      AddFlow(ctx, sw.number, Stage::kLsInDhcpResponse, 100,
              v6 ? absl::StrCat(from, service->addressed, ports, resident, " && reg0[3]")
                 : absl::StrCat(from, "ip4", ports, " && reg0[3]", resident),
              service->response, {.hint = options_uuid, .port = source});
    }
    // Whatever ACLs say.
    if (port.type != SwitchPortType::kExternal) {
      AddFlow(ctx, sw.number, Stage::kLsOutAclEval, 34000,
              absl::StrCat("outport == ", port.json_name, " && ", service->reply),
              "reg8[16] = 1; next;", {.hint = options_uuid, .port = port.name});
    }
  }
}

}  // namespace

std::monostate AddDhcp(Context& ctx, const std::monostate&) {
  const DatapathSet& switches = ctx.Get(kSwitchGroups, {}).all;
  AddFlow(ctx, switches, Stage::kLsInDhcpOptions, 0, "1", "next;");
  AddFlow(ctx, switches, Stage::kLsInDhcpResponse, 0, "1", "next;");
  return {};
}
constexpr engine::Kind<std::monostate> kDhcp{"dhcp", &AddDhcp};

std::monostate AddDhcpOf(Context& ctx, const Uuid& uuid) {
  const auto row = Row<nb::LogicalSwitchPort>(ctx, uuid);
  if (!row || (!row.dhcpv4_options() && !row.dhcpv6_options())) return {};
  const SwitchPort& port = ctx.Get(kSwitchPortModel, uuid);
  if (!port.exists || !port.enabled || port.is_router()) return {};
  // A port elsewhere is served by the gateway that it belongs to.
  if (port.type == SwitchPortType::kExternal && !row.ha_chassis_group()) return {};
  if (row.dhcpv4_options()) AddService(ctx, port, *row.dhcpv4_options(), /*v6=*/false);
  if (row.dhcpv6_options()) AddService(ctx, port, *row.dhcpv6_options(), /*v6=*/true);
  return {};
}
constexpr engine::Kind<Uuid> kDhcpOf{"dhcp_of", &AddDhcpOf};

}  // namespace northd
