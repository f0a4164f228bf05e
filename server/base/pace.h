// How many messages of one connection to handle in a turn of the loop, so that a turn with much to
// do takes some milliseconds, whatever the messages cost: what they cause at the end of the turn
// (updates for hundreds of clients, say) may be most of it.
#ifndef SERVER_BASE_PACE_H_
#define SERVER_BASE_PACE_H_

#include <algorithm>
#include <cstdint>

namespace base {

class Pace {
 public:
  static constexpr int kMost = 100;

  // The allowance in a turn (Loop::turn), when the last one took `last_turn_ms`.
  int Allowance(uint64_t turn, int64_t last_turn_ms) {
    if (turn == turn_) return allowance_;
    if (turn == turn_ + 1) Learn(last_turn_ms);
    turn_ = turn;
    handled_ = 0;
    return allowance_;
  }
  // So many messages of a connection were handled in this turn.
  void Handled(int n) { handled_ = std::max(handled_, n); }

 private:
  static constexpr int64_t kShortMs = 4;
  static constexpr int64_t kLongMs = 8;

  void Learn(int64_t ms) {
    if (ms > kLongMs && handled_ > 0) {
      allowance_ = std::max<int>(1, static_cast<int>(handled_ * kLongMs / ms));
    } else if (ms < kShortMs && handled_ == allowance_) {
      allowance_ = std::min(kMost, 2 * allowance_);
    }
  }

  int allowance_ = kMost;
  uint64_t turn_ = 0;
  int handled_ = 0;  // In that turn, of the connection with most.
};

}  // namespace base

#endif  // SERVER_BASE_PACE_H_
