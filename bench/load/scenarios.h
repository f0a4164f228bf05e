// The scenarios. Each drives a server that serves a generated database of `rows` rows, and prints
// one line of JSON.
#ifndef BENCH_LOAD_SCENARIOS_H_
#define BENCH_LOAD_SCENARIOS_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace load {

struct Options {
  std::string socket;       // The server's.
  std::string control;      // Its control socket.
  std::vector<pid_t> pids;  // Its process, and those of the other servers of its cluster.
  std::string database;     // Its name.
  uint64_t rows = 0;        // What the database was generated with.
  uint64_t datapaths = 0;
  uint64_t clients = 1;
  uint64_t window = 1;       // Requests in flight per connection.
  uint64_t operations = 0;   // Transactions (or echoes).
  uint64_t batch = 1000;     // Rows per transaction of a bulk insert.
  int version = 3;           // Of monitors: 1 monitor, 2 monitor_cond, 3 monitor_cond_since.
  uint64_t wanted_by = 0;    // Clients with a condition that takes a change in; 0: no conditions.
  std::string wait;          // `wait` in front of each transaction: "", "uuid" or "name".
  bool writes = false;       // Transactions while the server compacts.
  int64_t started_nsec = 0;  // When the server was started, on the monotonic clock.
  double seconds = 5;        // That `watch` lasts.
  double timeout_sec = 60;   // For the server to answer after its start.
};

void Ready(const Options& options);     // Start-up: how long, how much memory.
void Transact(const Options& options);  // Small northbound transactions.
void Insert(const Options& options);    // Southbound transactions of many rows.
void Echo(const Options& options);
void Fanout(const Options& options);   // One southbound writer, many monitoring clients.
void Dump(const Options& options);     // Many clients ask for everything at once.
void Compact(const Options& options);  // Compaction, and what an echo client sees of it.
// Transactions for some time, and what an echo client sees meanwhile.
void Watch(const Options& options);
void Idle(const Options& options);  // What idle connections take.

}  // namespace load

#endif  // BENCH_LOAD_SCENARIOS_H_
