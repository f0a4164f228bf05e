#include "server/compaction_schedule.h"

#include <random>

namespace server {
namespace {

constexpr int64_t kMinute = 60'000;
constexpr int64_t kDay = 1440 * kMinute;
constexpr uint64_t kMinCompactionBytes = 10 << 20;
constexpr size_t kMinCompactionRecords = 100;

int64_t Random(int64_t below) {
  static std::minstd_rand engine{std::random_device()()};
  return std::uniform_int_distribution<int64_t>(0, below - 1)(engine);
}

}  // namespace

CompactionSchedule::CompactionSchedule(int64_t now_ms)
    : compacted_ms_(now_ms), next_look_ms_(now_ms + 10 * kMinute + Random(10 * kMinute)) {}

void CompactionSchedule::Compacted(int64_t now_ms, uint64_t size) {
  *this = CompactionSchedule(now_ms);
  base_size_ = size;
}

void CompactionSchedule::Opened(uint64_t base_size, size_t n_records) {
  base_size_ = base_size;
  n_records_ = n_records;
}

bool CompactionSchedule::IsDue(int64_t now_ms, uint64_t size) {
  if (now_ms < next_look_ms_ || n_records_ == 0) return false;
  next_look_ms_ = now_ms + kMinute + Random(kMinute);
  if (now_ms - compacted_ms_ >= kDay) return true;
  return n_records_ >= kMinCompactionRecords && size >= kMinCompactionBytes &&
         size / 2 >= base_size_;
}

}  // namespace server
