#include "northd/pipeline/lb_switch.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "northd/model/datapaths.h"
#include "northd/pipeline/lb_actions.h"
#include "northd/world.h"

namespace northd {
namespace {

void AddAffinity(Context& ctx, const DatapathSet& switches, const LoadBalancer& lb,
                 const LbVip& vip, const FlowExtra& extra) {
  std::string match = absl::StrCat("ct.new && ", vip.v6 ? "ip6" : "ip4", " && ", LbVipMatch(vip));
  if (!vip.port.empty()) {
    absl::StrAppend(&match, " && ", lb.protocol, " && ", lb.protocol, ".dst == ", vip.port);
  }
  AddFlow(ctx, switches, Stage::kLsInLbAffCheck, 100, match, "reg9[6] = chk_lb_aff(); next;",
          extra);
  for (const LbAffinityFlow& flow : LbAffinityFlows(lb, vip, /*on_router=*/false)) {
    AddFlow(ctx, switches, Stage::kLsInLb, 150, flow.known_match,
            absl::StrCat(LbSaveVip(vip), "ct_lb_mark(backends=", flow.backend, ");"), extra);
    AddFlow(ctx, switches, Stage::kLsInLbAffLearn, 100, flow.learn_match, flow.learn_actions,
            extra);
  }
}

}  // namespace

std::monostate SwitchLbVip(Context& ctx, const LbVipId& id) {
  const DatapathSet& switches = ctx.Get(kLbSwitches, ctx.Get(kLbPlaces, id.first));
  const LoadBalancer& lb = ctx.Get(kLoadBalancer, id.first);
  const LbVip& vip = ctx.Get(kLbVip, id);
  if (switches.empty() || !lb.exists || !vip.valid) return {};
  FlowExtra extra{.hint = id.first};

  const LbEventFlow event = LbEventFlowOf(id.first, lb, vip);
  if (event.exists) {
    for (const auto& [meter, part] : ByMeter(ctx, switches, "event-elb")) {
      AddFlow(ctx, part, Stage::kLsInPreLb, 130, event.match, event.actions,
              {.hint = id.first, .meter = meter});
    }
  }

  std::string vip_match = LbVipMatch(vip);
  if (!vip.port.empty()) {
    absl::StrAppend(&vip_match, " && ", lb.protocol, ".dst == ", vip.port);
  }
  AddFlow(ctx, switches, Stage::kLsInPreStateful, 120, absl::StrCat("reg0[2] == 1 && ", vip_match),
          absl::StrCat(LbSaveVip(vip), "ct_lb_mark;"), extra);

  const int priority = vip.port.empty() ? 110 : 120;
  const std::string match = absl::StrCat("ct.new && ", vip_match);
  const LbVerdict verdict = LbVerdictOf(ctx, id, lb, vip, InfoOf(Stage::kLsOutQos).table);
  switch (verdict.kind) {
    case LbVerdict::Kind::kBalance:
      AddFlow(ctx, switches, Stage::kLsInLb, priority, match,
              absl::StrCat(LbSaveVip(vip), verdict.actions, ");"), extra);
      break;
    case LbVerdict::Kind::kDrop:
      AddFlow(ctx, switches, Stage::kLsInLb, priority, match, verdict.actions, extra);
      break;
    case LbVerdict::Kind::kReject:
      for (const auto& [meter, part] : ByMeter(ctx, switches, "reject")) {
        AddFlow(ctx, part, Stage::kLsInLb, priority, match, verdict.actions,
                {.hint = id.first, .meter = meter});
      }
      break;
  }
  if (lb.affinity_timeout > 0) AddAffinity(ctx, switches, lb, vip, extra);
  return {};
}
constexpr engine::Kind<LbVipId> kSwitchLbVip{"switch_lb_vip", &SwitchLbVip};

std::monostate SwitchLb(Context& ctx, const Uuid& sw) {
  const Datapath& datapath = ctx.Get(kDatapath, sw);
  if (!datapath.exists) return {};
  const DatapathNumber n = datapath.number;
  for (Stage stage : {Stage::kLsInLbAffCheck, Stage::kLsInLb, Stage::kLsInLbAffLearn,
                      Stage::kLsInPreHairpin, Stage::kLsInNatHairpin, Stage::kLsInHairpin}) {
    AddFlow(ctx, n, stage, 0, "1", "next;");
  }
  if (!ctx.Get(kSwitchHasLbVips, sw)) return {};
  // A later fragment has no ports: what it was translated from is known to conntrack alone.
  AddFlow(ctx, n, Stage::kLsInLb, 110, "ct.trk && !ct.rpl && reg0[19] == 1 && ip4",
          "reg4 = ct_nw_dst(); reg2[0..15] = ct_tp_dst(); next;");
  AddFlow(ctx, n, Stage::kLsInLb, 110, "ct.trk && !ct.rpl && reg0[19] == 1 && ip6",
          "xxreg1 = ct_ip6_dst(); reg2[0..15] = ct_tp_dst(); next;");
  const FlowExtra extra{.hint = sw};
  AddFlow(ctx, n, Stage::kLsInPreHairpin, 100, "ip && ct.trk",
          "reg0[6] = chk_lb_hairpin(); reg0[12] = chk_lb_hairpin_reply(); next;", extra);
  AddFlow(ctx, n, Stage::kLsInNatHairpin, 100, "ip && ct.new && ct.trk && reg0[6] == 1",
          "ct_snat_to_vip; next;", extra);
  AddFlow(ctx, n, Stage::kLsInNatHairpin, 100, "ip && ct.est && ct.trk && reg0[6] == 1", "ct_snat;",
          extra);
  AddFlow(ctx, n, Stage::kLsInNatHairpin, 90, "ip && reg0[12] == 1", "ct_snat;", extra);
  AddFlow(ctx, n, Stage::kLsInHairpin, 1, "(reg0[6] == 1 || reg0[12] == 1)",
          "eth.dst <-> eth.src; outport = inport; flags.loopback = 1; output;");
  return {};
}
constexpr engine::Kind<Uuid> kSwitchLb{"switch_lb", &SwitchLb};

}  // namespace northd
