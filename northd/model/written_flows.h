// Numbers that only logical flows hold - of ECMP groups and their members, route tables and policy
// chains - as they stand in the southbound when the translator starts: what has one there keeps it.
#ifndef NORTHD_MODEL_WRITTEN_FLOWS_H_
#define NORTHD_MODEL_WRITTEN_FLOWS_H_

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "northd/engine/engine.h"
#include "northd/pipeline/stages.h"
#include "northd/rows/row_view.h"
#include "ovsdb/uuid.h"

namespace northd {

// What `f` makes of the first ingress flow of the Datapath_Binding for which that is not 0; 0 if
// there is none. Only flows that hold such numbers are looked at.
struct WrittenFlow {
  int64_t priority;
  std::string match;
  std::string actions;
  uint32_t hint = 0;  // See HintOf(); 0: none.
  bool operator==(const WrittenFlow& o) const = default;
};
int64_t WrittenNumber(Context& ctx, const Uuid& sb_datapath, Stage stage,
                      absl::FunctionRef<int64_t(const WrittenFlow& flow)> f);

// The number that comes after `prefix` in `text` ("reg7 = " in "reg7 = 2; next;"); 0 if none does.
int64_t NumberAfter(absl::string_view text, absl::string_view prefix);

}  // namespace northd

#endif  // NORTHD_MODEL_WRITTEN_FLOWS_H_
