// What holds memory: reported on demand by memory/show and in the log when the peak grows.
#ifndef SERVER_BASE_MEMORY_H_
#define SERVER_BASE_MEMORY_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "server/base/loop.h"

namespace base {

class Unixctl;

using MemoryUsage = std::map<std::string, uint64_t>;

class MemoryReport {
 public:
  // `usage` adds its figures; values of one name add up. Registers memory/show.
  MemoryReport(Loop* loop, Unixctl* unixctl, std::function<void(MemoryUsage*)> usage);

 private:
  void Check();
  std::string Text() const;

  Loop* loop_;
  std::function<void(MemoryUsage*)> usage_;
  Timer timer_;
  int64_t started_;
  int64_t last_peak_kb_ = 0;
};

}  // namespace base

#endif  // SERVER_BASE_MEMORY_H_
