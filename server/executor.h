// Runs the transactions of one database.
//
// A transaction is executed on the newest state and applied to it at once; its change goes to the
// storage, and it waits in a queue, in order, until the storage says that it is committed. Only
// then do monitors and its client hear of it. So transactions never wait for each other's disk or
// network, and whatever is lost on the way was never seen: the executor reverts it.
//
// Transactions that write are kept while the storage is not ready, and made again when others came
// first; those that read are answered from what is committed meanwhile. Transactions whose `wait`
// does not hold yet are kept and tried again when a table that they mention has changed, or when
// their time is over.
#ifndef SERVER_EXECUTOR_H_
#define SERVER_EXECUTOR_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "ovsdb/change.h"
#include "ovsdb/database.h"
#include "ovsdb/transaction.h"
#include "ovsdb/uuid.h"
#include "server/base/duration_histogram.h"
#include "server/base/jsonrpc.h"
#include "server/base/loop.h"
#include "server/storage.h"

namespace server {

// What a request is answered: a `result`, or an `error`. JSON text.
struct Answer {
  bool is_error = false;
  std::string text;
  bool canceled = false;  // Never executed: it was called off.
};

// A client's `transact`, from its arrival to its answer.
struct Request {
  class Client {
   public:
    virtual bool OwnsLock(absl::string_view lock) const = 0;
    virtual std::string ClientName() const = 0;  // For people.
    // The updates of the request's change have been sent, its answer will follow when it is
    // durable: what is sent to the client meanwhile belongs after that.
    virtual void OnHeld(Request* request) = 0;
    // The last use of `request`; what its change does to monitors has been sent.
    virtual void OnAnswer(Request* request, Answer answer) = 0;

   protected:
    ~Client() = default;
  };

  Client* client = nullptr;  // Null: nobody waits for the answer any more.
  std::unique_ptr<base::JsonRpcMessage> message;
  bool read_only = false;
  std::string role;
  std::string client_id;
  // Set by Submit.
  int64_t arrived_ms = 0;  // base::MonotonicMs().
  int64_t arrived_us = 0;
  // Set by the executor.
  int64_t execution_us = 0;  // What executing it has taken so far.
  bool has_waited = false;   // For a `wait` of its own: that it took long is no wonder.
  uint64_t number = 0;       // By arrival.
};

// Commits transactions elsewhere: a relay's way to its source.
class Forwarder {
 public:
  virtual ~Forwarder() = default;
  // Answers by calling `done` once, on the loop, unless it is destroyed before. `request` lives
  // until then.
  virtual void Forward(const Request& request, std::function<void(Answer)> done) = 0;
  // Nobody waits for the answer any more. True if `request` had not been sent: then it is
  // forgotten, and `done` not called.
  virtual bool Withdraw(const Request& request) = 0;
};

// Loop thread only.
class Executor final : private Storage::Client {
 public:
  class Observer {
   public:
    // `change` is committed. Called in order; may not submit or propose anything.
    virtual void OnChange(const ovsdb::Change& change) = 0;
    // The newest state is what is committed, after some calls of OnChange.
    virtual void OnSettled() = 0;
    // The storage takes changes again. Called from within it.
    virtual void OnReady() = 0;

   protected:
    ~Observer() = default;
  };

  // `database` may be null: then it is not available yet. `uuids` and `observer` outlive this.
  Executor(base::Loop* loop, ovsdb::UuidGenerator* uuids, std::unique_ptr<Storage> storage,
           std::unique_ptr<ovsdb::Database> database, Observer* observer);
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // The newest state, which may be ahead of what is committed; null while not available.
  const ovsdb::Database* database() const override { return database_.get(); }
  // What is committed. Requires that it is available.
  ovsdb::Snapshot TakeCommittedSnapshot();
  Storage& storage() { return *storage_; }
  const Storage& storage() const { return *storage_; }

  // Brings the newest state and what is committed together, where that does not take waiting, and
  // tells everybody. To be called before something other than a transaction looks at the state.
  void Settle();

  void Submit(std::unique_ptr<Request> request);
  // Answers "canceled", if the request has not been executed yet.
  void Cancel(Request* request);
  // Likewise for all that wait for a condition or another server's answer.
  void CancelWaiting();
  // The client is gone: what has not been executed is dropped.
  void Abandon(Request::Client* client);

  // A change that the server makes itself, valid as Database::Apply wants it. `done` (may be null)
  // is called when it is committed or lost.
  void Propose(ovsdb::Change change, std::function<void(absl::Status)> done);

  // Transactions that write are tried here (which finds those that must wait, may not or cannot be
  // executed), and then executed elsewhere from now on; null to do it here.
  void SetForwarder(Forwarder* forwarder) { forwarder_ = forwarder; }

  // Whether the newest state is what is committed.
  bool settled() const { return committed_ == appended_; }

  // While frozen, requests are kept and the state stays as it is.
  void SetFrozen(bool frozen);
  bool frozen() const { return frozen_; }

  // Puts another database (null: none is available) in the place of this one, whose state it may
  // be or not; returns the old one. Nothing may be on its way to the storage. Requests that wait
  // are tried again.
  std::unique_ptr<ovsdb::Database> Replace(std::unique_ptr<ovsdb::Database> database);

  size_t request_count() const;  // Triggers of memory/show.

  // Of the transactions that were answered.
  struct Stats {
    uint64_t reads = 0;   // That changed nothing, or were not valid.
    uint64_t writes = 0;  // That changed something, or were to, and may have failed to.
    // From arrival to answer, of writes that did not wait for a condition.
    base::DurationHistogram latency;
  };
  const Stats& stats() const { return stats_; }

 private:
  // Executed, its effects applied: to be told when the storage has come to `position`.
  struct Pending {
    Storage::Position position = 0;
    bool durable = false;
    bool is_write = false;
    ovsdb::Change change;
    std::unique_ptr<Request> request;  // Null for proposals.
    Answer answer;
    std::function<void(absl::Status)> done;
  };
  struct Waiting {
    std::unique_ptr<Request> request;
    std::vector<int> tables;  // That it mentions.
    std::optional<int64_t> deadline_ms;
  };

  void OnCommitted(Storage::Position position) override;
  void OnDurable(Storage::Position position) override;
  void OnNotDurable(Storage::Position position, const absl::Status& reason) override;
  void OnLost(const absl::Status& reason) override;
  void OnForeign(Storage::Position position, ovsdb::Change change) override;
  void OnDisplaced(Storage::Position position) override;
  void OnReady() override;
  void OnStalled() override;

  void RevertPending();
  void ApplyPending();
  ovsdb::TransactionOutcome Try(const Request& request, int64_t now_ms) const;
  std::optional<std::string> TryToRead(const Request& request, int64_t now_ms);
  void Execute(std::unique_ptr<Request> request, int64_t now_ms);
  void ApplyAndAppend(Pending pending);
  void Wait(std::unique_ptr<Request> request, std::optional<int64_t> timeout_ms);
  void NoteChanged(const ovsdb::Change& change);
  void RetryWaiting();
  void RetryKept();
  void ArmDeadline();
  void Finish(std::unique_ptr<Request> request, Answer answer, bool is_write = false);
  void Account(const Request& request, bool is_write);
  void Forward(std::unique_ptr<Request> request);
  bool Withdraw(const Request& request);
  void EndTurn();

  ovsdb::UuidGenerator* uuids_;
  std::unique_ptr<Storage> storage_;
  std::unique_ptr<ovsdb::Database> database_;
  Observer* observer_;
  Forwarder* forwarder_ = nullptr;

  Stats stats_;
  uint64_t n_requests_ = 0;
  Storage::Position appended_ = 0;
  Storage::Position committed_ = 0;
  Storage::Position durable_ = 0;
  std::deque<Pending> pending_;   // Not committed, by position.
  std::deque<Pending> held_;      // Committed, to be answered when durable.
  std::vector<Waiting> waiting_;  // By arrival: in this order they are tried, and canceled.
  std::vector<std::unique_ptr<Request>> forwarded_;
  std::deque<std::unique_ptr<Request>> kept_;  // For when it is not frozen and the storage ready.
  std::vector<bool> changed_tables_;           // Since waiting requests were last tried, by table.
  bool any_changed_ = false;
  bool frozen_ = false;

  base::Timer deadline_;
  base::TurnEnd turn_end_;
};

}  // namespace server

#endif  // SERVER_EXECUTOR_H_
