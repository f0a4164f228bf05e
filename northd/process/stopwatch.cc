#include "northd/process/stopwatch.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_format.h"

namespace northd {
namespace {

constexpr double kShortWeight = 0.5;
constexpr double kLongWeight = 0.01;
constexpr size_t kRecent = 1000;

}  // namespace

void Stopwatch::AddSample(int64_t ms) {
  const bool first = samples_++ == 0;
  maximum_ = first ? ms : std::max(maximum_, ms);
  minimum_ = first ? ms : std::min(minimum_, ms);
  const auto sample = static_cast<double>(ms);
  short_average_ = first ? sample : short_average_ + (sample - short_average_) * kShortWeight;
  long_average_ = first ? sample : long_average_ + (sample - long_average_) * kLongWeight;
  recent_.push_back(ms);
  if (recent_.size() > kRecent) recent_.pop_front();
}

void Stopwatch::Reset() { *this = Stopwatch(name_); }

std::string Stopwatch::Text() const {
  int64_t percentile = 0;
  if (!recent_.empty()) {
    std::vector<int64_t> sorted(recent_.begin(), recent_.end());
    const auto at = sorted.begin() + static_cast<ptrdiff_t>((sorted.size() - 1) * 95 / 100);
    std::nth_element(sorted.begin(), at, sorted.end());
    percentile = *at;
  }
  return absl::StrFormat(
      "Statistics for '%s'\n"
      "  Total samples: %d\n"
      "  Maximum: %d msec\n"
      "  Minimum: %d msec\n"
      "  95th percentile: %.6f msec\n"
      "  Short term average: %.6f msec\n"
      "  Long term average: %.6f msec\n",
      name_, samples_, maximum_, minimum_, static_cast<double>(percentile), short_average_,
      long_average_);
}

std::vector<Stopwatch> MakeStopwatches() {
  std::vector<Stopwatch> stopwatches;
  for (const char* name :
       {"build_lflows",          "ovn-northd-loop",    "clear_lflows_ctx",   "lflows_lbs",
        "advertised_route_sync", "ls_stateful",        "lflows_ports",       "lflows_datapaths",
        "group_ecmp_route",      "lr_nat_run",         "lflows_lr_stateful", "sync_meters_run",
        "ovnsb_db_run",          "lflows_ls_stateful", "lr_stateful",        "build_flows_ctx",
        "ovnnb_db_run",          "lflows_to_sb",       "learned_route_sync", "lflows_dp_groups",
        "port_group_run",        "dynamic_routes",     "lflows_igmp"}) {
    stopwatches.emplace_back(name);
  }
  return stopwatches;
}

}  // namespace northd
