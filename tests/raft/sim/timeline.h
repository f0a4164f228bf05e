// Virtual time: what is to happen, in order.
#ifndef TESTS_RAFT_SIM_TIMELINE_H_
#define TESTS_RAFT_SIM_TIMELINE_H_

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"

namespace raft::sim {

class Timeline {
 public:
  using Action = absl::AnyInvocable<void()>;

  int64_t now_ms() const { return now_ms_; }
  // How many things have happened: tells apart what happens within one millisecond.
  uint64_t step() const { return step_; }

  // Actions of one instant happen in the order in which they were asked for. A time that has
  // passed means now.
  void At(int64_t time_ms, Action action) {
    heap_.push_back(Event{std::max(time_ms, now_ms_), ++asked_, std::move(action)});
    std::push_heap(heap_.begin(), heap_.end());
  }
  void After(int64_t delay_ms, Action action) { At(now_ms_ + delay_ms, std::move(action)); }

  // Lets the next thing happen, if it is due by then; else moves on to then and returns false.
  bool Step(int64_t until_ms) {
    if (heap_.empty() || heap_.front().time_ms > until_ms) {
      now_ms_ = until_ms;
      return false;
    }
    std::pop_heap(heap_.begin(), heap_.end());
    Event event = std::move(heap_.back());
    heap_.pop_back();
    now_ms_ = event.time_ms;
    ++step_;
    event.action();
    return true;
  }

 private:
  struct Event {
    int64_t time_ms;
    uint64_t order;
    Action action;

    // The heap's front is its largest: the earliest.
    bool operator<(const Event& o) const {
      return time_ms != o.time_ms ? time_ms > o.time_ms : order > o.order;
    }
  };

  int64_t now_ms_ = 0;
  uint64_t step_ = 0;
  uint64_t asked_ = 0;
  std::vector<Event> heap_;
};

}  // namespace raft::sim

#endif  // TESTS_RAFT_SIM_TIMELINE_H_
