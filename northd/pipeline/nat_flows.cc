#include "northd/pipeline/nat_flows.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "northd/model/copp.h"
#include "northd/model/globals.h"
#include "northd/model/load_balancers.h"
#include "northd/model/nat.h"
#include "northd/model/ports.h"
#include "northd/model/routers.h"
#include "northd/pipeline/neighbor_answers.h"
#include "northd/pipeline/router_mtu.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"

namespace northd {
namespace {

// The last valid rule of a router; zero if there is none.
Uuid ComputeLastNat(Context& ctx, const Uuid& router) {
  const auto row = Row<nb::LogicalRouter>(ctx, router);
  if (!row) return {};
  const absl::Span<const Uuid> nats = row.nat();
  for (size_t i = nats.size(); i-- > 0;) {
    if (ctx.Get(kNat, nats[i]).valid) return nats[i];
  }
  return {};
}
constexpr engine::Kind<Uuid, Uuid> kLastNat{"last_nat", &ComputeLastNat};

// The first valid rule of a router for an external address, as it is spelt; zero if there is none.
using NatAddressId = std::pair<Uuid, std::string>;
Uuid ComputeFirstNat(Context& ctx, const NatAddressId& id) {
  for (const Uuid& uuid :
       RowsWith<nb::NAT>(ctx, nb::NAT::kExternalIp, absl::string_view(id.second))) {
    const Nat& nat = ctx.Get(kNat, uuid);
    if (nat.valid && nat.router == id.first) return uuid;
  }
  return {};
}
constexpr engine::Kind<NatAddressId, Uuid> kFirstNat{"first_nat", &ComputeFirstNat,
                                                     /*is_cutoff=*/true};

// Whether a router has a port with options:redirect-type=bridged.
bool ComputeRedirectsBridged(Context& ctx, const Uuid& router) {
  const auto row = Row<nb::LogicalRouter>(ctx, router);
  if (!row) return false;
  return std::any_of(row.ports().begin(), row.ports().end(), [&](const Uuid& uuid) {
    const auto port = Row<nb::LogicalRouterPort>(ctx, uuid);
    return port && port.options().GetOrEmpty("redirect-type") == "bridged";
  });
}
constexpr engine::Kind<Uuid, bool> kRedirectsBridged{"router_redirects_bridged",
                                                     &ComputeRedirectsBridged, /*is_cutoff=*/true};

// In the common zone: what is, or is to be, translated on its way in here.
constexpr absl::string_view kIsNatted = "ip && ct_mark.natted == 1";
constexpr absl::string_view kMarkLocal = "reg9[4] = 1; next;";

std::string ResidentWith(const std::string& json_name) {
  return absl::StrCat(" && is_chassis_resident(", json_name, ")");
}

// One rule, with the words that its flows are put together from.
class Rule {
 public:
  Rule(Context& ctx, const Nat& nat, const NatRouter& router)
      : ctx_(ctx),
        nat_(nat),
        router_(router),
        ip_(nat.v6() ? "ip6" : "ip4"),
        extra_{.hint = nat.uuid} {
    if (nat.gateway_port.is_zero()) return;
    port_ = &ctx.Get(kRouterPortModel, nat.gateway_port);
    const std::string resident =
        ResidentWith(nat.distributed ? JsonName(nat.logical_port) : port_->cr_json_name);
    // A distributed rule is entered wherever the packet is, and left where the logical port is.
    inport_ = absl::StrCat(" && inport == ", port_->json_name, nat.distributed ? "" : resident);
    outport_ = absl::StrCat(" && outport == ", port_->json_name, resident);
    undnat_outport_ =
        absl::StrCat(" && outport == ", port_->json_name, nat.distributed ? "" : resident);
    resident_ = resident;
  }

  void Emit() {
    AddNeighbours();
    if (!router_.is_gateway && port_ == nullptr) return;
    if (nat_.snat()) AddUnsnat();
    if (nat_.dnat()) AddDnat();
    if (nat_.snat()) AddSnat();
    if (port_ == nullptr) return;
    if (nat_.dnat()) AddUndnat();
    AddArpResolve();
    AddGatewayRedirect();
    AddEgressLoop();
    if (nat_.distributed) {
      AddAdmission();
      AddTooLarge();
      AddBridgedResolve();
    }
    if (nat_.type == NatType::kSnat) {
      // Packets from the router itself, whose sources were translated, come back through the port.
      Add(Stage::kLrInIpInput, 120,
          absl::StrCat("inport == ", port_->json_name, " && ", ip_, ".src == ", nat_.external_text),
          "next;");
    }
  }

 private:
  void Add(Stage stage, int priority, absl::string_view match, absl::string_view actions) {
    AddFlow(ctx_, router_.number, stage, priority, match, actions, extra_);
  }
  void AddUnhinted(Stage stage, int priority, absl::string_view match, absl::string_view actions) {
    AddFlow(ctx_, router_.number, stage, priority, match, actions);
  }

  int SnatPriority() const { return nat_.logical_ip.prefix + 1 + (router_.is_gateway ? 0 : 128); }
  int Priority(int plain) const {
    return nat_.match.empty() ? plain : 300 + static_cast<int>(nat_.priority);
  }
  // Appends the rule's own match, and what it says of the other end's address. Exempted ones have a
  // flow that goes before.
  std::string Restrict(std::string match, bool source) {
    const std::string end = absl::StrCat(" && ", ip_, source ? ".src == $" : ".dst == $");
    if (!nat_.allowed.empty()) {
      absl::StrAppend(&match, end, nat_.allowed);
    } else if (!nat_.exempted.empty()) {
      Add(source ? Stage::kLrInDnat : Stage::kLrOutSnat,
          Priority(source ? 100 : SnatPriority()) + 2, absl::StrCat(match, end, nat_.exempted),
          "next;");
    }
    if (!nat_.match.empty()) absl::StrAppend(&match, " && (", nat_.match, ")");
    return match;
  }

  void AddUnsnat() {
    const int priority = router_.is_gateway ? 90 : 100;
    const std::string match = absl::StrCat("ip && ", ip_, ".dst == ", nat_.external_text, inport_);
    if (nat_.stateless || !InCommonZone()) {
      Add(Stage::kLrInUnsnat, priority, match, nat_.stateless ? "next;" : "ct_snat;");
      return;
    }
    Add(Stage::kLrInUnsnat, priority, absl::StrCat(match, " && flags.loopback == 0"),
        "ct_snat_in_czone;");
    Add(Stage::kLrInUnsnat, priority,
        absl::StrCat(match, " && flags.loopback == 1 && flags.use_snat_zone == 1"), "ct_snat;");
  }

  void AddDnat() {
    const std::string match =
        Restrict(absl::StrCat("ip && ", ip_, ".dst == ", nat_.external_text, inport_), true);
    const bool is_gateway = router_.is_gateway;
    // It may go back to where it came from.
    std::string actions = absl::StrCat(
        is_gateway && router_.dnat_force_snat.any() ? "flags.force_snat_for_dnat = 1; " : "",
        is_gateway ? "flags.loopback = 1; " : "");
    if (nat_.stateless) {
      absl::StrAppend(&actions, ip_, ".dst=", nat_.logical_text, "; next;");
    } else {
      absl::StrAppend(&actions, InCommonZone() ? "ct_dnat_in_czone(" : "ct_dnat(",
                      nat_.logical_text, Range(), ");");
    }
    Add(Stage::kLrInDnat, Priority(100), match, actions);
  }

  void AddUndnat() {
    std::string actions;
    if (nat_.distributed) actions = absl::StrCat("eth.src = ", nat_.external_mac, "; ");
    actions += nat_.stateless ? "next;" : InCommonZone() ? "ct_dnat_in_czone;" : "ct_dnat;";
    Add(Stage::kLrOutUndnat, 100,
        absl::StrCat("ip && ", ip_, ".src == ", nat_.logical_text, undnat_outport_), actions);
  }

  void AddSnat() {
    const int priority = Priority(SnatPriority());
    const std::string match =
        Restrict(absl::StrCat("ip && ", ip_, ".src == ", nat_.logical_text, outport_), false);
    std::string actions;
    if (nat_.distributed) actions = absl::StrCat("eth.src = ", nat_.external_mac, "; ");
    if (nat_.stateless) {
      absl::StrAppend(&actions, ip_, ".src=", nat_.external_text, "; next;");
      Add(Stage::kLrOutSnat, priority, match, actions);
      return;
    }
    const std::string is_first = absl::StrCat(match, " && (!ct.trk || !ct.rpl)");
    const std::string translation = absl::StrCat("(", nat_.external_text, Range(), ");");
    if (InCommonZone()) {
      // What has been translated on its way in, too, needs the other zone for this.
      Add(Stage::kLrOutSnat, priority, is_first,
          absl::StrCat(actions, "ct_snat_in_czone", translation));
      Add(Stage::kLrOutSnat, priority + 1, absl::StrCat(is_first, " && reg9[4] == 1"),
          absl::StrCat(actions, "reg9[4] = 0; ct_snat", translation));
      return;
    }
    Add(Stage::kLrOutSnat, priority, is_first, absl::StrCat(actions, "ct_snat", translation));

    // Connections to the inside that come through the port are committed to its zone, so that
    // their replies are not taken for new ones.
    const Globals& globals = GetGlobals(ctx_);
    if (port_ == nullptr || nat_.type != NatType::kSnat || router_.commit_all ||
        !globals.features.ct_commit_to_zone || !globals.features.ct_next_zone) {
      return;
    }
    AddUnhinted(Stage::kLrOutPostUndnat, 70, is_first, "ct_next(snat);");
    const std::string reverse =
        Restrict(absl::StrCat("ip && ", ip_, ".dst == ", nat_.logical_text, inport_), true);
    AddUnhinted(Stage::kLrOutSnat, priority, reverse, "ct_snat;");
    AddUnhinted(Stage::kLrOutPostSnat, priority, absl::StrCat(reverse, " && ct.new"),
                "ct_commit_to_zone(snat);");
  }

  // options:use_common_zone of NB_Global matters where only one chassis, or the port's, translates.
  bool InCommonZone() const { return router_.use_common_zone && port_ != nullptr; }

  std::string Range() const {
    return nat_.port_range.empty() ? std::string() : absl::StrCat(",", nat_.port_range);
  }

  // An address is at one place only: the first rule says where.
  void AddArpResolve() {
    if (ctx_.Get(kFirstNat, {nat_.router, nat_.external_text}) != nat_.uuid) return;
    Add(Stage::kLrInArpResolve, 100,
        absl::StrCat("outport == ", port_->json_name,
                     nat_.v6() ? " && xxreg0 == " : " && reg0 == ", nat_.external_text),
        absl::StrCat(
            "eth.dst = ", nat_.distributed ? nat_.external_mac : port_->addresses.mac_text(),
            "; next;"));
    Add(Stage::kLrInArpResolve, 150,
        absl::StrCat("inport == ", port_->json_name, " && outport == ", port_->json_name, " && ",
                     ip_, ".dst == ", nat_.external_text),
        GetGlobals(ctx_).drop_action);
  }

  // Where packets leave through the network outside of OVN, those of the rule's port are not the
  // gateway's to resolve.
  void AddBridgedResolve() {
    if (!ctx_.Get(kRedirectsBridged, nat_.router)) return;
    const RouterPort& gateway = ctx_.Get(kRouterPortModel, router_.distributed_gateways.front());
    Add(Stage::kLrInArpResolve, 90,
        absl::StrCat("outport == ", gateway.json_name, " && ", ip_, ".src == ", nat_.logical_text,
                     resident_),
        nat_.v6() ? "get_nd(outport, xxreg0); next;" : "get_arp(outport, reg0); next;");
  }

  void AddGatewayRedirect() {
    if (nat_.distributed) {
      const auto port = FindRow<nb::LogicalSwitchPort>(ctx_, nb::LogicalSwitchPort::kName,
                                                       absl::string_view(nat_.logical_port));
      if (port && port.type() == "virtual") {
        // Until somebody claims it, its traffic must not leave through the gateway.
        Add(Stage::kLrInGwRedirect, 80,
            absl::StrCat(ip_, ".src == ", nat_.logical_text, " && outport == ", port_->json_name),
            GetGlobals(ctx_).drop_action);
      }
      Add(Stage::kLrInGwRedirect, 100, absl::StrCat(ip_, ".src == ", nat_.logical_text, outport_),
          absl::StrCat("eth.src = ", nat_.external_mac,
                       nat_.v6() ? "; xxreg1 = " : "; reg5 = ", nat_.external_text, "; next;"));
    }
    if (!nat_.stateless || (nat_.allowed.empty() && nat_.exempted.empty())) return;
    // The match is that of the router's last flow for NAT, whatever this is, and so are the
    // actions: what 25.03 does, and with it the controllers that see flows of both.
    const Nat& last = ctx_.Get(kNat, ctx_.Get(kLastNat, nat_.router));
    if (!last.valid || last.gateway_port.is_zero()) return;
    const std::string match = absl::StrCat(
        InCommonZone() ? std::string(kIsNatted) : Rule(ctx_, last, router_).EgressLoopMatch(),
        " && ", ip_, ".src == $", nat_.allowed.empty() ? nat_.exempted : nat_.allowed);
    const std::string& drop = GetGlobals(ctx_).drop_action;
    AddFlow(ctx_, router_.number, Stage::kLrInGwRedirect, 75, match,
            nat_.allowed.empty() ? drop
            : InCommonZone()     ? std::string(kMarkLocal)
                                 : Loop(),
            {.hint = nat_.gateway_port});
    if (!nat_.allowed.empty()) {
      AddUnhinted(Stage::kLrInGwRedirect, 70,
                  absl::StrCat("ip && ", ip_, ".dst == ", nat_.external_text), drop);
    }
  }

  // Back to the beginning, as if it had come in where it would have left.
  std::string Loop() const {
    std::string actions = absl::StrCat(
        "clone { ct_clear; inport = outport; outport = \"\"; eth.dst <-> eth.src; flags = 0; "
        "flags.loopback = 1; ",
        InCommonZone() ? "flags.use_snat_zone = reg9[4]; " : "");
    for (int i = 0; i < 10; ++i) absl::StrAppend(&actions, "reg", i, " = 0; ");
    return absl::StrCat(actions, "reg9[0] = 1; next(pipeline=ingress, table=0); };");
  }

  std::string EgressLoopMatch() const {
    return absl::StrCat(ip_, ".dst == ", nat_.external_text, outport_);
  }
  void AddEgressLoop() {
    if (InCommonZone()) {
      Add(Stage::kLrOutChkDnatLocal, 50,
          absl::StrCat("ip && ", ip_, ".dst == ", nat_.external_text, resident_), kMarkLocal);
    }
    Add(Stage::kLrOutEgrLoop, 100, EgressLoopMatch(), Loop());
  }

  // What is sent to the rule's MAC address is for the port, where the logical port is.
  void AddAdmission() {
    const std::string match = absl::StrCat("eth.dst == ", nat_.external_mac,
                                           " && inport == ", port_->json_name, resident_);
    const std::string store =
        absl::StrCat("xreg0[0..47] = ", port_->addresses.mac_text(), "; next;");
    const PacketLimit limit = PacketLimitOf(ctx_, *port_);
    if (!limit.bypass.empty()) {
      Add(Stage::kLrInAdmission, 55, absl::StrCat(match, " && (", limit.bypass, ")"), store);
    }
    Add(Stage::kLrInAdmission, 50, match, absl::StrCat(limit.check, store));
  }

  // options:gateway_mtu of the port: the sender of a packet that is too large is told so.
  void AddTooLarge() {
    const int64_t mtu = GatewayMtu(ctx_, nat_.gateway_port);
    if (mtu <= 0) return;
    const absl::string_view icmp = nat_.v6() ? "icmp6" : "icmp4";
    AddFlow(ctx_, router_.number, Stage::kLrInIpInput, 160,
            absl::StrCat("inport == ", port_->json_name, " && reg9[1] && reg9[0] == 0 && ", ip_,
                         " && ", ip_, ".dst == ", nat_.external_text),
            absl::StrCat(icmp, "_error {reg9[0] = 1; reg9[1] = 0; eth.dst = eth.src; eth.src = ",
                         nat_.external_mac, "; ", ip_, ".dst = ", ip_, ".src; ", ip_,
                         ".src = ", nat_.external_text, "; ip.ttl = 254; ", icmp,
                         nat_.v6() ? ".type = 2; /* Packet Too Big. */ icmp6.code = 0; "
                                   : ".type = 3; /* Destination Unreachable. */ icmp4.code = 4; "
                                     "/* Frag Needed and DF was Set. */ ",
                         icmp, ".frag_mtu = ", mtu, "; outport = ", port_->json_name,
                         "; flags.loopback = 1; output; };"),
            {.hint = nat_.uuid,
             .meter = CoppMeter(ctx_, nat_.router, nat_.v6() ? "icmp6-error" : "icmp4-error")});
  }

  // Who asks for the external address gets an answer: on any port, and on the gateway port from the
  // one chassis alone that it is at, where the question may reach several.
  void AddNeighbours() {
    const std::string ip = nat_.external_ip.ToString();
    const std::string ask = nat_.v6() ? absl::StrCat("ip6.dst == {", ip, ", ",
                                                     SolicitedNode(nat_.external_ip).ToString(),
                                                     "} && nd_ns && nd.target == ", ip)
                                      : absl::StrCat("arp.op == 1 && arp.tpa == ", ip);
    const std::string meter = nat_.v6() ? CoppMeter(ctx_, nat_.router, "nd-na") : "";
    const auto answer = [&](int priority, const std::string& match, absl::string_view mac) {
      AddFlow(ctx_, router_.number, Stage::kLrInIpInput, priority, match,
              nat_.v6() ? NdAnswer(mac) : ArpAnswer(mac), {.hint = nat_.uuid, .meter = meter});
    };
    answer(90, ask, kInportMac);
    if (port_ == nullptr) return;
    if (!nat_.answers_apart && !port_->switch_port.is_zero() &&
        ctx_.Get(kIsCentralized, port_->switch_port)) {
      return;
    }
    const std::string here = absl::StrCat("inport == ", port_->json_name, " && ", ask);
    answer(92,
           absl::StrCat(here, ResidentWith(nat_.answers_apart ? JsonName(nat_.logical_port)
                                                              : port_->cr_json_name)),
           nat_.answers_apart ? absl::string_view(nat_.external_mac) : kInportMac);
    Add(Stage::kLrInIpInput, 91, here, GetGlobals(ctx_).drop_action);
  }

  Context& ctx_;
  const Nat& nat_;
  const NatRouter& router_;
  const RouterPort* port_ = nullptr;  // The gateway port; null on a gateway router.
  const absl::string_view ip_;
  const FlowExtra extra_;
  // Of the gateway port, to be appended to matches; "" on a gateway router.
  std::string resident_;
  std::string inport_;
  std::string outport_;
  std::string undnat_outport_;
};

// ---- A router's own ----

// Connections that a load balancer has translated already.
void AddLbFollowUps(Context& ctx, DatapathNumber n) {
  const struct {
    absl::string_view mark;
    absl::string_view actions;
    int priority;
  } kinds[] = {{"", "", 50},
               {" && ct_mark.skip_snat == 1", "flags.skip_snat_for_lb = 1; ", 70},
               {" && ct_mark.force_snat == 1", "flags.force_snat_for_lb = 1; ", 70}};
  for (const auto& kind : kinds) {
    AddFlow(ctx, n, Stage::kLrInDnat, kind.priority,
            absl::StrCat("ct.rel && !ct.est && !ct.new && !ct.rpl", kind.mark),
            absl::StrCat(kind.actions, "ct_commit_nat;"));
    AddFlow(ctx, n, Stage::kLrInDnat, kind.priority,
            absl::StrCat("ct.est && !ct.rel && !ct.new && !ct.rpl && ct_mark.natted", kind.mark),
            absl::StrCat(kind.actions, "next;"));
  }
}

// options:ct-commit-all, through one gateway port or, with none, everywhere.
void AddCommitAll(Context& ctx, DatapathNumber n, const RouterPort* port) {
  std::string in;
  std::string out;
  if (port != nullptr) {
    const std::string resident = absl::StrCat(" && is_chassis_resident(", port->cr_json_name, ")");
    in = absl::StrCat(" && inport == ", port->json_name, resident);
    out = absl::StrCat(" && outport == ", port->json_name, resident);
  }
  const auto add = [&](Stage stage, absl::string_view match, absl::string_view where,
                       absl::string_view actions) {
    AddFlow(ctx, n, stage, 10, absl::StrCat(match, where), actions);
  };
  add(Stage::kLrInPostUnsnat, "ip && !ct.trk", in, "flags.unsnat_not_tracked = 1; next;");
  add(Stage::kLrInPostUnsnat, "ip && ct.new", in, "flags.unsnat_new = 1; next;");
  add(Stage::kLrInDefrag, "ip && (!ct.trk || !ct.rpl)", in, "ct_next(dnat);");
  add(Stage::kLrInDnat, "ip && ct.new", in, "ct_commit_to_zone(dnat);");
  add(Stage::kLrOutPostUndnat, "ip && (!ct.trk || !ct.rpl) && flags.unsnat_not_tracked == 1", out,
      "ct_next(snat);");
  add(Stage::kLrOutPostUndnat, "ip && flags.unsnat_new == 1", out, "next;");
  add(Stage::kLrOutSnat, "ip && (!ct.trk || !ct.rpl) && flags.unsnat_new == 1", out,
      "ct_commit_to_zone(snat);");
  add(Stage::kLrOutSnat, "ip && ct.new", out, "ct_commit_to_zone(snat);");
}

void AddForceSnat(Context& ctx, DatapathNumber n, const ForcedSource& snat,
                  absl::string_view what) {
  const auto add = [&](const std::optional<Ip>& address, absl::string_view ip) {
    if (!address) return;
    const std::string text = address->ToString();
    AddFlow(ctx, n, Stage::kLrInUnsnat, 110, absl::StrCat(ip, " && ", ip, ".dst == ", text),
            "ct_snat;");
    AddFlow(ctx, n, Stage::kLrOutSnat, 100,
            absl::StrCat("flags.force_snat_for_", what, " == 1 && ", ip),
            absl::StrCat("ct_snat(", text, ");"));
  };
  add(snat.v4, "ip4");
  add(snat.v6, "ip6");
}

// The same with the addresses of a port of a gateway router: options:lb_force_snat_ip=router_ip.
void AddForceSnatOfPort(Context& ctx, DatapathNumber n, const RouterPort& port) {
  const auto add = [&](const Network& network, absl::string_view ip) {
    AddFlow(ctx, n, Stage::kLrInUnsnat, 110,
            absl::StrCat("inport == ", port.json_name, " && ", ip, ".dst == ", network.IpText()),
            "ct_snat;");
    AddFlow(ctx, n, Stage::kLrOutSnat, 110,
            absl::StrCat("flags.force_snat_for_lb == 1 && ", ip, " && outport == ", port.json_name),
            absl::StrCat("ct_snat(", network.IpText(), ");"));
  };
  if (!port.addresses.v4.empty()) add(port.addresses.v4.front(), "ip4");
  // The last one is the link-local address that every port has.
  if (port.addresses.v6.size() > 1) add(port.addresses.v6.front(), "ip6");
}

}  // namespace

std::monostate NatFlows(Context& ctx, const Uuid& uuid) {
  const Nat& nat = ctx.Get(kNat, uuid);
  if (!nat.valid) return {};
  Rule(ctx, nat, ctx.Get(kNatRouter, nat.router)).Emit();
  return {};
}
constexpr engine::Kind<Uuid> kNatFlows{"nat_flows", &NatFlows};

std::monostate RouterNat(Context& ctx, const Uuid& uuid) {
  const NatRouter& router = ctx.Get(kNatRouter, uuid);
  if (!router.exists) return {};
  const DatapathNumber n = router.number;
  const auto row = Row<nb::LogicalRouter>(ctx, uuid);
  for (const Uuid& nat : row.nat()) ctx.Require(kNatFlows, nat);
  const bool has_lb = ctx.Get(kRouterHasLbVips, uuid);
  if (has_lb) AddLbFollowUps(ctx, n);
  if (router.use_common_zone && router.has_nat &&
      (router.is_gateway || !router.distributed_gateways.empty())) {
    AddFlow(ctx, n, Stage::kLrOutChkDnatLocal, 50, kIsNatted, kMarkLocal, {.hint = uuid});
  }
  const bool translates = router.has_nat || has_lb;
  const bool has_what_commits = has_lb || !ctx.Get(kLastNat, uuid).is_zero() ||
                                router.dnat_force_snat.any() || router.lb_force_snat.any();
  if (router.is_gateway && translates) {
    // What was translated has to be looked up in every packet of a gateway router.
    AddFlow(ctx, n, Stage::kLrOutUndnat, 100, "nd || nd_rs || nd_ra", "next;");
    AddFlow(ctx, n, Stage::kLrOutUndnat, 50, "ip", "flags.loopback = 1; ct_dnat;");
    // Even if there are controllers that cannot do what this asks for.
    if (!row.options().GetBool("ct-commit-all", false) || !has_what_commits) {
      AddFlow(ctx, n, Stage::kLrOutPostUndnat, 50, "ip && ct.new", "ct_commit { } ; next; ");
    }
  }
  if (router.commit_all && has_what_commits) {
    if (router.is_gateway) AddCommitAll(ctx, n, nullptr);
    for (const Uuid& port : router.distributed_gateways) {
      AddCommitAll(ctx, n, &ctx.Get(kRouterPortModel, port));
    }
  }
  if (GetGlobals(ctx).features.ct_commit_nat_v2) {
    for (const Uuid& port : row.ports()) {
      if (!ctx.Get(kRouterPortModel, port).exists || GatewayMtu(ctx, port) <= 0) continue;
      // The errors that it makes are translated, too.
      AddFlow(ctx, n, Stage::kLrOutPostSnat, 100, "icmp && flags.icmp_snat == 1",
              "ct_commit_nat(snat);", {.hint = port});
    }
  }
  if (!router.is_gateway) return {};
  AddForceSnat(ctx, n, router.dnat_force_snat, "dnat");
  AddForceSnat(ctx, n, router.lb_force_snat, "lb");
  if (router.lb_force_snat.router_ip) {
    for (const Uuid& port : row.ports()) {
      const RouterPort& model = ctx.Get(kRouterPortModel, port);
      if (model.exists && (!model.switch_port.is_zero() || !model.peer_router_port.is_zero())) {
        AddForceSnatOfPort(ctx, n, model);
      }
    }
  }
  return {};
}
constexpr engine::Kind<Uuid> kRouterNat{"router_nat", &RouterNat};

}  // namespace northd
