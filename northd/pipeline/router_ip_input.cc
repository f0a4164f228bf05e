#include "northd/pipeline/router_ip_input.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "northd/model/copp.h"
#include "northd/model/globals.h"
#include "northd/model/routers.h"
#include "northd/model/shared_addresses.h"
#include "northd/output/flow_table.h"
#include "northd/pipeline/match.h"
#include "northd/pipeline/stages.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"

namespace northd {
namespace {

constexpr Stage kStage = Stage::kLrInIpInput;

class IpInput {
 public:
  IpInput(Context* ctx, const RouterPort& port, const Router& router)
      : ctx_(*ctx),
        port_(port),
        router_(router),
        drop_(GetGlobals(*ctx).drop_action),
        is_gateway_port_(IsGatewayPort(*ctx, port)) {}

  // Nobody else may use the port's addresses, or its networks' broadcast addresses, as a source.
  void AddSourceCheck() {
    if (port_.addresses.v4.empty()) return;
    std::vector<std::string> sources;
    for (const Network& network : port_.addresses.v4) {
      sources.push_back(network.IpText());
      sources.push_back(network.broadcast().ToString());
    }
    Add(100, absl::StrCat("ip4.src == ", AnyOf(sources), " && reg9[0] == 0"), drop_);
  }

  void AddEchoReplies() {
    if (!port_.addresses.v4.empty()) {
      Add(90,
          absl::StrCat("ip4.dst == ", AnyOf(IpTexts(port_.addresses.v4)),
                       " && icmp4.type == 8 && icmp4.code == 0"),
          "ip4.dst <-> ip4.src; ip.ttl = 255; icmp4.type = 0; flags.loopback = 1; next; ");
    }
    if (!port_.addresses.v6.empty()) {
      Add(90,
          absl::StrCat("ip6.dst == ", AnyOf(IpTexts(port_.addresses.v6)),
                       " && icmp6.type == 128 && icmp6.code == 0"),
          "ip6.dst <-> ip6.src; ip.ttl = 255; icmp6.type = 129; flags.loopback = 1; next; ");
    }
  }

  void AddArpReplies() {
    const std::string resident = ArpResidence();
    for (const Network& network : port_.addresses.v4) {
      Add(90,
          absl::StrCat("inport == ", name(), " && arp.op == 1 && arp.tpa == ", network.IpText(),
                       " && arp.spa == ", network.network().ToString(), "/", network.prefix,
                       resident),
          "eth.dst = eth.src; eth.src = xreg0[0..47]; arp.op = 2; /* ARP reply */ "
          "arp.tha = arp.sha; arp.sha = xreg0[0..47]; arp.tpa <-> arp.spa; outport = inport; "
          "flags.loopback = 1; output;");
    }
  }

  void AddNeighborAdvertisements() {
    const std::string resident =
        is_gateway_port_ ? absl::StrCat(" && is_chassis_resident(", RedirectName(ctx_, port_), ")")
                         : "";
    for (const Network& network : port_.addresses.v6) {
      const std::string ip = network.IpText();
      Add(90,
          absl::StrCat("inport == ", name(), " && ip6.dst == {", ip, ", ",
                       SolicitedNode(network.ip).ToString(), "} && nd_ns && nd.target == ", ip,
                       resident),
          "nd_na_router { eth.src = xreg0[0..47]; ip6.src = nd.target; nd.tll = xreg0[0..47]; "
          "outport = inport; flags.loopback = 1; output; };",
          "nd-na");
    }
  }

  // Ports and protocols that nobody serves. Gateways take such traffic for NAT and load balancing.
  void AddUnreachable() {
    if (router_.is_gateway || router_.is_distributed_gateway()) return;
    for (const Network& network : port_.addresses.v4) AddUnreachable(network, "4", "3", "3", "2");
    for (const Network& network : port_.addresses.v6) AddUnreachable(network, "6", "1", "4", "3");
  }

  void AddTimeExceeded() {
    for (const Network& network : port_.addresses.v4) {
      Add(31, absl::StrCat("inport == ", name(), " && ip4 && ip.ttl == {0, 1} && !ip.later_frag"),
          absl::StrCat("icmp4 {eth.dst <-> eth.src; icmp4.type = 11; /* Time exceeded */ "
                       "icmp4.code = 0; /* TTL exceeded in transit */ ",
                       Return("4", network), " ; ip.ttl = 254; outport = ", name(),
                       "; flags.loopback = 1; output; };"),
          "icmp4-error");
    }
    for (const Network& network : port_.addresses.v6) {
      if (network.ip.is_link_local()) continue;
      Add(31,
          absl::StrCat("inport == ", name(), " && ip6 && ip6.src == ", network.network().ToString(),
                       "/", network.prefix, " && ip.ttl == {0, 1} && !ip.later_frag"),
          absl::StrCat("icmp6 {eth.dst <-> eth.src; ", Return("6", network),
                       " ; ip.ttl = 254; icmp6.type = 3; /* Time exceeded */ "
                       "icmp6.code = 0; /* TTL exceeded in transit */ outport = ",
                       name(), "; flags.loopback = 1; output; };"),
          "icmp6-error");
    }
  }

  // Answers to the client of a delegated IPv6 prefix that the port is.
  void AddPrefixDelegation() {
    const auto row = Row<nb::LogicalRouterPort>(ctx_, port_.uuid);
    if (!row.options().GetBool("prefix_delegation", false)) return;
    for (const Network& network : port_.addresses.v6) {
      AddFlow(ctx_, router_.number, kStage, 100,
              absl::StrCat("ip6.dst == ", network.IpText(), " && udp.src == 547 && udp.dst == 546"),
              "reg0 = 0; handle_dhcpv6_reply;");
    }
  }

 private:
  const std::string& name() const { return port_.json_name; }

  void Add(int priority, absl::string_view match, absl::string_view actions,
           absl::string_view protocol = {},
           const std::source_location& where = std::source_location::current()) {
    const std::string meter = protocol.empty() ? "" : CoppMeter(ctx_, router_.uuid, protocol);
    AddFlow(ctx_, router_.number, kStage, priority, match, actions,
            {.hint = port_.uuid, .meter = meter}, where);
  }

  // Where several chassis see a request through a localnet port, one answers.
  std::string ArpResidence() {
    if (!router_.is_distributed_gateway() || SwitchPortsBehind(ctx_, port_).localnet.empty()) {
      return "";
    }
    bool centralized = is_gateway_port_;
    if (!centralized && router_.gateway_ports.size() == 1) {
      centralized = Row<nb::LogicalRouterPort>(ctx_, port_.uuid)
                        .options()
                        .GetBool("reside-on-redirect-chassis", false);
    }
    if (!centralized) return "";
    const RouterPort& gateway =
        is_gateway_port_ ? port_ : ctx_.Get(kRouterPortModel, router_.gateway_ports[0]);
    return absl::StrCat(" && is_chassis_resident(", RedirectName(ctx_, gateway), ")");
  }

  void AddUnreachable(const Network& network, absl::string_view v, absl::string_view type,
                      absl::string_view port_code, absl::string_view protocol_code) {
    const std::string match =
        absl::StrCat("ip", v, " && ip", v, ".dst == ", network.IpText(), " && !ip.later_frag");
    const std::string back =
        absl::StrCat(" {eth.dst <-> eth.src; ip", v, ".dst <-> ip", v, ".src; ");
    const auto icmp = [&](absl::string_view code) {
      return absl::StrCat("icmp", v, back, "ip.ttl = 255; icmp", v, ".type = ", type, "; icmp", v,
                          ".code = ", code, "; next; };");
    };
    const std::string error = absl::StrCat("icmp", v, "-error");
    Add(80, absl::StrCat(match, " && udp"), icmp(port_code), error);
    Add(80, absl::StrCat(match, " && tcp"), absl::StrCat("tcp_reset", back, "next; };"),
        "tcp-reset");
    Add(80, absl::StrCat(match, " && sctp"), absl::StrCat("sctp_abort", back, "next; };"),
        "tcp-reset");
    Add(70, match, icmp(protocol_code), error);
  }

  // Back to the sender. A distributed gateway port answers as whom the packet was sent to.
  std::string Return(absl::string_view v, const Network& network) const {
    if (is_gateway_port_) return absl::StrCat("ip", v, ".dst <-> ip", v, ".src");
    return absl::StrCat("ip", v, ".dst = ip", v, ".src; ip", v, ".src = ", network.IpText());
  }

  Context& ctx_;
  const RouterPort& port_;
  const Router& router_;
  const std::string& drop_;
  const bool is_gateway_port_;
};

}  // namespace

// Dropped at the beginning, unless packets are translated to whatever address the port has; those
// that SNAT uses only when no reply was found for them.
std::monostate TranslateOwnDestinations(Context& ctx, const Uuid& uuid) {
  const RouterPort& port = ctx.Get(kRouterPortModel, uuid);
  if (!port.exists) return {};
  const Router& router = RouterOfPort(ctx, port);
  if (!router.exists) return {};
  const auto add = [&](const std::vector<Network>& networks, absl::string_view field) {
    std::vector<std::string> plain;
    std::vector<std::string> shared;  // With load balancers or SNAT rules, which come first.
    for (const Network& network : networks) {
      const bool is_shared =
          IsLbVip(ctx, router.uuid, network.ip) || IsSnatIp(ctx, router.uuid, network.ip);
      (is_shared ? shared : plain).push_back(network.IpText());
    }
    const std::string& drop = GetGlobals(ctx).drop_action;
    if (!plain.empty() && !IsForcedToRouterIp(ctx, router.uuid)) {
      AddFlow(ctx, router.number, kStage, 60, absl::StrCat(field, SetOf(plain)), drop,
              {.hint = uuid});
    }
    if (!shared.empty()) {
      AddFlow(ctx, router.number, Stage::kLrInArpResolve, 2, absl::StrCat(field, SetOf(shared)),
              drop, {.hint = uuid});
    }
  };
  add(port.addresses.v4, "ip4.dst == ");
  add(port.addresses.v6, "ip6.dst == ");
  return {};
}
constexpr engine::Kind<Uuid> kOwnDestinations{"own_destinations", &TranslateOwnDestinations};

std::monostate TranslateRouterPortIpInput(Context& ctx, const Uuid& uuid) {
  const RouterPort& port = ctx.Get(kRouterPortModel, uuid);
  if (!port.exists) return {};
  const Router& router = RouterOfPort(ctx, port);
  if (!router.exists) return {};
  IpInput input(&ctx, port, router);
  input.AddSourceCheck();
  input.AddEchoReplies();
  input.AddArpReplies();
  input.AddNeighborAdvertisements();
  input.AddUnreachable();
  ctx.Require(kOwnDestinations, uuid);
  input.AddTimeExceeded();
  input.AddPrefixDelegation();
  return {};
}
constexpr engine::Kind<Uuid> kRouterPortIpInput{"router_port_ip_input",
                                                &TranslateRouterPortIpInput};

}  // namespace northd
