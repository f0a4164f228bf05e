// How long things take, as `stopwatch/show` tells it.
#ifndef NORTHD_PROCESS_STOPWATCH_H_
#define NORTHD_PROCESS_STOPWATCH_H_

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace northd {

class Stopwatch {
 public:
  explicit Stopwatch(absl::string_view name) : name_(name) {}  // `name` lives for ever.

  absl::string_view name() const { return name_; }
  void AddSample(int64_t ms);
  void Reset();
  // Lines as stock words them.
  std::string Text() const;

 private:
  absl::string_view name_;
  uint64_t samples_ = 0;
  int64_t maximum_ = 0;
  int64_t minimum_ = 0;
  double short_average_ = 0;    // A sample weighs 1/2 in it,
  double long_average_ = 0;     // and 1/100 here.
  std::deque<int64_t> recent_;  // That the 95th percentile is of.
};

// Those of stock, so that who reads them by name finds them. For some there is nothing to time
// here.
std::vector<Stopwatch> MakeStopwatches();

}  // namespace northd

#endif  // NORTHD_PROCESS_STOPWATCH_H_
