// What goes to one client, in order: messages, long messages made piece by piece as the client
// takes them, and places kept for answers that are still to come.
#ifndef SERVER_SESSION_OUTPUT_H_
#define SERVER_SESSION_OUTPUT_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "ovsdb/dump.h"
#include "server/base/jsonrpc.h"
#include "server/base/loop.h"
#include "server/base/turn_budget.h"

namespace server {

class SessionOutput;

// Shares the loop among the sessions of a server that have long messages to send: one after the
// other makes as much as its socket takes at once, for a few milliseconds of each turn, so that
// those who wait for something short hardly notice.
class OutputTurns {
 public:
  explicit OutputTurns(base::Loop* loop);
  OutputTurns(const OutputTurns&) = delete;
  OutputTurns& operator=(const OutputTurns&) = delete;

 private:
  friend class SessionOutput;
  // What is made in a turn takes time twice: here and on its way through the kernel.
  static constexpr std::chrono::milliseconds kShare{3};
  static constexpr size_t kBytesPerTurn = 4 << 20;

  // Has output->OnTurn() called, not before the next turn. No more than once however often.
  void Join(SessionOutput* output);
  void Leave(SessionOutput* output);
  bool anybody_waits() const { return !waiting_.empty(); }
  // Around the making of pieces; false if the turn's share is used up.
  bool Begin();
  void End(size_t bytes_made);
  bool share_left() const;
  void Run();

  base::Loop* loop_;
  std::deque<SessionOutput*> waiting_;
  base::TurnBudget time_{kShare};
  size_t bytes_ = 0;
  uint64_t bytes_turn_ = 0;  // The turn that they were made in.
  base::Timer next_turn_;
};

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

  // `turn_over` is called after each turn that was waited for: keeping_up() may have changed without
  // anything having been sent.
  explicit SessionOutput(OutputTurns* turns, std::function<void()> turn_over = nullptr)
      : turns_(turns), turn_over_(std::move(turn_over)) {}
  ~SessionOutput() { turns_->Leave(this); }
  SessionOutput(const SessionOutput&) = delete;
  SessionOutput& operator=(const SessionOutput&) = delete;

  // The connection; null drops everything queued, and what is sent until there is another.
  void SetConnection(base::JsonRpc* rpc);

  void Send(std::string text);
  void Send(std::string head, const ovsdb::Text& body, absl::string_view tail);
  // Short ones leave at once, if nobody else is about to send long ones.
  void Send(std::unique_ptr<ovsdb::TextSource> source);
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
  void OnDrained();

 private:
  friend class OutputTurns;
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
  void OnTurn() {
    Pump();
    if (turn_over_) turn_over_();
  }
  void Pump();
  void PumpItems();
  void StartLater(Item* item);
  bool SendPieces(ovsdb::TextSource* source);

  OutputTurns* turns_;
  const std::function<void()> turn_over_;
  base::JsonRpc* rpc_ = nullptr;
  std::deque<Item> items_;
  size_t queued_bytes_ = 0;
  size_t n_long_ = 0;  // Of kSource and kLater.
  bool pumping_ = false;
  bool waiting_ = false;  // For a turn.
};

}  // namespace server

#endif  // SERVER_SESSION_OUTPUT_H_
