// What takes so long that somebody may notice: a line in the log, a count, and the last few of all
// kinds for people to look at. Loop thread only.
#ifndef SERVER_BASE_SLOW_H_
#define SERVER_BASE_SLOW_H_

#include <cstdint>
#include <deque>
#include <string>

#include "absl/strings/string_view.h"

namespace base {

// From here on a thing is slow.
inline constexpr int64_t kSlowMs = 100;

enum class SlowKind { kTransaction, kSync, kTurn, kClient };
inline constexpr int kSlowKinds = 4;
absl::string_view SlowKindName(SlowKind kind);  // "transaction", "fsync", "stall", "client"

struct SlowThing {
  SlowKind kind;
  int64_t wall_ms;
  std::string text;  // What took how long, and why.
};

// `text` is logged as a warning of the module "slow", not too often for each kind.
void NoteSlow(SlowKind kind, std::string text);

// The newest first, at most 20.
const std::deque<SlowThing>& SlowThings();
uint64_t SlowCount(SlowKind kind);  // Since the process started.

}  // namespace base

#endif  // SERVER_BASE_SLOW_H_
