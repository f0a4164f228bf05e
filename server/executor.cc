#include "server/executor.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ovsdb/error.h"
#include "ovsdb/json.h"
#include "server/base/slow.h"

namespace server {
namespace {

// `error` behind the results of the operations, as a commit that fails is told.
std::string WithCommitError(std::string result, const absl::Status& error) {
  result.pop_back();
  if (result.size() > 1) result += ',';
  ovsdb::AppendError(error, &result);
  result += ']';
  return result;
}

std::vector<int> MentionedTables(const ovsdb::DatabaseSchema& schema,
                                 const rapidjson::Value& params) {
  std::vector<int> tables;
  for (rapidjson::SizeType i = 1; i < params.Size(); i++) {
    const ovsdb::Json* name = ovsdb::FindMember(params[i], "table");
    if (name == nullptr || !name->IsString()) continue;
    const ovsdb::TableSchema* table = schema.FindTable(ovsdb::StringView(*name));
    if (table != nullptr) tables.push_back(table->index);
  }
  return tables;
}

// Whether a transaction can be executed without being sent where the database is written.
bool OnlyReads(const rapidjson::Value& params) {
  for (rapidjson::SizeType i = 1; i < params.Size(); i++) {
    const ovsdb::Json* op = ovsdb::FindMember(params[i], "op");
    if (op == nullptr || !op->IsString()) continue;
    const absl::string_view name = ovsdb::StringView(*op);
    if (name != "select" && name != "wait" && name != "comment" && name != "assert") return false;
  }
  return true;
}

// What a transaction does, in a few words.
std::string Summary(const rapidjson::Value& params) {
  const auto member = [&](const char* name) {
    const ovsdb::Json* value = params.Size() > 1 ? ovsdb::FindMember(params[1], name) : nullptr;
    return value != nullptr && value->IsString() ? ovsdb::StringView(*value)
                                                 : absl::string_view("?");
  };
  if (params.Size() == 1) return "no operation";
  return absl::StrCat("of ", params.Size() - 1, ", the first operation: ", member("op"), " ",
                      member("table"));
}

// The name that its first parameter gives.
absl::string_view DatabaseOf(const Request& request) {
  const rapidjson::Value& params = request.message->params();
  return !params.Empty() && params[0].IsString() ? ovsdb::StringView(params[0]) : "?";
}

Answer Canceled() { return {true, "\"canceled\"", true}; }

}  // namespace

Executor::Executor(base::Loop* loop, ovsdb::UuidGenerator* uuids, std::unique_ptr<Storage> storage,
                   std::unique_ptr<ovsdb::Database> database, Observer* observer)
    : uuids_(uuids),
      storage_(std::move(storage)),
      database_(std::move(database)),
      observer_(observer),
      deadline_(loop, [this] { RetryWaiting(); }),
      turn_end_(loop, base::TurnEnd::kWork, [this] { EndTurn(); }) {
  storage_->SetClient(this);
  if (database_) changed_tables_.resize(database_->schema().tables.size());
}

Executor::~Executor() = default;

void Executor::Submit(std::unique_ptr<Request> request) {
  request->arrived_us = base::MonotonicUs();
  request->arrived_ms = request->arrived_us / 1000;
  request->number = ++n_requests_;
  if (frozen_) {
    kept_.push_back(std::move(request));
  } else {
    const int64_t now = request->arrived_ms;
    Execute(std::move(request), now);
  }
}

void Executor::Forward(std::unique_ptr<Request> request) {
  Request* forwarded = request.get();
  forwarded_.push_back(std::move(request));
  forwarder_->Forward(*forwarded, [this, forwarded](Answer answer) {
    auto it = std::find_if(forwarded_.begin(), forwarded_.end(),
                           [&](const auto& r) { return r.get() == forwarded; });
    if (it == forwarded_.end()) return;
    std::unique_ptr<Request> owned = std::move(*it);
    forwarded_.erase(it);
    Finish(std::move(owned), std::move(answer), /*is_write=*/true);
  });
}

bool Executor::Withdraw(const Request& request) {
  return forwarder_ == nullptr || forwarder_->Withdraw(request);
}

// What becomes of it on the newest state.
ovsdb::TransactionOutcome Executor::Try(const Request& request, int64_t now_ms) const {
  ovsdb::TransactionContext context;
  context.read_only = request.read_only;
  context.role = request.role;
  context.client_id = request.client_id;
  context.uuids = uuids_;
  context.owns_lock = [&](absl::string_view lock) {
    return request.client != nullptr && request.client->OwnsLock(lock);
  };
  context.elapsed_msec = now_ms - request.arrived_ms;
  return ovsdb::ExecuteTransaction(*database_, request.message->params(), context);
}

// The result on what is committed, or nothing if there it would wait or change something.
std::optional<std::string> Executor::TryToRead(const Request& request, int64_t now_ms) {
  RevertPending();
  ovsdb::TransactionOutcome outcome = Try(request, now_ms);
  ApplyPending();
  if (outcome.must_wait || storage_->IsChange(database_->schema(), outcome.change)) {
    return std::nullopt;
  }
  return std::move(outcome.result);
}

void Executor::Execute(std::unique_ptr<Request> request, int64_t now_ms) {
  const int64_t start_us = base::MonotonicUs();
  ovsdb::TransactionOutcome outcome = Try(*request, now_ms);
  const int64_t took_us = base::MonotonicUs() - start_us;
  request->execution_us += took_us;
  base::Activity::Note("executing a transaction", took_us);
  if (outcome.must_wait) {
    request->has_waited = true;
    Wait(std::move(request), outcome.timeout_msec);
    return;
  }
  // What the commit checks find is not known here: changes may be on their way.
  if (forwarder_ != nullptr && outcome.operations_ok && !OnlyReads(request->message->params())) {
    Forward(std::move(request));
    return;
  }
  const bool changes = storage_->IsChange(database_->schema(), outcome.change);
  if (changes && !storage_->ready()) {
    kept_.push_back(std::move(request));
    return;
  }
  // What a read was shown may still be lost; and it can take for ever until that is known.
  if (!changes && !settled() && !storage_->ready()) {
    if (std::optional<std::string> result = TryToRead(*request, now_ms)) {
      Finish(std::move(request), {.text = *std::move(result)});
      return;
    }
  }
  Pending pending;
  pending.request = std::move(request);
  pending.answer.text = std::move(outcome.result);
  if (changes) {
    pending.durable = outcome.durable;
    pending.is_write = true;
    pending.change = std::move(outcome.change);
    ApplyAndAppend(std::move(pending));
  } else if (!settled()) {
    pending.position = appended_;
    pending_.push_back(std::move(pending));
  } else {
    Finish(std::move(pending.request), std::move(pending.answer), pending.is_write);
  }
}

void Executor::Propose(ovsdb::Change change, std::function<void(absl::Status)> done) {
  if (!storage_->ready()) {
    if (done) done(absl::UnavailableError("the database cannot be written now"));
    return;
  }
  Pending pending;
  pending.change = std::move(change);
  pending.done = std::move(done);
  ApplyAndAppend(std::move(pending));
}

void Executor::ApplyAndAppend(Pending pending) {
  database_->Apply(pending.change);
  NoteChanged(pending.change);
  appended_ = storage_->Append(database_->schema(), pending.change, pending.durable);
  pending.position = appended_;
  pending_.push_back(std::move(pending));
  turn_end_.Arm();
}

void Executor::NoteChanged(const ovsdb::Change& change) {
  if (waiting_.empty()) return;
  for (const ovsdb::TableChange& table : change.tables) changed_tables_[table.table] = true;
  any_changed_ = true;
}

void Executor::Wait(std::unique_ptr<Request> request, std::optional<int64_t> timeout_ms) {
  Waiting waiting;
  waiting.tables = MentionedTables(database_->schema(), request->message->params());
  if (timeout_ms) waiting.deadline_ms = request->arrived_ms + *timeout_ms;
  waiting.request = std::move(request);
  auto earlier = std::find_if(waiting_.rbegin(), waiting_.rend(), [&](const Waiting& w) {
    return w.request->number < waiting.request->number;
  });
  waiting_.insert(earlier.base(), std::move(waiting));
  ArmDeadline();
}

void Executor::ArmDeadline() {
  std::optional<int64_t> first;
  for (const Waiting& w : waiting_) {
    if (w.deadline_ms && (!first || *w.deadline_ms < *first)) first = w.deadline_ms;
  }
  if (first) {
    deadline_.StartAt(*first);
  } else {
    deadline_.Stop();
  }
}

// Each is tried once for whatever changed before; what a retried one changes calls for another
// round, which ends because those that change something no longer wait.
void Executor::RetryWaiting() {
  if (frozen_) return;
  do {
    std::vector<bool> changed(changed_tables_.size());
    changed.swap(changed_tables_);
    any_changed_ = false;
    const int64_t now = base::MonotonicMs();
    std::vector<Waiting> retry;
    auto keep = std::remove_if(waiting_.begin(), waiting_.end(), [&](Waiting& w) {
      const bool due =
          (w.deadline_ms && *w.deadline_ms <= now) ||
          std::any_of(w.tables.begin(), w.tables.end(), [&](int table) { return changed[table]; });
      if (due) retry.push_back(std::move(w));
      return due;
    });
    waiting_.erase(keep, waiting_.end());
    for (Waiting& w : retry) Execute(std::move(w.request), now);
  } while (any_changed_ && !waiting_.empty());
  ArmDeadline();
}

void Executor::RetryKept() {
  std::deque<std::unique_ptr<Request>> requests;
  requests.swap(kept_);
  for (auto& request : requests) Execute(std::move(request), base::MonotonicMs());
}

void Executor::EndTurn() {
  if (!kept_.empty() && !frozen_ && storage_->ready()) RetryKept();
  if (any_changed_) RetryWaiting();
  storage_->Flush();
}

void Executor::Settle() {
  if (appended_ != committed_) EndTurn();
}

void Executor::OnCommitted(Storage::Position position) {
  committed_ = position;
  while (!pending_.empty() && pending_.front().position <= committed_) {
    Pending pending = std::move(pending_.front());
    pending_.pop_front();
    if (!pending.change.empty()) observer_->OnChange(pending.change);
    if (pending.done) pending.done(absl::OkStatus());
    if (!pending.request) continue;
    if (pending.durable && pending.position > durable_) {
      pending.change = {};
      if (pending.request->client != nullptr)
        pending.request->client->OnHeld(pending.request.get());
      held_.push_back(std::move(pending));
    } else {
      Finish(std::move(pending.request), std::move(pending.answer), pending.is_write);
    }
  }
  if (committed_ == appended_) observer_->OnSettled();
}

void Executor::OnDurable(Storage::Position position) {
  durable_ = position;
  while (!held_.empty() && held_.front().position <= durable_) {
    Pending pending = std::move(held_.front());
    held_.pop_front();
    Finish(std::move(pending.request), std::move(pending.answer), pending.is_write);
  }
}

void Executor::OnNotDurable(Storage::Position position, const absl::Status& reason) {
  while (!held_.empty() && held_.front().position <= position) {
    Pending pending = std::move(held_.front());
    held_.pop_front();
    pending.answer.text = WithCommitError(std::move(pending.answer.text), reason);
    Finish(std::move(pending.request), std::move(pending.answer), pending.is_write);
  }
}

void Executor::OnLost(const absl::Status& reason) {
  std::deque<Pending> lost;
  lost.swap(pending_);
  for (auto it = lost.rbegin(); it != lost.rend(); ++it) {
    if (!it->change.empty()) database_->Revert(it->change);
  }
  committed_ = appended_;
  for (Pending& pending : lost) {
    if (pending.done) pending.done(reason);
    if (!pending.request) continue;
    if (pending.change.empty()) {
      Execute(std::move(pending.request), base::MonotonicMs());  // It read what is no more.
    } else {
      pending.answer.text = WithCommitError(std::move(pending.answer.text), reason);
      Finish(std::move(pending.request), std::move(pending.answer), pending.is_write);
    }
  }
}

void Executor::OnForeign(Storage::Position position, ovsdb::Change change) {
  database_->Apply(change);
  NoteChanged(change);
  appended_ = position;
  Pending pending;
  pending.position = position;
  pending.change = std::move(change);
  pending_.push_back(std::move(pending));
  turn_end_.Arm();
}

void Executor::OnDisplaced(Storage::Position position) {
  std::deque<std::unique_ptr<Request>> again;
  std::vector<std::function<void(absl::Status)>> lost;
  while (!pending_.empty() && pending_.back().position >= position) {
    Pending pending = std::move(pending_.back());
    pending_.pop_back();
    if (!pending.change.empty()) {
      database_->Revert(pending.change);
      NoteChanged(pending.change);
    }
    if (pending.request) again.push_front(std::move(pending.request));
    if (pending.done) lost.push_back(std::move(pending.done));
  }
  appended_ = pending_.empty() ? committed_ : pending_.back().position;
  // What was kept came later.
  kept_.insert(kept_.begin(), std::make_move_iterator(again.begin()),
               std::make_move_iterator(again.end()));
  for (auto& done : lost) done(absl::AbortedError("another change came first"));
  if (settled()) observer_->OnSettled();
  turn_end_.Arm();
}

void Executor::OnReady() {
  if (!kept_.empty()) turn_end_.Arm();
  observer_->OnReady();
}

// Reads that wait for others' changes need not.
void Executor::OnStalled() {
  std::vector<std::unique_ptr<Request>> reads;
  std::erase_if(pending_, [&](Pending& pending) {
    if (!pending.change.empty() || !pending.request) return false;
    reads.push_back(std::move(pending.request));
    return true;
  });
  for (auto& read : reads) Execute(std::move(read), base::MonotonicMs());
}

ovsdb::Snapshot Executor::TakeCommittedSnapshot() {
  RevertPending();
  ovsdb::Snapshot snapshot = database_->TakeSnapshot();
  ApplyPending();
  return snapshot;
}

void Executor::RevertPending() {
  for (auto it = pending_.rbegin(); it != pending_.rend(); ++it) database_->Revert(it->change);
}

void Executor::ApplyPending() {
  for (const Pending& pending : pending_) database_->Apply(pending.change);
}

void Executor::Finish(std::unique_ptr<Request> request, Answer answer, bool is_write) {
  if (request->client == nullptr) return;
  if (!answer.canceled) Account(*request, is_write);
  request->client->OnAnswer(request.get(), std::move(answer));
}

void Executor::Account(const Request& request, bool is_write) {
  ++(is_write ? stats_.writes : stats_.reads);
  if (request.has_waited) return;
  const int64_t took_us = base::MonotonicUs() - request.arrived_us;
  if (is_write) stats_.latency.Add(took_us);
  if (took_us < base::kSlowMs * 1000) return;
  base::NoteSlow(
      base::SlowKind::kTransaction,
      absl::StrCat("a transaction of ", request.client->ClientName(), " on ", DatabaseOf(request),
                   " took ", took_us / 1000, " ms, ", request.execution_us / 1000,
                   " of them to be executed", is_write ? ", the rest until it was committed" : "",
                   " (", Summary(request.message->params()), ")"));
}

void Executor::Cancel(Request* request) {
  auto is_it = [request](const std::unique_ptr<Request>& r) { return r.get() == request; };
  std::unique_ptr<Request> canceled;
  auto w = std::find_if(waiting_.begin(), waiting_.end(),
                        [&](const Waiting& waiting) { return is_it(waiting.request); });
  if (w != waiting_.end()) {
    canceled = std::move(w->request);
    waiting_.erase(w);
  }
  auto f = std::find_if(kept_.begin(), kept_.end(), is_it);
  if (f != kept_.end()) {
    canceled = std::move(*f);
    kept_.erase(f);
  }
  auto o = std::find_if(forwarded_.begin(), forwarded_.end(), is_it);
  if (o != forwarded_.end()) {
    canceled = std::move(*o);
    forwarded_.erase(o);
    Withdraw(*canceled);
  }
  if (canceled) Finish(std::move(canceled), Canceled());
}

void Executor::CancelWaiting() {
  std::vector<Waiting> waiting;
  waiting.swap(waiting_);
  for (Waiting& w : waiting) Finish(std::move(w.request), Canceled());
  std::vector<std::unique_ptr<Request>> forwarded;
  forwarded.swap(forwarded_);
  for (auto& request : forwarded) {
    Withdraw(*request);
    Finish(std::move(request), Canceled());
  }
}

void Executor::Abandon(Request::Client* client) {
  std::erase_if(waiting_, [&](const Waiting& w) { return w.request->client == client; });
  std::erase_if(kept_, [&](const auto& r) { return r->client == client; });
  std::erase_if(forwarded_, [&](const auto& request) {
    if (request->client != client) return false;
    request->client = nullptr;
    return Withdraw(*request);
  });
  for (std::deque<Pending>* queue : {&pending_, &held_}) {
    for (Pending& pending : *queue) {
      if (pending.request && pending.request->client == client) pending.request->client = nullptr;
    }
  }
}

void Executor::SetFrozen(bool frozen) {
  frozen_ = frozen;
  if (frozen_) return;
  RetryKept();
  RetryWaiting();
}

std::unique_ptr<ovsdb::Database> Executor::Replace(std::unique_ptr<ovsdb::Database> database) {
  database_.swap(database);
  if (database_ == nullptr) return database;
  changed_tables_.assign(database_->schema().tables.size(), true);
  any_changed_ = !waiting_.empty();
  for (Waiting& w : waiting_) {
    w.tables = MentionedTables(database_->schema(), w.request->message->params());
    // Names of tables that are gone make it fail: it must be tried in any case.
    w.deadline_ms = w.request->arrived_ms;
  }
  if (any_changed_) turn_end_.Arm();
  return database;
}

size_t Executor::request_count() const {
  return waiting_.size() + kept_.size() + forwarded_.size() + pending_.size() + held_.size();
}

}  // namespace server
