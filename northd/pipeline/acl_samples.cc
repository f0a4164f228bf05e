#include "northd/pipeline/acl_samples.h"

#include "absl/strings/str_cat.h"
#include "northd/model/globals.h"
#include "northd/output/flow_table.h"
#include "northd/pipeline/acl_rules.h"
#include "northd/pipeline/stages.h"
#include "northd/replica/lookup.h"

namespace northd {
namespace {

constexpr Stage kSampleStages[kNumAclStages] = {Stage::kLsInAclSample, Stage::kLsInAclAfterLbSample,
                                                Stage::kLsOutAclSample};

// Priorities. A sample with one collector shares flows with others of this collector, through
// registers; else it has flows of its own.
constexpr int kSharedStateless = 900;
constexpr int kShared = 1000;
constexpr int kOwnNew = 1100;
constexpr int kOwnEstablished = 1200;

// Of a collector's set_id, what goes to actions, as the reference has it.
constexpr int64_t kSetIds = 0xff;

constexpr absl::string_view kEstablished = "ip && ct.trk && (ct.est || ct.rel) && ";

std::optional<AclSample> ReadSample(Context& ctx, const std::optional<Uuid>& uuid) {
  if (!uuid) return std::nullopt;
  const auto row = Row<nb::Sample>(ctx, *uuid);
  if (!row) return std::nullopt;
  AclSample sample;
  sample.metadata = row.metadata();
  for (const Uuid& collector : row.collectors()) {
    const auto it = Row<nb::SampleCollector>(ctx, collector);
    if (it) sample.collectors.push_back({it.id(), it.set_id() & kSetIds, it.probability()});
  }
  return sample;
}

std::string SampleAction(const SampleCollector& collector, int64_t domain,
                         absl::string_view point) {
  return absl::StrCat("sample(probability=", collector.probability,
                      ",collector_set=", collector.set_id, ",obs_domain=", domain,
                      ",obs_point=", point, ");");
}

// Emits the flows of an ACL's samples for switches that are alike.
class SampleWriter {
 public:
  SampleWriter(Context& ctx, const AclSamples& samples, AclStage stage, const AclTarget& target)
      : ctx_(ctx),
        samples_(samples),
        stage_(stage),
        target_(target),
        by_register_(GetGlobals(ctx).features.sample_with_registers) {}

  void WriteNew(bool stateful) {
    const AclSample& sample = *samples_.fresh;
    std::string match = "ip && ";
    if (stateful) {
      absl::StrAppend(&match, stage_ == AclStage::kEgress ? "(ct.new || !ct.trk)" : "ct.new",
                      " && ");
    }
    const Stage stage = kSampleStages[static_cast<size_t>(stage_)];
    const int64_t domain = GetGlobals(ctx_).sampling_apps.acl_new;
    if (IsShared(sample)) {
      absl::StrAppend(&match, "reg8[0..7] == ", sample.only_collector(),
                      " && reg8[19..20] == ", static_cast<int>(stage_));
      AddShared(stage, stateful ? kShared : kSharedStateless, match, sample, domain, "reg3");
    } else {
      absl::StrAppend(&match, "reg3 == ", PointOf(sample));
      AddOwn(stage, kOwnNew, match, sample, domain);
    }
  }

  void WriteEstablished() {
    const AclSample& sample = *samples_.est;
    // Replies pass in the other direction.
    const Stage reply_stage =
        stage_ == AclStage::kEgress ? Stage::kLsInAclSample : Stage::kLsOutAclSample;
    const Stage stage = kSampleStages[static_cast<size_t>(stage_)];
    const int64_t domain = GetGlobals(ctx_).sampling_apps.acl_est;
    if (IsShared(sample)) {
      const std::string collector =
          absl::StrCat(" && ct_mark.obs_collector_id == ", sample.only_collector());
      AddShared(stage, kShared,
                absl::StrCat(kEstablished, "ct_label.obs_unused == 0 && !ct.rpl", collector,
                             " && ct_mark.obs_stage == ", static_cast<int>(stage_)),
                sample, domain, "ct_label.obs_point_id");
      AddShared(reply_stage, kShared,
                absl::StrCat(kEstablished, "ct_label.obs_unused == 0 && ct.rpl", collector), sample,
                domain, "ct_label.obs_point_id");
      return;
    }
    const std::string point = absl::StrCat(" && ct_label.obs_point_id == ", PointOf(sample),
                                           " && ct_label.obs_unused == 0");
    AddOwn(stage, kOwnEstablished, absl::StrCat(kEstablished, "!ct.rpl", point), sample, domain);
    AddOwn(reply_stage, kOwnEstablished, absl::StrCat(kEstablished, "ct.rpl", point), sample,
           domain);
  }

 private:
  bool IsShared(const AclSample& sample) const {
    return by_register_ && sample.collectors.size() == 1;
  }
  int64_t PointOf(const AclSample& sample) const {
    return samples_.label != 0 ? samples_.label : sample.metadata;
  }

  void AddShared(Stage stage, int priority, absl::string_view match, const AclSample& sample,
                 int64_t domain, absl::string_view point) {
    AddFlow(ctx_, target_.datapaths, stage, priority, match,
            absl::StrCat(SampleAction(sample.collectors[0], domain, point), " next;"));
  }

  void AddOwn(Stage stage, int priority, absl::string_view match, const AclSample& sample,
              int64_t domain) {
    // Without an application that takes the samples nothing is to be done, not even to go on.
    std::string actions;
    if (domain != 0) {
      for (const SampleCollector& collector : sample.collectors) {
        // Labels are of no domain.
        absl::StrAppend(&actions, SampleAction(collector, samples_.label != 0 ? 0 : domain,
                                               absl::StrCat(PointOf(sample))));
      }
      absl::StrAppend(&actions, " next;");
    }
    AddFlow(ctx_, target_.datapaths, stage, priority, match, actions);
  }

  Context& ctx_;
  const AclSamples& samples_;
  const AclStage stage_;
  const AclTarget& target_;
  const bool by_register_;
};

}  // namespace

std::string AclSamples::Label(AclStage stage, bool established) const {
  if (label == 0 && !fresh && !(established && est)) return "";
  int64_t new_point = label;
  int64_t est_point = label;
  int64_t new_collector = 0;
  int64_t est_collector = 0;
  if (label == 0) {
    if (fresh) {
      new_point = fresh->metadata;
      new_collector = fresh->only_collector();
    }
    if (established && est) {
      est_point = est->metadata;
      est_collector = est->only_collector();
    }
  }
  return absl::StrCat("reg0[13] = 1; reg3 = ", new_point, "; reg9 = ", est_point,
                      "; reg8[0..7] = ", new_collector, "; reg8[8..15] = ", est_collector,
                      "; reg8[19..20] = ", static_cast<int>(stage), "; ");
}

AclSamples ReadAclSamples(Context& ctx, const nb::ACL& acl) {
  return {acl.label(), ReadSample(ctx, acl.sample_new()), ReadSample(ctx, acl.sample_est())};
}

void EmitAclSampleFlows(Context& ctx, const AclSamples& samples, AclStage stage,
                        absl::string_view action, const AclTarget& target) {
  const bool stateful = target.acls.has_allow_related && action != "allow-stateless";
  const bool established = samples.est && stateful;
  if (!samples.fresh && !(established && action == "allow-related")) return;
  SampleWriter writer(ctx, samples, stage, target);
  if (samples.fresh) writer.WriteNew(stateful);
  if (established) writer.WriteEstablished();
}

}  // namespace northd
