#include "server/hosted_database.h"

#include <malloc.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "ovsdb/convert.h"
#include "ovsdb/error.h"
#include "ovsdb/references.h"
#include "server/base/log.h"
#include "server/db_session.h"

namespace server {
namespace {

base::LogModule log("ovsdb_server");
base::LogModule transaction_log("transaction");

}  // namespace

HostedDatabase::HostedDatabase(const Environment* environment, std::string name, std::string file,
                               std::unique_ptr<Storage> storage,
                               std::unique_ptr<ovsdb::Database> database)
    : environment_(environment),
      name_(std::move(name)),
      file_(std::move(file)),
      history_(environment->history_bytes),
      executor_(environment->loop, environment->uuids, std::move(storage), std::move(database),
                this) {
  if (available()) Adopt();
}

HostedDatabase::~HostedDatabase() { *alive_ = false; }

// Sets up what depends on the schema.
void HostedDatabase::Adopt() {
  schema_text_.clear();
  state().schema().AppendJson(&schema_text_);
  monitors_ = std::make_unique<ovsdb::MonitorIndex>(state().schema_ref());
  history_.Reset(executor_.storage().last_txn_id());
  table_logs_.assign(state().schema().tables.size(), false);
}

void HostedDatabase::RestoreHistory(const ovsdb::Uuid& base,
                                    std::vector<ovsdb::NamedChange> changes) {
  history_.Reset(base);
  for (ovsdb::NamedChange& change : changes) history_.Add(change.id, std::move(change.change));
}

void HostedDatabase::SetTableLog(int table, bool on) { table_logs_[table] = on; }

bool HostedDatabase::table_log(int table) const { return table_logs_[table]; }

void HostedDatabase::AddChangeCallback(ChangeCallback callback) {
  change_callbacks_.push_back(std::move(callback));
}

void HostedDatabase::OnChange(const ovsdb::Change& change) {
  const ovsdb::Uuid txn_id = executor_.storage().last_txn_id();
  deliveries_.clear();
  monitors_->Publish(change, &deliveries_);
  for (const ovsdb::Delivery& delivery : deliveries_) {
    auto* session = static_cast<DbSession*>(delivery.monitor->owner());
    session->Deliver(delivery, txn_id);
    if (session->lagging()) lagging_.insert(session);
  }
  deliveries_.clear();
  LogChange(change);
  if (txn_id.is_zero()) {
    history_.Reset(txn_id);  // A state without a name: nobody can tell what changed since.
  } else {
    history_.Add(txn_id, change);
  }
  for (const ChangeCallback& callback : change_callbacks_) callback(change);
}

// A line for each row of the tables whose changes are wanted in the log.
void HostedDatabase::LogChange(const ovsdb::Change& change) {
  for (const ovsdb::TableChange& changed : change.tables) {
    if (!table_logs_[changed.table]) continue;
    const ovsdb::TableSchema& table = state().schema().tables[changed.table];
    for (const ovsdb::RowChange& row : changed.rows) {
      const char* op = !row.before ? "inserted" : !row.after ? "deleted" : "updated";
      std::string text = absl::StrCat("table:", table.name, ",op:", op);
      for (const ovsdb::ColumnSchema& column : table.columns) {
        absl::StrAppend(&text, ",", column.name, ":");
        column.type.AppendText((row.after ? row.after : row.before)->Get(column.index), &text);
      }
      transaction_log.Info("%s", text);
    }
  }
}

void HostedDatabase::OnSettled() {
  for (DbSession* session : lagging_) session->PauseMonitors(this);
  lagging_.clear();
  if (conversion_) RunConversion(std::exchange(conversion_, nullptr));
}

// The file is rewritten for one reason at a time.
void HostedDatabase::Rewrite(std::function<void()> job) {
  rewrites_.push_back(std::move(job));
  if (!rewriting_) NextRewrite();
}

void HostedDatabase::NextRewrite() {
  rewriting_ = !rewrites_.empty();
  if (!rewriting_) return;
  const std::function<void()> job = std::move(rewrites_.front());
  rewrites_.pop_front();
  job();
}

void HostedDatabase::Compact(std::string comment, Done done) {
  Rewrite([this, comment = std::move(comment), done = std::move(done)] {
    StartCompaction(comment, done);
  });
}

void HostedDatabase::StartCompaction(const std::string& comment, const Done& done) {
  if (!available()) {  // A relay that has not heard from its source: there is nothing to compact.
    if (done) done(absl::OkStatus());
    NextRewrite();
    return;
  }
  executor_.Settle();
  executor_.storage().Compact(executor_.TakeCommittedSnapshot(), comment,
                              [this, alive = alive_, done](absl::Status status) {
                                if (done) done(std::move(status));
                                if (!*alive) return;
                                // Others wait for locks that it holds: not at low priority.
                                if (environment_->trim_memory)
                                  environment_->loop->Work([] { malloc_trim(0); }, nullptr);
                                NextRewrite();
                              });
}

struct HostedDatabase::Conversion {
  ovsdb::SchemaRef schema;
  std::function<bool()> wanted;
  Done done;
  absl::StatusOr<std::unique_ptr<ovsdb::Database>> result;
};

void HostedDatabase::Convert(ovsdb::SchemaRef schema, std::function<bool()> wanted, Done done) {
  if (absl::Status status = executor_.storage().CheckSchema(*schema); !status.ok()) {
    done(std::move(status));
    return;
  }
  auto job = std::make_shared<Conversion>();
  job->schema = std::move(schema);
  job->wanted = std::move(wanted);
  job->done = std::move(done);
  Rewrite([this, job] { StartConversion(job); });
}

void HostedDatabase::OnReady() {
  if (deferred_.empty()) return;
  environment_->loop->Post([this, alive = alive_] {
    if (!*alive) return;
    for (const auto& job : std::exchange(deferred_, {})) {
      Rewrite([this, job] { StartConversion(job); });
    }
  });
}

// Requests are kept from now on, and those that were executed before must be settled.
void HostedDatabase::StartConversion(const std::shared_ptr<Conversion>& job) {
  const bool is_ready = executor_.storage().ready();
  if (!is_ready || !job->wanted()) {
    // Others are not kept waiting for a cluster to find a leader.
    if (!is_ready) deferred_.push_back(job);
    executor_.SetFrozen(false);
    NextRewrite();
    return;
  }
  executor_.Settle();
  executor_.SetFrozen(true);
  if (executor_.settled()) {
    RunConversion(job);
  } else {
    conversion_ = job;
  }
}

void HostedDatabase::RunConversion(const std::shared_ptr<Conversion>& job) {
  environment_->worker->Run(
      [job, snapshot = state().TakeSnapshot(), seed = environment_->uuids->Next().hi]() mutable {
        ovsdb::UuidGenerator uuids(seed);
        job->result =
            ovsdb::ConvertDatabase(snapshot, job->schema, ovsdb::OldDefault::kConvert, &uuids);
        snapshot = {};
      },
      [this, alive = alive_, job] {
        if (*alive) StoreConversion(job);
      });
}

void HostedDatabase::StoreConversion(const std::shared_ptr<Conversion>& job) {
  if (!job->result.ok()) {
    EndConversion(job, job->result.status());
    return;
  }
  executor_.storage().Convert((*job->result)->TakeSnapshot(),
                              [this, alive = alive_, job](const absl::Status& status) {
                                if (*alive) EndConversion(job, status);
                              });
}

void HostedDatabase::EndConversion(const std::shared_ptr<Conversion>& job,
                                   const absl::Status& status) {
  if (absl::IsAborted(status)) {
    // Another server's change came first, which will have been applied by then; or the leader is
    // lost.
    environment_->loop->Post([this, alive = alive_, job] {
      if (*alive) StartConversion(job);
    });
    return;
  }
  // Stock's order: monitors are canceled, the conversion is answered, what waited is canceled.
  if (status.ok()) environment_->leave(this);
  job->done(status);
  if (status.ok()) {
    Exchange(*std::move(job->result),
             absl::StrCat("committed ", name_, " database schema conversion"));
  }
  executor_.SetFrozen(false);
  NextRewrite();
}

void HostedDatabase::Replace(std::unique_ptr<ovsdb::Database> database, absl::string_view reason) {
  environment_->leave(this);
  Exchange(std::move(database), reason);
}

void HostedDatabase::Exchange(std::unique_ptr<ovsdb::Database> database, absl::string_view reason) {
  executor_.CancelWaiting();
  FreeAside(executor_.Replace(std::move(database)));
  Adopt();
  environment_->replaced(this, reason);
}

void HostedDatabase::ReleaseState() { FreeAside(executor_.Replace(nullptr)); }

// What may be large and belongs to the state that was.
void HostedDatabase::FreeAside(std::unique_ptr<ovsdb::Database> old) {
  environment_->worker->Run(
      [old = std::move(old), monitors = std::move(monitors_),
       history = std::exchange(history_, ovsdb::History(environment_->history_bytes))]() mutable {
        monitors = nullptr;
        history = ovsdb::History(0);
        old = nullptr;
      },
      nullptr);
}

void HostedDatabase::AddMemoryUsage(base::MemoryUsage* usage) const {
  auto add_some = [usage](const char* name, uint64_t n) {
    if (n > 0) (*usage)[name] += n;
  };
  add_some("triggers", executor_.request_count());
  if (!available()) return;
  uint64_t cells = 0;
  for (const ovsdb::TableSchema& table : state().schema().tables) {
    cells += state().table(table.index).size() * table.columns.size();
  }
  (*usage)["atoms"] += state().atom_count();
  (*usage)["cells"] += cells;
  (*usage)["monitors"] += monitors_->kind_count();
  (*usage)["n-weak-refs"] += state().references().weak_link_count();
  add_some("json-caches", monitors_->text_count());
  executor_.storage().AddMemoryUsage(usage);
  add_some("txn-history", history_.size());
  add_some("txn-history-atoms", history_.atom_count());
}

}  // namespace server
