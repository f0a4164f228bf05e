// JSON-RPC client connections over unix sockets, many of them in one thread.
#ifndef BENCH_LOAD_CONNECTION_H_
#define BENCH_LOAD_CONNECTION_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "bench/load/json_scanner.h"

namespace load {

// Says why on stderr and ends the program: a load generator without its server has nothing to do.
[[noreturn]] void Die(absl::string_view message);

// A stream socket connected to `path`. The first gives -1 and errno if nobody listens, the second
// Dies.
int TryConnectUnix(const std::string& path);
int ConnectUnix(const std::string& path);

// The answer to a server's probe.
std::string EchoReply(absl::string_view id_json);

// A message from the server. `text` is valid during the call and holds the first
// Connection::kKeptSize bytes at most; `size` counts all.
struct Message {
  const JsonScanner& scan;
  absl::string_view text;
  size_t size;
};

using MessageHandler = std::function<void(const Message&)>;

class Connection;

// Connections with something to write.
using WriteQueue = std::vector<Connection*>;

// One client. Probes of the server are answered without the owner's doing.
class Connection {
 public:
  static constexpr size_t kKeptSize = 64 << 10;

  Connection(int fd, WriteQueue* queue) : fd_(fd), queue_(queue) {}
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Who is told of messages; may call Send, and may set another handler.
  void OnMessage(MessageHandler handler) { handler_ = std::move(handler); }
  void Send(absl::string_view text);  // Queues; the loop writes.

 private:
  friend class Loop;
  void Read(std::vector<char>* buffer);  // What there is, up to the buffer's size.
  void Take(absl::string_view text);
  bool Write();  // True if nothing is left.

  const int fd_;
  WriteQueue* const queue_;
  MessageHandler handler_;
  JsonScanner scanner_;
  std::string kept_;  // Of an unfinished message.
  size_t size_ = 0;   // Of an unfinished message.
  std::string output_;
  size_t written_ = 0;
  bool queued_ = false;
  bool blocked_ = false;  // The socket is full.
};

// Serves connections until a condition holds.
class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  std::vector<Connection*> Connect(const std::string& socket_path, size_t count);
  // Looks at `done` after each round of events; a round comes every `idle_msec` at the latest.
  void RunUntil(const std::function<bool()>& done, int idle_msec = -1);

 private:
  void WriteQueued();
  void Watch(Connection* connection, int operation);

  const int epoll_fd_;
  std::vector<std::unique_ptr<Connection>> connections_;
  WriteQueue queue_;
  std::vector<char> buffer_;
};

// Sends a request on every connection and waits for all replies, which must be no errors.
void CallAll(Loop* loop, const std::vector<Connection*>& connections,
             const std::function<std::string(size_t)>& request);

}  // namespace load

#endif  // BENCH_LOAD_CONNECTION_H_
