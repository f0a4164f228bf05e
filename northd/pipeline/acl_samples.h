// Sampling of traffic that ACLs match: what they label packets and connections with, and the flows
// of ls_{in,out}_acl_sample and ls_in_acl_after_lb_sample.
#ifndef NORTHD_PIPELINE_ACL_SAMPLES_H_
#define NORTHD_PIPELINE_ACL_SAMPLES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "northd/engine/engine.h"
#include "northd/model/switch_acls.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/row_view.h"

namespace northd {

struct AclTarget;

struct SampleCollector {
  int64_t id = 0;
  int64_t set_id = 0;
  int64_t probability = 0;
};

struct AclSample {
  int64_t metadata = 0;
  std::vector<SampleCollector> collectors;

  // The collector that registers can name; 0: none, or there are several.
  int64_t only_collector() const { return collectors.size() == 1 ? collectors[0].id : 0; }
};

struct AclSamples {
  int64_t label = 0;               // 0: none. Goes before the samples' metadata.
  std::optional<AclSample> fresh;  // `sample_new`.
  std::optional<AclSample> est;    // `sample_est`.

  // Actions that put labels into registers, "" if there is nothing to put. `established`: the
  // connection is going to be labelled, too.
  std::string Label(AclStage stage, bool established) const;
};

AclSamples ReadAclSamples(Context& ctx, const nb::ACL& acl);

void EmitAclSampleFlows(Context& ctx, const AclSamples& samples, AclStage stage,
                        absl::string_view action, const AclTarget& target);

}  // namespace northd

#endif  // NORTHD_PIPELINE_ACL_SAMPLES_H_
