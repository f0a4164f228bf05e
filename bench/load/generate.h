// Writes standalone database files (ovsdb(5), "Standalone Format") of a made-up network.
#ifndef BENCH_LOAD_GENERATE_H_
#define BENCH_LOAD_GENERATE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace load {

struct GenerateOptions {
  bool northbound = false;   // Else a southbound.
  uint64_t rows = 20000;     // About so many.
  uint64_t datapaths = 0;    // Southbound; 0: in proportion to the rows.
  uint64_t record_rows = 0;  // Rows per transaction record; 0: all in one, as after compaction.
  std::string schema;        // The schema's file.
  std::string out;           // Replaced if it exists.
};

absl::Status Generate(const GenerateOptions& options);

}  // namespace load

#endif  // BENCH_LOAD_GENERATE_H_
