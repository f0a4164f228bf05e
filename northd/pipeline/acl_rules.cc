#include "northd/pipeline/acl_rules.h"

#include <algorithm>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "northd/model/datapaths.h"
#include "northd/model/globals.h"
#include "northd/pipeline/acl_samples.h"
#include "northd/pipeline/stages.h"
#include "northd/replica/lookup.h"
#include "northd/sync/acl_ids.h"
#include "northd/sync/meters.h"

namespace northd {
namespace {

constexpr int kPriorityOffset = 1000;  // Below and above the rules are flows of our own.
constexpr int kLogRelatedPriority = 65533;

constexpr Stage kEvalStages[kNumAclStages] = {Stage::kLsInAclEval, Stage::kLsInAclAfterLbEval,
                                              Stage::kLsOutAclEval};

using OwnedAcl = std::pair<Uuid, Uuid>;  // An ACL, and who has it.

bool IsAllow(absl::string_view action) { return action == "allow" || action == "allow-related"; }

std::string VerdictOf(absl::string_view action) {
  if (action == "drop") return "reg8[17] = 1; ";
  if (action == "reject") return "reg8[18] = 1; ";
  if (action == "pass") return "";
  return "reg8[16] = 1; ";
}

// "log(...); ", or "" if the ACL does not log.
std::string LogOf(Context& ctx, const nb::ACL& acl) {
  if (!acl.log()) return "";
  std::string text = "log(";
  if (const auto name = acl.name()) absl::StrAppend(&text, "name=\"", *name, "\", ");
  const absl::string_view action = acl.action();
  const absl::string_view verdict =
      action == "drop" || action == "reject" || action == "pass" ? action : "allow";
  absl::StrAppend(&text, "severity=", acl.severity().value_or("info"), ", verdict=", verdict);
  if (const auto meter = acl.meter()) {
    const std::string name =
        IsFairMeter(ctx, *meter) ? FairMeterName(*meter, acl.uuid()) : std::string(*meter);
    absl::StrAppend(&text, ", meter=\"", name, "\"");
  }
  absl::StrAppend(&text, "); ");
  return text;
}

// Emits the flows of one ACL for switches that are alike.
class RuleWriter {
 public:
  RuleWriter(Context& ctx, const nb::ACL& acl, const AclTarget& target)
      : ctx_(ctx),
        acl_(acl),
        target_(target),
        stage_(StageOf(acl)),
        action_(acl.action()),
        log_(LogOf(ctx, acl)),
        samples_(ReadAclSamples(ctx, acl)) {}

  void Write() {
    if (action_ == "allow-stateless" && target_.acls.is_stateful()) WriteStateless();
    if (!target_.acls.is_stateful() || action_ == "pass" || action_ == "allow-stateless") {
      WritePlain();
    } else if (IsAllow(action_)) {
      WriteAllow();
    } else {
      WriteDeny();
    }
    EmitAclSampleFlows(ctx_, samples_, stage_, action_, target_);
  }

 private:
  void Add(Stage stage, int priority, absl::string_view match, absl::string_view actions) {
    AddFlow(ctx_, target_.datapaths, stage, priority, match, actions, {.hint = acl_.uuid()});
  }

  // A rule whose match also has `condition`.
  void AddRule(absl::string_view condition, absl::string_view actions) {
    std::string match;
    if (target_.acls.is_tiered(stage_)) {
      absl::StrAppend(&match, "reg8[30..31] == ", acl_.tier(), " && ");
    }
    absl::StrAppend(&match, condition, "(", acl_.match(), ")");
    Add(kEvalStages[static_cast<size_t>(stage_)], Priority(), match, actions);
  }

  int Priority() const { return static_cast<int>(acl_.priority()) + kPriorityOffset; }
  std::string LogAndVerdict() const { return absl::StrCat(log_, VerdictOf(action_)); }

  // Such packets bypass connection tracking.
  void WriteStateless() {
    Add(stage_ == AclStage::kEgress ? Stage::kLsOutPreAcl : Stage::kLsInPreAcl, Priority(),
        acl_.match(), "reg0[16] = 1; next;");
  }

  void WritePlain() {
    AddRule("",
            absl::StrCat(LogAndVerdict(), samples_.Label(stage_, /*established=*/false), "next;"));
  }

  void WriteAllow() {
    const std::string label = samples_.Label(stage_, /*established=*/true);
    // Of a connection that is new, or to be allowed again.
    std::string persist;
    // Which takes controllers that can find connections by their label once the ACL is gone.
    if (PersistsEstablished(acl_) && GetGlobals(ctx_).features.ct_label_flush) {
      if (const int64_t id = AclId(ctx_, acl_.uuid())) {
        persist = absl::StrCat("reg2[16..31] = ", id, "; reg0[20] = 1; ");
      }
    }
    AddRule("reg0[7] == 1 && ",
            absl::StrCat(LogAndVerdict(), "reg0[1] = 1; ", persist, label, "next;"));
    // Of one that exists. It is committed again only for what it is labelled with.
    const absl::string_view commit = samples_.label != 0 || samples_.est ? "reg0[1] = 1; " : "";
    AddRule("reg0[8] == 1 && ", absl::StrCat(LogAndVerdict(), commit, label, "next;"));
    if (acl_.log() && acl_.label() != 0 && acl_.options().GetBool("log-related", false)) {
      WriteLogRelated();
    }
  }

  // Replies, and what is related, pass in the other direction, where they are to be logged, too.
  void WriteLogRelated() {
    const Stage stage = stage_ == AclStage::kEgress ? Stage::kLsInAclEval : Stage::kLsOutAclEval;
    const std::string actions = absl::StrCat(log_, "reg8[16] = 1; next;");
    const std::string not_invalid = GetGlobals(ctx_).and_not_ct_inv();
    Add(stage, kLogRelatedPriority,
        absl::StrCat("ct.est && !ct.rel && !ct.new", not_invalid,
                     " && ct.rpl && ct_mark.blocked == 0 && ct_label.label == ", acl_.label()),
        actions);
    Add(stage, kLogRelatedPriority,
        absl::StrCat("!ct.est && ct.rel && !ct.new", not_invalid,
                     " && ct_mark.blocked == 0 && ct_label.label == ", acl_.label()),
        actions);
  }

  void WriteDeny() {
    const std::string label = samples_.Label(stage_, /*established=*/false);
    // Of a connection that is not, or not allowed.
    AddRule("reg0[9] == 1 && ", absl::StrCat(LogAndVerdict(), label, "next;"));
    // Of one that was allowed before.
    AddRule("reg0[10] == 1 && ",
            absl::StrCat(LogAndVerdict(), label,
                         "ct_commit { ct_mark.blocked = 1; ct_label.obs_point_id = ",
                         samples_.est ? samples_.est->metadata : 0, "; }; next;"));
  }

  Context& ctx_;
  const nb::ACL& acl_;
  const AclTarget& target_;
  const AclStage stage_;
  const absl::string_view action_;
  const std::string log_;
  const AclSamples samples_;
};

std::monostate EmitRule(Context& ctx, const OwnedAcl& id) {
  const auto acl = Row<nb::ACL>(ctx, id.first);
  if (!acl) return {};
  for (const AclTarget& target : ctx.Get(kAclTargets, id.second)) {
    RuleWriter(ctx, acl, target).Write();
  }
  return {};
}
constexpr engine::Kind<OwnedAcl> kRule{"acl_rule", &EmitRule};

// Says what is special about an ACL to all switches that it is on.
std::monostate EmitFacts(Context& ctx, const OwnedAcl& id) {
  const auto acl = Row<nb::ACL>(ctx, id.first);
  if (!acl) return {};
  auto& facts = ctx.world().acl_facts;
  facts.Emit(ctx, id.second, FactOf(AclFact::kAny));
  if (acl.action() == "allow-related") {
    facts.Emit(ctx, id.second, FactOf(AclFact::kAllowRelated));
  }
  if (acl.tier() != 0) facts.Emit(ctx, id.second, TierFact(StageOf(acl), acl.tier()));
  return {};
}
constexpr engine::Kind<OwnedAcl> kFactsOfAcl{"facts_of_acl", &EmitFacts};

void RequireRules(Context& ctx, const Uuid& owner, absl::Span<const Uuid> acls) {
  // The facts first: rules depend on them.
  for (const Uuid& acl : acls) ctx.Require(kFactsOfAcl, OwnedAcl(acl, owner));
  for (const Uuid& acl : acls) ctx.Require(kRule, OwnedAcl(acl, owner));
}

}  // namespace

AclStage StageOf(const nb::ACL& acl) {
  if (acl.direction() == "to-lport") return AclStage::kEgress;
  return acl.options().GetBool("apply-after-lb", false) ? AclStage::kIngressAfterLb
                                                        : AclStage::kIngress;
}

std::vector<AclTarget> ComputeAclTargets(Context& ctx, const Uuid& owner) {
  std::map<uint32_t, DatapathBits> alike;
  const auto add = [&](const Uuid& sw) {
    const Datapath& datapath = ctx.Get(kDatapath, sw);
    if (datapath.exists) alike[ctx.Get(kSwitchAcls, sw).Pack()].Add(datapath.number);
  };
  if (Row<nb::LogicalSwitch>(ctx, owner)) {
    add(owner);
  } else {
    for (const Uuid& sw : ctx.Get(kSwitchesOf, owner)) add(sw);
  }
  std::vector<AclTarget> targets;
  for (const auto& [packed, bits] : alike) {
    targets.push_back({SwitchAcls::Unpack(packed), ctx.world().datapath_sets.Make(bits)});
  }
  return targets;
}
constexpr engine::Kind<Uuid, std::vector<AclTarget>> kAclTargets{"acl_targets", &ComputeAclTargets,
                                                                 /*is_cutoff=*/true};

std::monostate EmitSwitchAclRules(Context& ctx, const Uuid& uuid) {
  if (const auto sw = Row<nb::LogicalSwitch>(ctx, uuid)) RequireRules(ctx, uuid, sw.acls());
  return {};
}
constexpr engine::Kind<Uuid> kSwitchAclRules{"switch_acl_rules", &EmitSwitchAclRules};

std::monostate EmitPortGroupAclRules(Context& ctx, const Uuid& uuid) {
  if (const auto group = Row<nb::PortGroup>(ctx, uuid)) RequireRules(ctx, uuid, group.acls());
  return {};
}
constexpr engine::Kind<Uuid> kPortGroupAclRules{"port_group_acl_rules", &EmitPortGroupAclRules};

}  // namespace northd
