// Numbers that only logical flows hold - of ECMP groups and their members, route tables and policy
// chains - as they stand in the southbound when the translator starts: what has one there keeps it.
#ifndef NORTHD_MODEL_WRITTEN_FLOWS_H_
#define NORTHD_MODEL_WRITTEN_FLOWS_H_

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "northd/engine/engine.h"
#include "northd/pipeline/stages.h"
#include "northd/rows/row_view.h"
#include "ovsdb/uuid.h"

namespace northd {

struct WrittenFlow {
  int64_t priority;
  std::string match;
  std::string actions;
  uint32_t hint = 0;  // See HintOf(); 0: none.
  bool operator==(const WrittenFlow& o) const = default;
};
// By Datapath_Binding and ingress table; only flows that hold such numbers.
using WrittenFlows = absl::flat_hash_map<std::pair<Uuid, int>, std::vector<WrittenFlow>>;
WrittenFlows ComputeWrittenFlows(Context& ctx, const std::monostate&);
extern const engine::Kind<std::monostate, WrittenFlows> kWrittenFlows;

// What `f` makes of the first ingress flow of the Datapath_Binding for which that is not 0; 0 if
// there is none.
int64_t WrittenNumber(Context& ctx, const Uuid& sb_datapath, Stage stage,
                      absl::FunctionRef<int64_t(const WrittenFlow& flow)> f);

// The number that comes after `prefix` in `text` ("reg7 = " in "reg7 = 2; next;"); 0 if none does.
int64_t NumberAfter(absl::string_view text, absl::string_view prefix);

}  // namespace northd

#endif  // NORTHD_MODEL_WRITTEN_FLOWS_H_
