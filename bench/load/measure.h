// What a scenario measures: the server's CPU and memory, times as a client sees them, and the line
// of JSON that reports them.
#ifndef BENCH_LOAD_MEASURE_H_
#define BENCH_LOAD_MEASURE_H_

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace load {

int64_t NowNsec();  // Monotonic.

// The server processes (more than one in a cluster), seen through the system. Figures are sums.
class Processes {
 public:
  explicit Processes(std::vector<pid_t> pids) : pids_(std::move(pids)) {}
  int64_t CpuNsec() const;   // User and system time of all threads, ended ones too.
  uint64_t PeakKib() const;  // VmHWM since ResetPeak.
  uint64_t RssKib() const;
  void ResetPeak() const;

 private:
  uint64_t StatusKib(absl::string_view field) const;
  const std::vector<pid_t> pids_;
};

// Durations; percentiles of them.
class Latencies {
 public:
  void Add(int64_t nsec) { nsec_.push_back(nsec); }
  size_t size() const { return nsec_.size(); }
  int64_t Percentile(double p);  // 0 <= p <= 100; 0 without values.

 private:
  std::vector<int64_t> nsec_;
};

// A flat JSON object, in the order of calls.
class Report {
 public:
  Report& Add(absl::string_view name, double value);
  Report& Add(absl::string_view name, absl::string_view value);
  // NAME_p50_usec, NAME_p99_usec, NAME_max_usec.
  Report& Add(absl::string_view name, Latencies* latencies);
  double Get(absl::string_view name) const;  // A number added before.
  void Print() const;                        // One line on stdout.

 private:
  std::vector<std::pair<std::string, double>> numbers_;
  std::string members_;
};

// The stretch of a scenario that counts.
class Measurement {
 public:
  explicit Measurement(const Processes& servers);  // Starts it.
  // Adds cpu_sec, wall_sec, peak_kib, rss_kib, and cpu_usec_per_op unless `operations` is 0.
  void Stop(uint64_t operations, Report* report) const;

 private:
  const Processes& servers_;
  int64_t cpu_;
  int64_t wall_;
};

// A client that sends an echo every millisecond, from a thread of its own, and so sees how long the
// server is away. An echo that waits for its reply delays the next; the delay counts as the
// reply's.
class EchoProbe {
 public:
  explicit EchoProbe(const std::string& socket_path);  // Starts it.
  Latencies Stop();

 private:
  void Run();
  void AwaitReply();

  const int fd_;
  std::atomic<bool> stop_ = false;
  Latencies latencies_;
  std::thread thread_;
};

}  // namespace load

#endif  // BENCH_LOAD_MEASURE_H_
