#include "northd/pipeline/acl.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "northd/model/copp.h"
#include "northd/model/datapaths.h"
#include "northd/model/globals.h"
#include "northd/model/load_balancers.h"
#include "northd/model/ports.h"
#include "northd/model/switch_acls.h"
#include "northd/output/flow_table.h"
#include "northd/pipeline/stages.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"

namespace northd {
namespace {

constexpr absl::string_view kAll = "1";
constexpr absl::string_view kNext = "next;";
constexpr absl::string_view kAllow = "reg8[16] = 1; next;";

// A stage's flow for what nothing else matches.
constexpr int kLowest = 0;
// What packets that a connection's state settles, or that always pass, have.
constexpr int kSettled = 65532;
constexpr int kSkipAll = 65535;
constexpr int kFromController = 34000;

// An AclState: SwitchAcls packed, and whether the switch has a meter of its own for rejections, so
// that it does not share the flow which rejects.
constexpr uint32_t kOwnReject = 1u << 31;

constexpr Stage kActionStages[kNumAclStages] = {Stage::kLsInAclAction, Stage::kLsInAclAfterLbAction,
                                                Stage::kLsOutAclAction};
constexpr Stage kEvalStages[kNumAclStages] = {Stage::kLsInAclEval, Stage::kLsInAclAfterLbEval,
                                              Stage::kLsOutAclEval};

std::string RejectActions(AclStage stage, bool tiered) {
  // What rejects goes back the way that the packet came, past the ACLs there.
  const Stage back = InfoOf(kEvalStages[static_cast<size_t>(stage)]).ingress ? Stage::kLsOutQos
                                                                             : Stage::kLsInL2Lkup;
  return absl::StrCat(
      "reg8[16] = 0; reg8[17] = 0; reg8[18] = 0; ", tiered ? "reg8[30..31] = 0; " : "",
      "reg0 = 0; reject { /* eth.dst <-> eth.src; ip.dst <-> ip.src; is implicit. */ "
      "outport <-> inport; next(pipeline=",
      InfoOf(back).ingress ? "ingress" : "egress", ",table=", InfoOf(back).table, "); };");
}

constexpr int kVerdictPriority = 1000;
constexpr absl::string_view kRejected = "reg8[18] == 1";

// Emits the flows of all switches of one state.
class StateFlows {
 public:
  StateFlows(Context& ctx, const SwitchAcls& acls, bool own_reject, DatapathSet datapaths)
      : ctx_(ctx),
        acls_(acls),
        own_reject_(own_reject),
        datapaths_(std::move(datapaths)),
        globals_(GetGlobals(ctx)) {}

  void Write() {
    PreAcl();
    PreLb();
    PreStateful();
    Hint();
    Eval();
    Sample();
    for (size_t i = 0; i < kNumAclStages; ++i) Action(static_cast<AclStage>(i));
    Stateful();
  }

 private:
  void Add(Stage stage, int priority, absl::string_view match, absl::string_view actions) {
    AddFlow(ctx_, datapaths_, stage, priority, match, actions);
  }
  void AddBoth(Stage in, Stage out, int priority, absl::string_view match,
               absl::string_view actions) {
    Add(in, priority, match, actions);
    Add(out, priority, match, actions);
  }

  void PreAcl() {
    constexpr Stage kIn = Stage::kLsInPreAcl;
    constexpr Stage kOut = Stage::kLsOutPreAcl;
    AddBoth(kIn, kOut, kLowest, kAll, kNext);
    Add(kIn, 110, "eth.dst == $svc_monitor_mac", kNext);
    Add(kOut, 110, "eth.src == $svc_monitor_mac", kNext);
    if (!acls_.has_allow_related) return;
    AddBoth(kIn, kOut, 110,
            "nd || nd_rs || nd_ra || mldv1 || mldv2 || "
            "(udp && udp.src == 546 && udp.dst == 547)",
            kNext);
    AddBoth(kIn, kOut, 110, "eth.mcast", kNext);
    // What a tunnel says about its packets' size is not of a connection here.
    Add(kIn, 110,
        "((ip4 && icmp4.type == 3 && icmp4.code == 4) || (ip6 && icmp6.type == 2 && "
        "icmp6.code == 0)) && flags.tunnel_rx == 1",
        kNext);
    AddBoth(kIn, kOut, 100, "ip", "reg0[0] = 1; next;");
  }

  void PreLb() {
    constexpr Stage kIn = Stage::kLsInPreLb;
    constexpr Stage kOut = Stage::kLsOutPreLb;
    AddBoth(kIn, kOut, kLowest, kAll, kNext);
    AddBoth(kIn, kOut, 110, "nd || nd_rs || nd_ra || mldv1 || mldv2", kNext);
    AddBoth(kIn, kOut, 110, "eth.mcast", kNext);
    Add(kIn, 110,
        "((ip4 && icmp4.type == 3 && icmp4.code == 4) ||(ip6 && icmp6.type == 2 && "
        "icmp6.code == 0)) && flags.tunnel_rx == 1",
        kNext);
    Add(kIn, 110, "eth.dst == $svc_monitor_mac", kNext);
    Add(kOut, 110, "eth.src == $svc_monitor_mac", kNext);
    AddBoth(kIn, kOut, 110, "reg0[16] == 1", kNext);
    if (acls_.has_lb_vips) AddBoth(kIn, kOut, 100, "ip", "reg0[2] = 1; next;");
  }

  void PreStateful() {
    constexpr Stage kIn = Stage::kLsInPreStateful;
    constexpr Stage kOut = Stage::kLsOutPreStateful;
    AddBoth(kIn, kOut, kLowest, kAll, kNext);
    AddBoth(kIn, kOut, 100, "reg0[0] == 1", "ct_next;");
    AddBoth(kIn, kOut, 110, "reg0[2] == 1", "ct_lb_mark;");
    // Fragments may lack the ports that VIPs are matched by.
    Add(kIn, 115, "reg0[2] == 1 && ip.is_frag", "reg0[19] = 1; ct_lb_mark;");
  }

  bool has_acls_or_lb() const { return acls_.has_acls || acls_.has_lb_vips; }

  void Hint() {
    constexpr Stage kIn = Stage::kLsInAclHint;
    constexpr Stage kOut = Stage::kLsOutAclHint;
    AddBoth(kIn, kOut, has_acls_or_lb() ? kLowest : kSkipAll, kAll, kNext);
    if (!acls_.is_stateful()) return;
    const auto add = [&](int priority, absl::string_view match, absl::string_view actions) {
      AddBoth(kIn, kOut, priority, match, actions);
    };
    add(7, "ct.new && !ct.est", "reg0[7] = 1; reg0[9] = 1; next;");
    add(6, "!ct.new && ct.est && !ct.rpl && ct_mark.blocked == 1",
        "reg0[7] = 1; reg0[9] = 1; next;");
    add(5, "!ct.trk", "reg0[8] = 1; reg0[9] = 1; next;");
    add(4, "!ct.new && ct.est && !ct.rpl && ct_mark.blocked == 0",
        "reg0[8] = 1; reg0[10] = 1; next;");
    add(3, "!ct.est", "reg0[9] = 1; next;");
    add(2, "ct.est && ct_mark.blocked == 1", "reg0[9] = 1; next;");
    add(1, "ct.est && ct_mark.blocked == 0", "reg0[10] = 1; next;");
  }

  void Eval() {
    constexpr Stage kIn = Stage::kLsInAclEval;
    constexpr Stage kAfterLb = Stage::kLsInAclAfterLbEval;
    constexpr Stage kOut = Stage::kLsOutAclEval;
    AddBoth(kIn, kOut, has_acls_or_lb() ? kLowest : kSkipAll, kAll, kNext);
    Add(kAfterLb, kLowest, kAll, kNext);
    for (Stage stage : kEvalStages) {
      Add(stage, kSettled, "nd || nd_ra || nd_rs || mldv1 || mldv2", kAllow);
    }
    if (has_acls_or_lb()) {
      Add(kIn, kFromController, "eth.dst == $svc_monitor_mac", kAllow);
      Add(kOut, kFromController, "eth.src == $svc_monitor_mac", kAllow);
    }
    if (acls_.has_dns_records) {
      Add(kOut, kFromController, "flags.from_ctrl && udp.src == 53",
          acls_.is_stateful() ? "reg8[16] = 1; ct_commit; next;" : kAllow);
    }
    if (!acls_.is_stateful()) return;

    // What no ACL decides is committed all the same: the other end may have ACLs that need it.
    AddBoth(kIn, kOut, 1, "ip && !ct.est",
            globals_.default_acl_drop ? kNext : "reg0[1] = 1; next;");
    AddBoth(kIn, kOut, 1, "ip && ct.est && ct_mark.blocked == 1",
            "reg0[1] = 1; reg8[16] = 1; next;");
    AddBoth(kIn, kOut, kSettled,
            absl::StrCat(globals_.or_ct_inv(), "(ct.est && ct.rpl && ct_mark.blocked == 1)"),
            "reg8[17] = 1; next;");
    const std::string reply =
        absl::StrCat("ct.est && !ct.rel && !ct.new", globals_.and_not_ct_inv(),
                     " && ct.rpl && ct_mark.blocked == 0");
    Add(kIn, kSettled, reply, "reg0[9] = 0; reg0[10] = 0; reg0[17] = 1; reg8[16] = 1; next;");
    Add(kOut, kSettled, reply, kAllow);
    const std::string related = absl::StrCat("!ct.est && ct.rel && !ct.new",
                                             globals_.and_not_ct_inv(), " && ct_mark.blocked == 0");
    Add(kIn, kSettled, related, "reg0[17] = 1; reg8[16] = 1; ct_commit_nat;");
    Add(kOut, kSettled, related, "reg8[16] = 1; ct_commit_nat;");
    Add(kIn, kSettled, "ct.est && ct_mark.allow_established == 1",
        "reg0[21] = 1; reg8[16] = 1; next;");
    Add(kOut, kSettled, "ct.est && ct_mark.allow_established == 1", kAllow);
    // Allowed before the load balancers, allowed after them.
    Add(kAfterLb, kSettled, "reg0[17] == 1", kAllow);
    Add(kAfterLb, kSettled, "reg0[21] == 1", kAllow);
  }

  void Sample() {
    for (Stage stage :
         {Stage::kLsInAclSample, Stage::kLsInAclAfterLbSample, Stage::kLsOutAclSample}) {
      Add(stage, kLowest, kAll, kNext);
    }
  }

  void Action(AclStage stage) {
    const Stage action = kActionStages[static_cast<size_t>(stage)];
    if (!acls_.has_acls) {
      Add(action, kLowest, kAll, kNext);
      return;
    }
    const bool tiered = acls_.is_tiered(stage);
    const std::string reset = absl::StrCat("reg8[16] = 0; reg8[17] = 0; reg8[18] = 0; ",
                                           tiered ? "reg8[30..31] = 0; " : "");
    Add(action, kVerdictPriority, "reg8[16] == 1", absl::StrCat(reset, kNext));
    Add(action, kVerdictPriority, "reg8[17] == 1",
        absl::StrCat(reset, globals_.implicit_drop_action));
    if (!own_reject_) Add(action, kVerdictPriority, kRejected, RejectActions(stage, tiered));
    Add(action, kLowest, kAll,
        absl::StrCat(
            reset, globals_.default_acl_drop ? globals_.implicit_drop_action : std::string(kNext)));
    // The next tier's turn.
    const StageInfo& eval = InfoOf(kEvalStages[static_cast<size_t>(stage)]);
    for (int tier = 0; tier < acls_.max_tier[static_cast<size_t>(stage)]; ++tier) {
      Add(action, 500, absl::StrCat("reg8[30..31] == ", tier),
          absl::StrCat("reg8[30..31] = ", tier + 1, "; next(pipeline=",
                       eval.ingress ? "ingress" : "egress", ",table=", eval.table, ");"));
    }
  }

  void Stateful() {
    constexpr Stage kIn = Stage::kLsInStateful;
    constexpr Stage kOut = Stage::kLsOutStateful;
    AddBoth(kIn, kOut, kLowest, kAll, kNext);
    AddBoth(kIn, kOut, 100, "reg0[1] == 1 && reg0[13] == 0",
            "ct_commit { ct_mark.blocked = 0; ct_mark.allow_established = reg0[20]; "
            "ct_label.acl_id = reg2[16..31]; }; next;");
    AddBoth(kIn, kOut, 100, "reg0[1] == 1 && reg0[13] == 1",
            "ct_commit { ct_mark.blocked = 0; ct_mark.allow_established = reg0[20]; "
            "ct_mark.obs_stage = reg8[19..20]; ct_mark.obs_collector_id = reg8[8..15]; "
            "ct_label.obs_point_id = reg9; ct_label.acl_id = reg2[16..31]; }; next;");
  }

  Context& ctx_;
  const SwitchAcls& acls_;
  const bool own_reject_;
  const DatapathSet datapaths_;
  const Globals& globals_;
};

// Reading a relation is a unit's whole business.
DatapathSet ComputeDatapathsOfState(Context& ctx, const uint32_t& state) {
  DatapathBits bits;
  for (DatapathNumber n : ctx.world().datapaths_by_acl_state.Read(ctx, state)) bits.Add(n);
  return ctx.world().datapath_sets.Make(bits);
}
constexpr engine::Kind<uint32_t, DatapathSet> kDatapathsOfState{"datapaths_of_acl_state",
                                                                &ComputeDatapathsOfState};

std::monostate EmitStateFlows(Context& ctx, const uint32_t& state) {
  const DatapathSet datapaths = ctx.Get(kDatapathsOfState, state);
  const SwitchAcls acls = SwitchAcls::Unpack(state & ~kOwnReject);
  StateFlows(ctx, acls, (state & kOwnReject) != 0, datapaths).Write();
  return {};
}
constexpr engine::Kind<uint32_t> kStateFlows{"acl_state_flows", &EmitStateFlows};

}  // namespace

std::monostate EmitSwitchAclFlows(Context& ctx, const Uuid& sw) {
  const Datapath& datapath = ctx.Get(kDatapath, sw);
  if (!datapath.exists) return {};
  const SwitchAcls& acls = ctx.Get(kSwitchAcls, sw);
  uint32_t state = acls.Pack();
  if (acls.has_acls) {
    const std::string& meter = CoppMeter(ctx, sw, "reject");
    if (!meter.empty()) {
      state |= kOwnReject;
      for (size_t i = 0; i < kNumAclStages; ++i) {
        const auto stage = static_cast<AclStage>(i);
        AddFlow(ctx, datapath.number, kActionStages[i], kVerdictPriority, kRejected,
                RejectActions(stage, acls.is_tiered(stage)), {.meter = meter});
      }
    }
  }
  ctx.world().datapaths_by_acl_state.Emit(ctx, state, datapath.number);
  ctx.Require(kStateFlows, state);
  return {};
}
constexpr engine::Kind<Uuid> kSwitchAclFlows{"switch_acl_flows", &EmitSwitchAclFlows};

std::monostate EmitPortAclFlows(Context& ctx, const Uuid& uuid) {
  const auto row = Row<nb::LogicalSwitchPort>(ctx, uuid);
  if (!row || (row.type() != "router" && row.type() != "localnet")) return {};
  const SwitchPort& port = ctx.Get(kSwitchPortModel, uuid);
  if (!port.exists) return {};
  const Datapath& datapath = ctx.Get(kDatapath, port.switch_uuid);
  if (!datapath.exists) return {};
  // A router port that leads nowhere is as any other.
  const RouterPort peer =
      port.is_router() ? ctx.Get(kRouterPortModel, PeerOf(ctx, port)) : RouterPort();
  if (port.is_router() && !peer.exists) return {};
  const bool stateful = ctx.Get(kSwitchAcls, port.switch_uuid).has_allow_related;
  const auto skip = [&](Stage in, Stage out) {
    const FlowExtra extra = {.hint = uuid, .port = port.name};
    AddFlow(ctx, datapath.number, in, 110, absl::StrCat("ip && inport == ", port.json_name), kNext,
            extra);
    AddFlow(ctx, datapath.number, out, 110, absl::StrCat("ip && outport == ", port.json_name),
            stateful ? kNext : "ct_clear; next;", extra);
  };
  // What comes in from outside may be for a VIP.
  if (port.is_router() || !ctx.Get(kSwitchHasLbVips, port.switch_uuid)) {
    skip(Stage::kLsInPreLb, Stage::kLsOutPreLb);
  }
  if (!stateful) return {};
  // ACLs of a distributed gateway port may be asked for.
  if (peer.is_distributed_gateway && row.options().GetBool("enable_router_port_acl", false)) {
    return {};
  }
  skip(Stage::kLsInPreAcl, Stage::kLsOutPreAcl);
  return {};
}
constexpr engine::Kind<Uuid> kPortAclFlows{"port_acl_flows", &EmitPortAclFlows};

}  // namespace northd
