#include "northd/pipeline/router_defaults.h"

#include "absl/strings/str_cat.h"
#include "northd/model/copp.h"
#include "northd/model/globals.h"
#include "northd/model/routers.h"
#include "northd/output/flow_table.h"
#include "northd/pipeline/stages.h"
#include "northd/replica/lookup.h"

namespace northd {
namespace {

// What a packet too big for a tunnel is answered with by the far end.
constexpr absl::string_view kTooBig =
    "((ip4 && icmp4.type == 3 && icmp4.code == 4) || (ip6 && icmp6.type == 2 && icmp6.code == 0))";

class Defaults {
 public:
  Defaults(Context* ctx, const Router& router)
      : ctx_(*ctx), router_(router), drop_(GetGlobals(*ctx).drop_action) {}

  void Add(Stage stage, int priority, absl::string_view match, absl::string_view actions,
           absl::string_view meter = {},
           const std::source_location& where = std::source_location::current()) {
    AddFlow(ctx_, router_.number, stage, priority, match, actions, {.meter = meter}, where);
  }

  void AddAdmission() {
    Add(Stage::kLrInAdmission, 110, absl::StrCat(kTooBig, " && flags.tunnel_rx == 1"), drop_);
    Add(Stage::kLrInAdmission, 100, "vlan.present || eth.src[40]", drop_);
    Add(Stage::kLrInAdmission, 0, "1", drop_);
  }

  // Looks whether a neighbour is known already (reg9[2]); where not everything is learned, whether
  // it may be learned (reg9[3]). Routers with ports elsewhere pass answers on to them.
  void AddNeighborLookup() {
    const bool learns = router_.learns_from_arp_requests;
    const std::string answered = absl::StrCat(
        learns ? "" : "reg9[3] = 1; ", router_.has_remote_ports ? "flood_remote; " : "", "next;");
    Add(Stage::kLrInLookupNeighbor, 100, "arp.op == 2",
        absl::StrCat("reg9[2] = lookup_arp(inport, arp.spa, arp.sha); ", answered));
    Add(Stage::kLrInLookupNeighbor, 100, "nd_na",
        absl::StrCat("reg9[2] = lookup_nd(inport, nd.target, nd.tll); ", answered));
    if (!learns) {
      Add(Stage::kLrInLookupNeighbor, 110, "nd_na && ip6.src == fe80::/10 && ip6.dst == ff00::/8",
          "reg9[2] = lookup_nd(inport, nd.target, nd.tll); "
          "reg9[3] = lookup_nd_ip(inport, nd.target); next;");
    }
    Add(Stage::kLrInLookupNeighbor, 100, "nd_ns",
        absl::StrCat("reg9[2] = lookup_nd(inport, ip6.src, nd.sll); ",
                     learns ? "" : "reg9[3] = lookup_nd_ip(inport, ip6.src); ", "next;"));
    Add(Stage::kLrInLookupNeighbor, 0, "1", "reg9[2] = 1; next;");
  }

  void AddNeighborLearning() {
    Add(Stage::kLrInLearnNeighbor, 100,
        router_.learns_from_arp_requests ? "reg9[2] == 1" : "reg9[2] == 1 || reg9[3] == 0",
        "mac_cache_use; next;");
    Add(Stage::kLrInLearnNeighbor, 95, "nd_ns && (ip6.src == 0 || nd.sll == 0)", "next;");
    const std::string nd_na = Meter("nd-na");
    Add(Stage::kLrInLearnNeighbor, 95, "nd_na && nd.tll == 0",
        "put_nd(inport, nd.target, eth.src); next;", nd_na);
    Add(Stage::kLrInLearnNeighbor, 90, "arp", "put_arp(inport, arp.spa, arp.sha); next;",
        Meter("arp"));
    Add(Stage::kLrInLearnNeighbor, 90, "nd_na", "put_nd(inport, nd.target, nd.tll); next;", nd_na);
    Add(Stage::kLrInLearnNeighbor, 90, "nd_ns", "put_nd(inport, ip6.src, nd.sll); next;",
        Meter("nd-ns"));
    Add(Stage::kLrInLearnNeighbor, 0, "1", drop_);
  }

  void AddIpInput() {
    constexpr Stage kStage = Stage::kLrInIpInput;
    Add(kStage, 100,
        "ip4.src_mcast ||ip4.src == 255.255.255.255 || ip4.src == 127.0.0.0/8 || "
        "ip4.dst == 127.0.0.0/8 || ip4.src == 0.0.0.0/8 || ip4.dst == 0.0.0.0/8",
        drop_);
    Add(kStage, 85, "arp || nd", drop_);
    Add(kStage, 84, "nd_rs || nd_ra", "next;");
    Add(kStage, 83, "ip6.mcast_rsvd", drop_);
    Add(kStage, 82, "ip4.mcast || ip6.mcast", router_.relays_multicast ? "next;" : drop_);
    Add(kStage, 50, "eth.bcast", drop_);
    Add(kStage, 32, "ip.ttl == {0, 1} && !ip.later_frag && (ip4.mcast || ip6.mcast)", drop_);
    Add(kStage, 30, "ip.ttl == {0, 1}", drop_);
    Add(kStage, 0, "1", "next;");
  }

  void AddRouting() {
    Add(Stage::kLrInIpRoutingPre, 0, "1", "reg7 = 0; next;");
    Add(Stage::kLrInIpRouting, 10550, "nd_rs || nd_ra", drop_);
    Add(Stage::kLrInIpRouting, 0, "1", drop_);
    Add(Stage::kLrInIpRoutingEcmp, 150, "reg8[0..15] == 0", "next;");
    Add(Stage::kLrInIpRoutingEcmp, 0, "1", drop_);
    Add(Stage::kLrInPolicy, 0, "1", "reg8[0..15] = 0; next;");
    Add(Stage::kLrInPolicyEcmp, 150, "reg8[0..15] == 0", "next;");
    Add(Stage::kLrInPolicyEcmp, 0, "1", drop_);
  }

  void AddResolution() {
    Add(Stage::kLrInArpResolve, 500, "ip4.mcast || ip6.mcast", "next;");
    Add(Stage::kLrInArpResolve, 1, "reg9[9] == 1", "get_arp(outport, reg0); next;");
    Add(Stage::kLrInArpResolve, 1, "reg9[9] == 0", "get_nd(outport, xxreg0); next;");
    Add(Stage::kLrInArpResolve, 0, "1", drop_);
    Add(Stage::kLrInArpRequest, 100, "eth.dst == 00:00:00:00:00:00 && reg9[9] == 1",
        "arp { eth.dst = ff:ff:ff:ff:ff:ff; arp.spa = reg5; arp.tpa = reg0; arp.op = 1; output; }; "
        "output;",
        Meter("arp-resolve"));
    Add(Stage::kLrInArpRequest, 100, "eth.dst == 00:00:00:00:00:00 && reg9[9] == 0",
        "nd_ns { nd.target = xxreg0; output; }; output;", Meter("nd-ns-resolve"));
    Add(Stage::kLrInArpRequest, 0, "1", "output;");
  }

  // What has no flow of its own passes through the stages of features.
  void AddPassing() {
    for (const Stage stage :
         {Stage::kLrInDhcpRelayReq, Stage::kLrInUnsnat,           Stage::kLrInPostUnsnat,
          Stage::kLrInDefrag,       Stage::kLrInLbAffCheck,       Stage::kLrInDnat,
          Stage::kLrInLbAffLearn,   Stage::kLrInEcmpStateful,     Stage::kLrInNdRaOptions,
          Stage::kLrInNdRaResponse, Stage::kLrInDhcpRelayRespChk, Stage::kLrInDhcpRelayResp,
          Stage::kLrInChkPktLen,    Stage::kLrInLargerPkts,       Stage::kLrInGwRedirect,
          Stage::kLrOutUndnat,      Stage::kLrOutPostUndnat,      Stage::kLrOutSnat,
          Stage::kLrOutPostSnat,    Stage::kLrOutEgrLoop}) {
      Add(stage, 0, "1", "next;");
    }
    Add(Stage::kLrOutChkDnatLocal, 0, "1", "reg9[4] = 0; next;");
    Add(Stage::kLrOutSnat, 120, "nd_ns", "next;");
    Add(Stage::kLrOutDelivery, 0, "1", drop_);
  }

 private:
  std::string Meter(absl::string_view protocol) { return CoppMeter(ctx_, router_.uuid, protocol); }

  Context& ctx_;
  const Router& router_;
  const std::string& drop_;
};

}  // namespace

std::monostate TranslateRouterDefaults(Context& ctx, const Uuid& uuid) {
  const Router& router = ctx.Get(kRouterModel, uuid);
  if (!router.exists) return {};
  Defaults defaults(&ctx, router);
  defaults.AddAdmission();
  defaults.AddNeighborLookup();
  defaults.AddNeighborLearning();
  defaults.AddIpInput();
  defaults.AddRouting();
  defaults.AddResolution();
  defaults.AddPassing();
  return {};
}
constexpr engine::Kind<Uuid> kRouterDefaults{"router_defaults", &TranslateRouterDefaults};

}  // namespace northd
