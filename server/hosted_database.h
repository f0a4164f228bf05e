// One database as this server hosts it: its executor, the monitors on it, its history.
#ifndef SERVER_HOSTED_DATABASE_H_
#define SERVER_HOSTED_DATABASE_H_

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "ovsdb/history.h"
#include "ovsdb/monitor_index.h"
#include "ovsdb/schema.h"
#include "server/base/memory.h"
#include "server/executor.h"

namespace server {

class DbSession;

// Loop thread only.
class HostedDatabase final : private Executor::Observer {
 public:
  using Done = std::function<void(absl::Status)>;
  // Told of every committed change, after the monitors.
  using ChangeCallback = std::function<void(const ovsdb::Change& change)>;

  // The rest of the server, as far as a database needs it.
  struct Environment {
    base::Loop* loop = nullptr;
    base::Worker* worker = nullptr;  // For work that may take seconds.
    ovsdb::UuidGenerator* uuids = nullptr;
    // The state is about to be replaced: no monitor may be left afterwards.
    std::function<void(HostedDatabase* database)> leave;
    // It was; `reason` is for logs.
    std::function<void(HostedDatabase* database, absl::string_view reason)> replaced;
    bool trim_memory = true;  // After compactions.
    // Of recent changes, for clients that were away: see ovsdb::History.
    size_t history_bytes = 64 << 20;
  };

  // `environment` outlives this. `file` is its file as the user named it (relay:NAME:REMOTES for a
  // relay), empty for built-in databases. `database` may be null: not available yet.
  HostedDatabase(const Environment* environment, std::string name, std::string file,
                 std::unique_ptr<Storage> storage, std::unique_ptr<ovsdb::Database> database);
  ~HostedDatabase();
  HostedDatabase(const HostedDatabase&) = delete;
  HostedDatabase& operator=(const HostedDatabase&) = delete;

  const std::string& name() const { return name_; }
  const std::string& file() const { return file_; }
  bool built_in() const { return file_.empty(); }
  bool available() const { return executor_.database() != nullptr; }

  Executor& executor() { return executor_; }
  const Executor& executor() const { return executor_; }
  // These need a database that is available.
  const ovsdb::Database& state() const { return *executor_.database(); }
  ovsdb::MonitorIndex& monitors() { return *monitors_; }
  const ovsdb::MonitorIndex& monitors() const { return *monitors_; }
  const ovsdb::History& history() const { return history_; }
  const std::string& schema_text() const { return schema_text_; }

  // Clients may not write here, nor convert it: a backup, or a built-in database.
  void SetReadOnly(bool read_only) { read_only_ = read_only; }
  bool read_only() const { return read_only_; }

  // What led from the state `base` to that of now, as far as it is known.
  void RestoreHistory(const ovsdb::Uuid& base, std::vector<ovsdb::NamedChange> changes);

  // The session is going, or has no monitors here any more.
  void Forget(DbSession* session) { lagging_.erase(session); }

  // The rows of committed changes of a table are logged ("tlog").
  void SetTableLog(int table, bool on);
  bool table_log(int table) const;

  // Callbacks are never taken back but with the database.
  void AddChangeCallback(ChangeCallback callback);

  // Writes the file anew, if it has one, while transactions go on.
  void Compact(std::string comment, Done done);

  // Changes the schema of the stored database, once the storage takes changes; forgotten if nothing
  // is `wanted` any more by then. Transactions wait meanwhile, nothing else does.
  void Convert(ovsdb::SchemaRef schema, std::function<bool()> wanted, Done done);

  // Puts `database` in the place of this one: contents that came from elsewhere.
  void Replace(std::unique_ptr<ovsdb::Database> database, absl::string_view reason);

  // Frees the state on another thread, for it may be large. Only to be destroyed afterwards.
  void ReleaseState();

  void AddMemoryUsage(base::MemoryUsage* usage) const;

 private:
  struct Conversion;

  void OnChange(const ovsdb::Change& change) override;
  void OnSettled() override;
  void OnReady() override;
  void Adopt();
  void LogChange(const ovsdb::Change& change);
  void Rewrite(std::function<void()> job);
  void NextRewrite();
  void StartCompaction(const std::string& comment, const Done& done);
  void StartConversion(const std::shared_ptr<Conversion>& job);
  void RunConversion(const std::shared_ptr<Conversion>& job);
  void StoreConversion(const std::shared_ptr<Conversion>& job);
  void EndConversion(const std::shared_ptr<Conversion>& job, const absl::Status& status);
  void FreeAside(std::unique_ptr<ovsdb::Database> old);
  void Exchange(std::unique_ptr<ovsdb::Database> database, absl::string_view reason);

  const Environment* environment_;
  const std::string name_;
  const std::string file_;
  std::string schema_text_;
  std::unique_ptr<ovsdb::MonitorIndex> monitors_;
  ovsdb::History history_;
  bool read_only_ = false;
  std::vector<bool> table_logs_;
  std::vector<ChangeCallback> change_callbacks_;
  std::vector<ovsdb::Delivery> deliveries_;
  absl::flat_hash_set<DbSession*> lagging_;  // Since the last OnSettled.

  std::shared_ptr<Conversion> conversion_;  // That waits for all that is on its way to be settled.
  std::vector<std::shared_ptr<Conversion>> deferred_;  // Until the storage takes changes.
  bool rewriting_ = false;
  std::deque<std::function<void()>> rewrites_;  // That wait for the one under way.

  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Executor executor_;
};

}  // namespace server

#endif  // SERVER_HOSTED_DATABASE_H_
