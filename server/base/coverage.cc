#include "server/base/coverage.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/base/loop.h"
#include "server/base/unixctl.h"

namespace base {
namespace {

constexpr int kSampleSeconds = 5;
constexpr int64_t kSampleMs = int64_t{1000} * kSampleSeconds;

// Counters are objects at namespace scope, so this must exist before the first of them.
std::vector<Counter*>& Counters() {
  static auto* counters = new std::vector<Counter*>;
  return *counters;
}

// The events of the last hour, by sample.
class History {
 public:
  void Sample(uint64_t total) {
    samples_[next_] = static_cast<uint32_t>(total - sampled_);
    next_ = (next_ + 1) % kSamples;
    sampled_ = total;
  }
  // Events a second over the newest samples.
  double Rate(int seconds) const {
    uint64_t sum = 0;
    for (int i = 1; i <= seconds / kSampleSeconds; i++) {
      sum += samples_[(next_ + kSamples - i) % kSamples];
    }
    return static_cast<double>(sum) / seconds;
  }

 private:
  static constexpr int kSamples = 3600 / kSampleSeconds;

  uint64_t sampled_ = 0;  // The total at the last sample.
  std::array<uint32_t, kSamples> samples_{};
  int next_ = 0;
};

bool ByName(const Counter* a, const Counter* b) { return std::strcmp(a->name(), b->name()) < 0; }

}  // namespace

Counter::Counter(const char* name) : name_(name) { Counters().push_back(this); }

struct CoverageReport::Impl {
  explicit Impl(Loop* loop) : timer(loop, [this] { Sample(); }) {
    std::sort(Counters().begin(), Counters().end(), ByName);
    histories.resize(Counters().size());
    timer.Start(kSampleMs);
  }

  void Sample() {
    for (size_t i = 0; i < histories.size(); i++) histories[i].Sample(Counters()[i]->total());
    timer.Start(kSampleMs);
  }

  std::string Show() const;

  std::vector<History> histories;  // As Counters().
  Timer timer;
};

std::string CoverageReport::Impl::Show() const {
  std::string lines;
  uint32_t hash = 2166136261;  // Tells which counters were hit, for comparing reports.
  size_t never = 0;
  for (size_t i = 0; i < histories.size(); i++) {
    const Counter& counter = *Counters()[i];
    if (counter.total() == 0) {
      never++;
      continue;
    }
    for (const char* p = counter.name(); *p != '\0'; p++) {
      hash = (hash ^ static_cast<unsigned char>(*p)) * 16777619;
    }
    const History& h = histories[i];
    absl::StrAppendFormat(&lines, "%-24s %5.1f/sec %9.3f/sec %13.4f/sec   total: %u\n",
                          counter.name(), h.Rate(kSampleSeconds), h.Rate(60), h.Rate(3600),
                          counter.total());
  }
  return absl::StrCat(
      absl::StrFormat("Event coverage, avg rate over last: %d seconds, last minute, last hour,  "
                      "hash=%08x:\n",
                      kSampleSeconds, hash),
      lines, never, " events never hit\n");
}

CoverageReport::CoverageReport(Loop* loop, Unixctl* unixctl) : impl_(std::make_unique<Impl>(loop)) {
  unixctl->Register("coverage/show", "", 0, 0,
                    [this](UnixctlArgs, UnixctlReply reply) { reply.Text(impl_->Show()); });
  unixctl->Register("coverage/read-counter", "COUNTER", 1, 1,
                    [](UnixctlArgs args, UnixctlReply reply) {
                      for (const Counter* counter : Counters()) {
                        if (args[0] == counter->name()) {
                          return reply.Text(absl::StrCat(counter->total()));
                        }
                      }
                      reply.Error("No such counter");
                    });
}

CoverageReport::~CoverageReport() = default;

}  // namespace base
