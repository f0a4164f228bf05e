// A share of each turn of the loop for one kind of work, so that much of it does not keep everybody
// else waiting: what finds the share used up goes on in the next turn.
#ifndef SERVER_BASE_TURN_BUDGET_H_
#define SERVER_BASE_TURN_BUDGET_H_

#include <chrono>
#include <cstdint>

namespace base {

class TurnBudget {
 public:
  explicit TurnBudget(std::chrono::nanoseconds share) : share_(share) {}

  // Whether there is any left in this turn (see Loop::turn).
  bool left(uint64_t turn) const { return turn != turn_ || spent_ < share_; }

  // Around a piece of the work; false, and not to be done, if there is none left.
  bool Begin(uint64_t turn) {
    if (!left(turn)) return false;
    if (turn != turn_) spent_ = {};
    turn_ = turn;
    started_ = Clock::now();
    return true;
  }
  void End() { spent_ += Clock::now() - started_; }

 private:
  using Clock = std::chrono::steady_clock;

  const std::chrono::nanoseconds share_;
  uint64_t turn_ = 0;
  std::chrono::nanoseconds spent_{};
  Clock::time_point started_;
};

}  // namespace base

#endif  // SERVER_BASE_TURN_BUDGET_H_
