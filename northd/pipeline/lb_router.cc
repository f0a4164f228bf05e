#include "northd/pipeline/lb_router.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "northd/model/copp.h"
#include "northd/model/nat.h"
#include "northd/model/ports.h"
#include "northd/pipeline/lb_actions.h"
#include "northd/world.h"

namespace northd {
namespace {

// What becomes of the source address of a connection that is sent to a backend.
struct SourceNat {
  absl::string_view flag;    // In front of the actions.
  absl::string_view option;  // Of ct_lb_mark().
  absl::string_view undo;    // Of the way back through a distributed gateway port.
};
constexpr SourceNat kPlain = {"", "", "ct_dnat;"};
constexpr SourceNat kPlainInCommonZone = {"", "", "ct_dnat_in_czone;"};
constexpr SourceNat kSkipSnat = {"flags.skip_snat_for_lb = 1; ", "; skip_snat",
                                 "flags.skip_snat_for_lb = 1; next;"};
constexpr SourceNat kForceSnat = {"flags.force_snat_for_lb = 1; ", "; force_snat",
                                  "flags.force_snat_for_lb = 1; next;"};

class VipOnRouters {
 public:
  VipOnRouters(Context& ctx, const LbVipId& id, const LoadBalancer& lb, const LbVip& vip,
               const LbRouters& routers)
      : ctx_(ctx), id_(id), lb_(lb), vip_(vip), routers_(routers), extra_{.hint = id.first} {
    const absl::string_view ip = vip.v6 ? "ip6" : "ip4";
    match_ = absl::StrCat("ct.new && !ct.rel && ", ip, " && ", LbVipMatch(vip));
    if (!vip.port.empty()) {
      absl::StrAppend(&match_, " && ", lb.protocol, " && ", lb.protocol, ".dst == ", vip.port);
      priority_ = 120;
    }
    backends_match_ = absl::StrCat(ip, " && (");
    for (const LbBackend& backend : vip.backends) {
      if (&backend != &vip.backends.front()) absl::StrAppend(&backends_match_, " || ");
      absl::StrAppend(&backends_match_, "(", ip, ".src == ", backend.ip);
      if (!backend.port.empty()) {
        absl::StrAppend(&backends_match_, " && ", lb.protocol, ".src == ", backend.port);
      }
      absl::StrAppend(&backends_match_, ")");
    }
    absl::StrAppend(&backends_match_, ")");
    verdict_ = LbVerdictOf(ctx, id, lb, vip, InfoOf(Stage::kLrOutSnat).table);
  }

  void Emit() {
    AddFlow(ctx_, routers_.all, Stage::kLrInDefrag, 100, absl::StrCat("ip && ", LbVipMatch(vip_)),
            "ct_dnat;", extra_);
    AddEvents();
    if (lb_.skip_snat) {
      AddPlain(routers_.plain, kSkipSnat);
      AddPlain(routers_.force_snat, kSkipSnat);
    } else {
      AddPlain(routers_.plain, kPlain);
      AddPlain(routers_.force_snat, kForceSnat);
    }
    for (const Uuid& router : routers_.distributed) AddDistributed(router);
    if (lb_.affinity_timeout > 0) AddAffinity();
  }

 private:
  void AddEvents() {
    const LbEventFlow event = LbEventFlowOf(id_.first, lb_, vip_);
    if (!event.exists) return;
    for (const auto& [meter, part] : ByMeter(ctx_, routers_.all, "event-elb")) {
      AddFlow(ctx_, part, Stage::kLrInDnat, 130, event.match, event.actions,
              {.hint = id_.first, .meter = meter});
    }
  }

  std::string Actions(const SourceNat& source, absl::string_view stateless_dnat = "") const {
    if (verdict_.kind != LbVerdict::Kind::kBalance) {
      return verdict_.kind == LbVerdict::Kind::kReject ? absl::StrCat(source.flag, verdict_.actions)
                                                       : verdict_.actions;
    }
    return absl::StrCat(stateless_dnat, source.flag,
                        lb_.affinity_timeout > 0 ? LbSaveVip(vip_) : "", verdict_.actions,
                        source.option, ");");
  }

  // Routers without distributed gateway ports.
  void AddPlain(const DatapathSet& routers, const SourceNat& source) {
    if (routers.empty()) return;
    if (verdict_.kind != LbVerdict::Kind::kReject) {
      AddFlow(ctx_, routers, Stage::kLrInDnat, priority_, match_, Actions(source), extra_);
      return;
    }
    for (const auto& [meter, part] : ByMeter(ctx_, routers, "reject")) {
      AddFlow(ctx_, part, Stage::kLrInDnat, priority_, match_, Actions(source),
              {.hint = id_.first, .meter = meter});
    }
  }

  void AddDistributed(const Uuid& uuid) {
    const NatRouter& router = ctx_.Get(kNatRouter, uuid);
    const SourceNat& source = lb_.skip_snat                ? kSkipSnat
                              : router.lb_force_snat.any() ? kForceSnat
                              : router.use_common_zone     ? kPlainInCommonZone
                                                           : kPlain;
    const bool stateless = lb_.use_stateless_nat && router.distributed_gateways.size() > 1;
    for (const Uuid& port : router.distributed_gateways) {
      AddThrough(uuid, router, ctx_.Get(kRouterPortModel, port), source, stateless);
    }
  }

  void AddThrough(const Uuid& uuid, const NatRouter& router, const RouterPort& port,
                  const SourceNat& source, bool stateless) {
    const DatapathNumber n = router.number;
    const absl::string_view ip = vip_.v6 ? "ip6" : "ip4";
    const std::string resident = absl::StrCat(" && is_chassis_resident(", port.cr_json_name, ")");
    FlowExtra extra = extra_;
    if (verdict_.kind == LbVerdict::Kind::kReject) extra.meter = CoppMeter(ctx_, uuid, "reject");
    const bool anywhere = vip_.backends.empty() && lb_.reject;
    std::string stateless_dnat;
    if (stateless && !vip_.backends.empty()) {
      stateless_dnat = absl::StrCat(ip, ".dst = ", vip_.backends.front().ip, "; ");
    }
    AddFlow(ctx_, n, Stage::kLrInDnat, priority_, absl::StrCat(match_, anywhere ? "" : resident),
            Actions(source, stateless_dnat), extra);
    if (vip_.backends.empty()) return;
    // Replies go by the gateway's chassis, which knows how to undo the translation.
    AddFlow(ctx_, n, Stage::kLrInGwRedirect, 200,
            absl::StrCat(backends_match_, " && outport == ", port.json_name),
            absl::StrCat("outport = ", port.cr_json_name, "; next;"), extra_);
    std::string undo_match = absl::StrCat(backends_match_, " && (inport == ", port.json_name,
                                          " || outport == ", port.json_name, ")", resident);
    if (!stateless) {
      AddFlow(ctx_, n, Stage::kLrOutUndnat, 120, undo_match, source.undo, extra_);
      return;
    }
    absl::StrAppend(&undo_match, " && ", lb_.protocol);
    AddFlow(ctx_, n, Stage::kLrOutUndnat, 120, undo_match, "next;", extra_);
    const std::string port_undo =
        vip_.port.empty() ? "" : absl::StrCat(lb_.protocol, ".src = ", vip_.port, "; ");
    AddFlow(ctx_, n, Stage::kLrOutSnat, 160, undo_match,
            absl::StrCat(ip, ".src = ", vip_.ip, "; ", port_undo, "next;"), extra_);
  }

  void AddAffinity() {
    AddFlow(ctx_, routers_.all, Stage::kLrInLbAffCheck, 100, match_,
            "reg9[6] = chk_lb_aff(); next;", extra_);
    for (const LbAffinityFlow& flow : LbAffinityFlows(lb_, vip_, /*on_router=*/true)) {
      const auto add_known = [&](const DatapathSet& routers, const SourceNat& source) {
        AddFlow(
            ctx_, routers, Stage::kLrInDnat, 150, flow.known_match,
            absl::StrCat(source.flag, "ct_lb_mark(backends=", flow.backend, source.option, ");"),
            extra_);
      };
      add_known(routers_.plain, lb_.skip_snat ? kSkipSnat : kPlain);
      add_known(routers_.distributed_plain, lb_.skip_snat ? kSkipSnat : kPlain);
      add_known(routers_.force_snat, lb_.skip_snat ? kSkipSnat : kForceSnat);
      add_known(routers_.distributed_force_snat, lb_.skip_snat ? kSkipSnat : kForceSnat);
      AddFlow(ctx_, routers_.all, Stage::kLrInLbAffLearn, 100, flow.learn_match, flow.learn_actions,
              extra_);
    }
  }

  Context& ctx_;
  const LbVipId& id_;
  const LoadBalancer& lb_;
  const LbVip& vip_;
  const LbRouters& routers_;
  const FlowExtra extra_;
  int priority_ = 110;
  std::string match_;           // Of new connections to the VIP.
  std::string backends_match_;  // Of packets from its backends.
  LbVerdict verdict_;
};

}  // namespace

std::monostate RouterLbVip(Context& ctx, const LbVipId& id) {
  const LbRouters& routers = ctx.Get(kLbRouters, ctx.Get(kLbPlaces, id.first));
  const LoadBalancer& lb = ctx.Get(kLoadBalancer, id.first);
  const LbVip& vip = ctx.Get(kLbVip, id);
  if (routers.all.empty() || !lb.exists || !vip.valid) return {};
  VipOnRouters(ctx, id, lb, vip, routers).Emit();
  return {};
}
constexpr engine::Kind<LbVipId> kRouterLbVip{"router_lb_vip", &RouterLbVip};

std::monostate RouterLb(Context& ctx, const Uuid& lb) {
  if (!ctx.Get(kLoadBalancer, lb).skip_snat) return {};
  AddFlow(ctx, ctx.Get(kLbRouters, ctx.Get(kLbPlaces, lb)).all, Stage::kLrOutSnat, 120,
          "flags.skip_snat_for_lb == 1 && ip", "next;");
  return {};
}
constexpr engine::Kind<Uuid> kRouterLb{"router_lb", &RouterLb};

}  // namespace northd
