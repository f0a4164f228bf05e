// Figures on their way to Prometheus: families of metrics, filled anew for each scrape.
//
//   families->Gauge("boreas_sessions", "Connected clients.", {}, 17);
//   families->Counter("boreas_slow_total", "...", {{"kind", "fsync"}}, 3);
//
// Names of durations end in _seconds, of sizes in _bytes, of counters in _total.
#ifndef SERVER_FACE_FAMILIES_H_
#define SERVER_FACE_FAMILIES_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/base/duration_histogram.h"

namespace face {

class Families {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;

  Families();
  ~Families();
  Families(const Families&) = delete;
  Families& operator=(const Families&) = delete;

  // Adds a metric; those of one name make a family, whose `help` is the first one's.
  void Gauge(const std::string& name, absl::string_view help, const Labels& labels, double value);
  void Counter(const std::string& name, absl::string_view help, const Labels& labels, double value);
  void Histogram(const std::string& name, absl::string_view help, const Labels& labels,
                 const base::DurationHistogram& durations);

  // In Prometheus's text format, families by name.
  std::string Text() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// What every daemon can tell of its process and its loop.
void AddProcessMetrics(Families* families);

}  // namespace face

#endif  // SERVER_FACE_FAMILIES_H_
