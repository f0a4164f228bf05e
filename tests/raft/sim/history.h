// What clients saw, and whether a list that many write and read could have shown it to them.
#ifndef TESTS_RAFT_SIM_HISTORY_H_
#define TESTS_RAFT_SIM_HISTORY_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "absl/status/status.h"

namespace raft::sim {

inline constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

// One request of a client. Moments are numbers that grow with time.
struct Operation {
  enum Kind { kAppend, kRead };
  enum Outcome { kUnknown, kDone, kRefused };

  Kind kind = kAppend;
  Outcome outcome = kUnknown;
  // Of the server that was asked, in one of its lives: what it shows never goes back.
  uint64_t session = 0;
  uint64_t invoked = 0;
  uint64_t answered = kNever;
  uint64_t number = 0;  // That was appended, no other like it; or for kRead the list's last, or 0.
  size_t length = 0;    // Of the list: with the appended number, or as read. If kDone.
};

// Checks a history against the list that all ended up with. The rules:
//  - what was acknowledged is in the list, where the answer said; what was refused is not;
//  - each shows a beginning of the list, with nothing in it that nobody had asked for yet; so
//    appends are linearizable: one that began after another was acknowledged comes behind it;
//  - in a session nothing goes back: neither reads nor what was appended there.
// A read may be stale, as in OVSDB, where servers answer reads from what they have.
absl::Status CheckHistory(const std::vector<uint64_t>& list, const std::vector<Operation>& history);

}  // namespace raft::sim

#endif  // TESTS_RAFT_SIM_HISTORY_H_
