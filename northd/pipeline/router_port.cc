#include "northd/pipeline/router_port.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "northd/model/router_attachment.h"
#include "northd/model/routers.h"
#include "northd/output/flow_table.h"
#include "northd/pipeline/dhcp_relay.h"
#include "northd/pipeline/router_advertisements.h"
#include "northd/pipeline/router_bfd.h"
#include "northd/pipeline/router_ip_input.h"
#include "northd/pipeline/router_mtu.h"
#include "northd/pipeline/router_neighbors.h"
#include "northd/pipeline/stages.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"

namespace northd {
namespace {

class PortFlows {
 public:
  PortFlows(Context* ctx, const RouterPort& port, const Router& router)
      : ctx_(*ctx),
        port_(port),
        router_(router),
        is_gateway_port_(IsGatewayPort(*ctx, port)),
        has_vtep_(!SwitchPortsBehind(*ctx, port).vtep.empty()),
        resident_(is_gateway_port_
                      ? absl::StrCat(" && is_chassis_resident(", RedirectName(*ctx, port), ")")
                      : "") {}

  void AddAdmission() {
    const bool centralized = is_gateway_port_ && !has_vtep_;
    const std::string store = absl::StrCat("xreg0[0..47] = ", mac(), "; next;");
    AddMeasured(Stage::kLrInAdmission, absl::StrCat("eth.mcast && inport == ", name()), store);
    AddMeasured(Stage::kLrInAdmission,
                absl::StrCat("eth.dst == ", OwnMacs(), " && inport == ", name(),
                             centralized ? resident_ : ""),
                store);
  }

  // Errors about packets that were too large for a tunnel come from elsewhere than the gateway.
  void AddTunnelErrors() {
    if (!is_gateway_port_) return;
    // As the row spells it.
    const absl::string_view mac = Row<nb::LogicalRouterPort>(ctx_, port_.uuid).mac();
    Add(Stage::kLrInAdmission, 120,
        absl::StrCat("((ip4 && icmp4.type == 3 && icmp4.code == 4) || "
                     "(ip6 && icmp6.type == 2 && icmp6.code == 0)) && eth.dst == ",
                     mac, " && !is_chassis_resident(", RedirectName(ctx_, port_),
                     ") && flags.tunnel_rx == 1"),
        absl::StrCat("outport <-> inport; inport = ", name(), "; next;"), /*hint=*/false);
  }

  void AddNeighborLookup() {
    for (const Network& network : port_.addresses.v4) {
      const std::string sender =
          absl::StrCat("inport == ", name(), " && arp.spa == ", network.network().ToString(), "/",
                       network.prefix);
      const std::string lookup = "reg9[2] = lookup_arp(inport, arp.spa, arp.sha); ";
      if (router_.learns_from_arp_requests) {
        Add(Stage::kLrInLookupNeighbor, 100, absl::StrCat(sender, " && arp.op == 1", resident_),
            absl::StrCat(lookup, "next;"));
        continue;
      }
      Add(Stage::kLrInLookupNeighbor, 110,
          absl::StrCat(sender, " && arp.tpa == ", network.IpText(), " && arp.op == 1", resident_),
          absl::StrCat(lookup, "reg9[3] = 1; next;"));
      Add(Stage::kLrInLookupNeighbor, 100, absl::StrCat(sender, " && arp.op == 1", resident_),
          absl::StrCat(lookup, "reg9[3] = lookup_arp_ip(inport, arp.spa); next;"));
    }
  }

  void AddGatewayRedirect() {
    if (!is_gateway_port_) return;
    if (has_vtep_) {
      AddHairpin();
    } else {
      Add(Stage::kLrInGwRedirect, 50, absl::StrCat("outport == ", name()),
          absl::StrCat("outport = ", RedirectName(ctx_, port_), "; next;"));
    }
    const auto row = Row<nb::LogicalRouterPort>(ctx_, port_.uuid);
    if (!absl::EqualsIgnoreCase(row.options().GetOrEmpty("redirect-type"), "bridged")) return;
    Add(Stage::kLrInArpResolve, 50,
        absl::StrCat("outport == ", name(), " && !is_chassis_resident(", RedirectName(ctx_, port_),
                     ")"),
        absl::StrCat("eth.dst = ", mac(), "; next;"));
  }

  void AddDelivery() {
    if (router_.relays_multicast) {
      Add(Stage::kLrOutDelivery, 110,
          absl::StrCat("(ip4.mcast || ip6.mcast) && outport == ", name()),
          absl::StrCat("eth.src = ", mac(), "; output;"), /*hint=*/false);
    }
    Add(Stage::kLrOutDelivery, 100, absl::StrCat("outport == ", name()), "output;",
        /*hint=*/false);
  }

 private:
  const std::string& name() const { return port_.json_name; }
  std::string mac() const { return port_.addresses.mac_text(); }
  // With that of the proxy on its switch port, if that has one.
  std::string OwnMacs() {
    if (port_.switch_port.is_zero()) return mac();
    const auto proxy = ArpProxyOf(ctx_, ctx_.Get(kSwitchPortModel, port_.switch_port),
                                  ctx_.Get(kRouterAttachment, port_.switch_port));
    if (!proxy || proxy->mac == port_.addresses.mac) return mac();
    return absl::StrCat("{ ", proxy->mac_text(), ", ", mac(), " }");
  }

  void Add(Stage stage, int priority, absl::string_view match, absl::string_view actions,
           bool hint = true, const std::source_location& where = std::source_location::current()) {
    AddFlow(ctx_, router_.number, stage, priority, match, actions,
            {.hint = hint ? port_.uuid : Uuid()}, where);
  }

  // What came from a hardware VTEP and is at the gateway's chassis goes on to the router.
  void AddHairpin() {
    AddFlow(ctx_, ctx_.Get(kDatapath, SwitchBehind(ctx_, port_)).number, Stage::kLsInHairpin, 2000,
            absl::StrCat("reg0[14] == 1", resident_), "next;");
  }

  // Two flows, if packets are to be measured and some of them not.
  void AddMeasured(Stage stage, const std::string& match, const std::string& actions) {
    const PacketLimit limit = PacketLimitOf(ctx_, port_);
    Add(stage, 50, match, absl::StrCat(limit.check, actions));
    if (!limit.bypass.empty()) {
      Add(stage, 55, absl::StrCat(match, " && (", limit.bypass, ")"), actions);
    }
  }

  Context& ctx_;
  const RouterPort& port_;
  const Router& router_;
  const bool is_gateway_port_;
  // On its switch is a hardware VTEP, which lets traffic in and out on any chassis.
  const bool has_vtep_;
  const std::string resident_;
};

}  // namespace

std::monostate TranslateRouterPortFlows(Context& ctx, const Uuid& uuid) {
  const RouterPort& port = ctx.Get(kRouterPortModel, uuid);
  if (!port.exists) return {};
  const Router& router = RouterOfPort(ctx, port);
  if (!router.exists) return {};
  ctx.Require(kRouterPortIpInput, uuid);
  ctx.Require(kRouterPortMtu, uuid);
  ctx.Require(kRouterPortNeighbors, uuid);
  ctx.Require(kRouterPortBfd, uuid);
  ctx.Require(kRouterAdvertisements, uuid);
  ctx.Require(kDhcpRelay, uuid);
  PortFlows flows(&ctx, port, router);
  if (port.enabled) {
    flows.AddAdmission();
    flows.AddDelivery();
  }
  flows.AddTunnelErrors();
  flows.AddNeighborLookup();
  flows.AddGatewayRedirect();
  return {};
}
constexpr engine::Kind<Uuid> kRouterPortFlows{"router_port_flows", &TranslateRouterPortFlows};

}  // namespace northd
