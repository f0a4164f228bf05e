// What goes to one client, in order: messages, long messages made piece by piece as the client
// takes them, and places kept for answers that are still to come.
#ifndef SERVER_SESSION_OUTPUT_H_
#define SERVER_SESSION_OUTPUT_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "ovsdb/dump.h"
#include "server/base/jsonrpc.h"
#include "server/base/loop.h"

namespace server {

// Loop thread only.
class SessionOutput {
 public:
  // A long message's next pieces are asked for when the socket has less than this to send.
  static constexpr size_t kLowWater = 128 << 10;
  // A client that has this much to read is not served more requests, and told of changes no more
  // until it has caught up.
  static constexpr size_t kHighWater = 2 << 20;

  // A message that is made when its turn comes; null if there is nothing to send after all.
  using Later = std::function<std::unique_ptr<ovsdb::TextSource>()>;

  explicit SessionOutput(base::Loop* loop);
  SessionOutput(const SessionOutput&) = delete;
  SessionOutput& operator=(const SessionOutput&) = delete;

  // The connection; null drops everything queued, and what is sent until there is another.
  void SetConnection(base::JsonRpc* rpc);

  void Send(std::string text);
  void Send(std::string head, const ovsdb::Text& body, absl::string_view tail);
  // True if it could be sent at once, as short ones can.
  bool Send(std::unique_ptr<ovsdb::TextSource> source);
  void SendLater(const void* key, Later later);
  void Remove(const void* key);  // What was given to SendLater.

  // Keeps a place for a message; what is sent before Fill(key) waits behind it.
  void Hold(const void* key);
  void Fill(const void* key, std::string text);

  // Bytes that the client has not been handed by the kernel, roughly.
  size_t backlog() const;
  // Whether requests should be looked at: the client reads what it is sent.
  bool keeping_up() const { return n_long_ == 0 && backlog() < kHighWater; }

  // The socket has room again.
  void OnDrained() { Pump(); }

 private:
  struct Item {
    enum Kind { kText, kSource, kLater, kPlace } kind;
    const void* key = nullptr;
    std::string text;  // kText: before `body`.
    ovsdb::Text body;  // May be null.
    std::string tail;
    std::unique_ptr<ovsdb::TextSource> source;
    Later later;
  };

  void Push(Item item);
  void Pump();
  void PumpItems();
  bool SendPieces(ovsdb::TextSource* source);

  base::JsonRpc* rpc_ = nullptr;
  std::deque<Item> items_;
  size_t queued_bytes_ = 0;
  size_t n_long_ = 0;  // Of kSource and kLater.
  bool pumping_ = false;
  base::Timer next_turn_;
};

}  // namespace server

#endif  // SERVER_SESSION_OUTPUT_H_
