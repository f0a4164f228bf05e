// Request-reply load: lanes that each have one request in flight, several to a connection. One lane
// per connection is one request at a time; 32 lanes are a pipeline of 32.
#ifndef BENCH_LOAD_LANES_H_
#define BENCH_LOAD_LANES_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "bench/load/connection.h"
#include "bench/load/measure.h"

namespace load {

// A method's name and its params (a JSON array).
struct Request {
  absl::string_view method;
  std::string params;
};

// The next request of a lane, given the reply to the one before (empty at first).
using NextRequest = std::function<Request(size_t lane, absl::string_view reply)>;

class Lanes {
 public:
  Lanes(Loop* loop, const std::vector<Connection*>& connections, size_t lanes_per_connection,
        NextRequest next);

  // Starts the lanes, and lets each go on until `count` requests were sent or `stop` says so;
  // returns when all replies are there. A reply with an error ends the program.
  void Run(uint64_t count, const std::function<bool()>& stop = nullptr);

  uint64_t completed() const { return completed_; }
  Latencies& latencies() { return latencies_; }  // From sending to the reply, of all requests.
  // When the last request was sent.
  int64_t last_sent_nsec() const { return last_sent_nsec_; }

 private:
  struct Lane {
    Connection* connection;
    std::string reply;
    int64_t sent_nsec = 0;
    bool busy = false;
  };
  void Advance(size_t lane);
  void Reply(const Message& message);

  Loop* const loop_;
  const NextRequest next_;
  std::vector<Lane> lanes_;
  uint64_t to_send_ = 0;
  std::function<bool()> stop_;
  uint64_t in_flight_ = 0;
  uint64_t completed_ = 0;
  int64_t last_sent_nsec_ = 0;
  Latencies latencies_;
};

}  // namespace load

#endif  // BENCH_LOAD_LANES_H_
