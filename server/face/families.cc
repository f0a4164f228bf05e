#include "server/face/families.h"

#include <dirent.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <limits>
#include <map>

#include "server/base/log.h"
#include "server/base/slow.h"
#include "server/base/version.h"

namespace face {
namespace {

double Seconds(int64_t us) { return static_cast<double>(us) / 1e6; }

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

prometheus::ClientMetric WithLabels(const Families::Labels& labels) {
  prometheus::ClientMetric metric;
  for (const auto& [name, value] : labels) metric.label.push_back({name, value});
  return metric;
}

size_t CountFds() {
  DIR* const directory = opendir("/proc/self/fd");
  if (directory == nullptr) return 0;
  size_t n = 0;
  while (readdir(directory) != nullptr) n++;
  closedir(directory);
  return n - 3;  // ".", ".." and the directory itself.
}

double ResidentBytes() {
  FILE* const file = fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  unsigned long total = 0;
  unsigned long resident = 0;
  const int n = fscanf(file, "%lu %lu", &total, &resident);
  fclose(file);
  return n == 2 ? static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) : 0;
}

}  // namespace

struct Families::Impl {
  prometheus::MetricFamily& Of(const std::string& name, absl::string_view help,
                               prometheus::MetricType type) {
    prometheus::MetricFamily& family = by_name[name];
    if (family.metric.empty()) {
      family.name = name;
      family.help = std::string(help);
      family.type = type;
    }
    return family;
  }

  std::map<std::string, prometheus::MetricFamily> by_name;
};

Families::Families() : impl_(std::make_unique<Impl>()) {}
Families::~Families() = default;

void Families::Gauge(const std::string& name, absl::string_view help, const Labels& labels,
                     double value) {
  prometheus::ClientMetric metric = WithLabels(labels);
  metric.gauge.value = value;
  impl_->Of(name, help, prometheus::MetricType::Gauge).metric.push_back(std::move(metric));
}

void Families::Counter(const std::string& name, absl::string_view help, const Labels& labels,
                       double value) {
  prometheus::ClientMetric metric = WithLabels(labels);
  metric.counter.value = value;
  impl_->Of(name, help, prometheus::MetricType::Counter).metric.push_back(std::move(metric));
}

void Families::Histogram(const std::string& name, absl::string_view help, const Labels& labels,
                         const base::DurationHistogram& durations) {
  prometheus::ClientMetric metric = WithLabels(labels);
  uint64_t so_far = 0;
  for (size_t i = 0; i < base::DurationHistogram::kBoundsUs.size(); i++) {
    so_far += durations.count(i);
    metric.histogram.bucket.push_back({so_far, Seconds(base::DurationHistogram::kBoundsUs[i])});
  }
  metric.histogram.bucket.push_back({durations.count(), std::numeric_limits<double>::infinity()});
  metric.histogram.sample_count = durations.count();
  metric.histogram.sample_sum = Seconds(durations.sum_us());
  impl_->Of(name, help, prometheus::MetricType::Histogram).metric.push_back(std::move(metric));
}

std::string Families::Text() const {
  std::vector<prometheus::MetricFamily> families;
  for (const auto& [name, family] : impl_->by_name) families.push_back(family);
  return prometheus::TextSerializer().Serialize(families);
}

void AddProcessMetrics(Families* families) {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  families->Counter("process_cpu_seconds_total", "User and system time, of all threads.", {},
                    Seconds(usage.ru_utime) + Seconds(usage.ru_stime));
  families->Gauge("process_resident_memory_bytes", "Memory that is in use.", {}, ResidentBytes());
  families->Gauge("process_open_fds", "Open files and sockets.", {},
                  static_cast<double>(CountFds()));
  const std::string version = base::VersionText();
  families->Gauge("boreas_build_info",
                  "1; what runs: whose behaviour it has, and which Boreas it is.",
                  {{"program", base::ProgramName()},
                   {"version", version.substr(0, version.find('\n'))},
                   {"boreas", base::OwnVersion()}},
                  1);
  for (int i = 0; i < base::kSlowKinds; i++) {
    const auto kind = static_cast<base::SlowKind>(i);
    families->Counter("boreas_slow_total", "Things that took 100 ms and more (a client: 1 s).",
                      {{"kind", std::string(base::SlowKindName(kind))}},
                      static_cast<double>(base::SlowCount(kind)));
  }
}

}  // namespace face
