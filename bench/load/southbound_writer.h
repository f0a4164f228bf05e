// Small southbound transactions as ovn-northd and ovn-controller send them, a row each: a flow
// comes, a port's addresses change, the flow goes.
#ifndef BENCH_LOAD_SOUTHBOUND_WRITER_H_
#define BENCH_LOAD_SOUTHBOUND_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "bench/load/lanes.h"
#include "bench/load/network.h"
#include "bench/load/scenarios.h"

namespace load {

class SouthboundWriter {
 public:
  // Touches the first `datapaths` datapaths in turn (0: all).
  SouthboundWriter(const Options& options, size_t lanes, uint64_t datapaths);

  Request Next(size_t lane);

  // A whole request that puts a text into a row that every client monitors.
  std::string MarkRequest(absl::string_view mark) const;

 private:
  const Southbound net_;
  const uint64_t datapaths_;
  uint64_t count_ = 0;
  std::vector<uint64_t> steps_;
  std::vector<uint64_t> items_;  // What each lane is at: its flow and its datapath.
};

}  // namespace load

#endif  // BENCH_LOAD_SOUTHBOUND_WRITER_H_
