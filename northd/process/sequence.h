// The numbers by which a person waits for what was asked (ovn-nb(5) NB_Global, ovn-nbctl --wait):
// nb_cfg goes to the southbound with its consequences, sb_cfg says that they are there.
//
// hv_cfg, how far hypervisors are, is a unit's: sync/hypervisors.h.
#ifndef NORTHD_PROCESS_SEQUENCE_H_
#define NORTHD_PROCESS_SEQUENCE_H_

#include <cstdint>
#include <optional>

#include "northd/output/transaction_text.h"
#include "northd/replica/replica.h"

namespace northd {

class Sequence {
 public:
  explicit Sequence(const Replica* northbound) : northbound_(northbound) {}

  // A pass began at `started_ms` (of the wall clock), and what is now written, or found to need no
  // writing, has the consequences of the present nb_cfg.
  void OnPass(int64_t started_ms);
  // That is committed to the southbound, at `now_ms`; or it is not.
  void OnCommitted(int64_t now_ms);
  void OnFailed() { pending_.reset(); }
  // Adds to a northbound transaction what NB_Global does not say yet.
  void Write(TransactionText* transaction) const;

 private:
  struct Pass {
    int64_t nb_cfg = 0;
    int64_t started_ms = 0;
    int64_t committed_ms = 0;
  };

  const Replica* const northbound_;
  std::optional<Pass> pending_;
  std::optional<Pass> done_;  // The first pass that had committed the number.
};

}  // namespace northd

#endif  // NORTHD_PROCESS_SEQUENCE_H_
