// How long things of one kind took: a count for each of some fixed ranges.
#ifndef SERVER_BASE_DURATION_HISTOGRAM_H_
#define SERVER_BASE_DURATION_HISTOGRAM_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace base {

// Not thread-safe.
class DurationHistogram {
 public:
  // Upper ends of the ranges, included, in microseconds. A last range has all that took longer.
  static constexpr std::array<int64_t, 16> kBoundsUs = {
      100,    250,     500,     1'000,   2'500,     5'000,     10'000,    25'000,
      50'000, 100'000, 250'000, 500'000, 1'000'000, 2'500'000, 5'000'000, 10'000'000};

  void Add(int64_t us) {
    const auto* bound = std::lower_bound(kBoundsUs.begin(), kBoundsUs.end(), us);
    ++counts_[static_cast<size_t>(bound - kBoundsUs.begin())];
    ++count_;
    sum_us_ += us;
  }

  uint64_t count() const { return count_; }
  int64_t sum_us() const { return sum_us_; }
  // Of those in the range that ends at kBoundsUs[i]; of the last one for i = kBoundsUs.size().
  uint64_t count(size_t i) const { return counts_[i]; }

  // An upper bound of what `part` (0 to 1) of them took: the end of a range. 0 if there are none.
  int64_t QuantileUs(double part) const {
    uint64_t seen = 0;
    for (size_t i = 0; i < kBoundsUs.size(); i++) {
      seen += counts_[i];
      if (static_cast<double>(seen) >= part * static_cast<double>(count_)) {
        return count_ == 0 ? 0 : kBoundsUs[i];
      }
    }
    return sum_us_;  // Nothing took longer than all together.
  }

 private:
  std::array<uint64_t, kBoundsUs.size() + 1> counts_ = {};
  uint64_t count_ = 0;
  int64_t sum_us_ = 0;
};

}  // namespace base

#endif  // SERVER_BASE_DURATION_HISTOGRAM_H_
