// Cheap counters of events, shown by coverage/show with their rates.
//
//   namespace { base::Counter echoes("jsonrpc_echo"); }
//   ++echoes;
#ifndef SERVER_BASE_COVERAGE_H_
#define SERVER_BASE_COVERAGE_H_

#include <atomic>
#include <cstdint>
#include <memory>

namespace base {

class Loop;
class Unixctl;

// Make at namespace scope; `name` must live for ever. Any thread.
class Counter {
 public:
  explicit Counter(const char* name);
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;

  void operator++() { Add(1); }
  void Add(uint64_t n) { total_.fetch_add(n, std::memory_order_relaxed); }
  uint64_t total() const { return total_.load(std::memory_order_relaxed); }
  const char* name() const { return name_; }

 private:
  const char* name_;
  std::atomic<uint64_t> total_{0};
};

// Samples all counters every 5 seconds while it lives, and registers coverage/show and
// coverage/read-counter.
class CoverageReport {
 public:
  CoverageReport(Loop* loop, Unixctl* unixctl);
  ~CoverageReport();
  CoverageReport(const CoverageReport&) = delete;
  CoverageReport& operator=(const CoverageReport&) = delete;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace base

#endif  // SERVER_BASE_COVERAGE_H_
