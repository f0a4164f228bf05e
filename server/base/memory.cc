#include "server/base/memory.h"

#include <sys/resource.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/base/log.h"
#include "server/base/unixctl.h"

namespace base {
namespace {

LogModule log("memory");

constexpr int64_t kCheckMs = 10000;
constexpr double kWorthTelling = 1.5;  // Growth of the peak since the last report.

int64_t PeakKb() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

}  // namespace

MemoryReport::MemoryReport(Loop* loop, Unixctl* unixctl, std::function<void(MemoryUsage*)> usage)
    : loop_(loop),
      usage_(std::move(usage)),
      timer_(loop, [this] { Check(); }),
      started_(loop->Now()) {
  unixctl->Register("memory/show", "", 0, 0,
                    [this](UnixctlArgs, UnixctlReply reply) { reply.Text(Text()); });
  timer_.Start(kCheckMs);
}

void MemoryReport::Check() {
  timer_.Start(kCheckMs);
  const int64_t peak = PeakKb();
  const double seconds = (loop_->Now() - started_) / 1000.0;
  if (last_peak_kb_ == 0) {
    log.Info("%d kB peak resident set size after %.1f seconds", peak, seconds);
  } else if (peak >= last_peak_kb_ * kWorthTelling) {
    log.Info("peak resident set size grew %.0f%% in last %.1f seconds, from %d kB to %d kB",
             (peak - last_peak_kb_) * 100.0 / last_peak_kb_, seconds, last_peak_kb_, peak);
  } else {
    return;
  }
  last_peak_kb_ = peak;
  started_ = loop_->Now();
  if (const std::string text = Text(); !text.empty()) log.Info("%s", text);
}

std::string MemoryReport::Text() const {
  MemoryUsage usage;
  usage_(&usage);
  std::vector<std::string> parts;
  for (const auto& [name, value] : usage) parts.push_back(absl::StrCat(name, ":", value));
  return absl::StrJoin(parts, " ");
}

}  // namespace base
