// Keeps a database equal to one of the same name on another server (ovsdb(7) "Active-Backup
// Database Service Model").
#ifndef SERVER_REPLICATION_H_
#define SERVER_REPLICATION_H_

#include <functional>
#include <optional>
#include <set>
#include <string>

#include "server/base/loop.h"
#include "server/client/db_client.h"
#include "server/hosted_database.h"

namespace server {

// Loop thread only.
class Replication final : private DbClient::Handler {
 public:
  struct Options {
    DbClient::Options source;
    std::set<std::string> exclude_tables;  // Whose local rows are left alone.
  };

  // `database` and `uuids` outlive this. `failed` is called (in a turn of its own, and may destroy
  // this) when this database cannot be a copy of that one: it is the same, it is missing, the
  // schemas differ or the rows do not fit; nothing is done any more then.
  Replication(const base::StreamContext& context, const Options& options,
              ovsdb::UuidGenerator* uuids, const ovsdb::Uuid& server_id, HostedDatabase* database,
              std::function<void()> failed);
  ~Replication();
  Replication(const Replication&) = delete;
  Replication& operator=(const Replication&) = delete;

  // It has been a copy at least once. It still counts when the source is away.
  bool replicating() const { return replicating_; }
  // Other settings of the connection.
  void SetSource(const DbClient::Options& source) { client_.SetOptions(source); }

 private:
  // DbClient::Handler
  void OnConnected() override;
  std::optional<std::string> OnSchema(const ovsdb::Json& schema) override;
  absl::Status OnContents(ovsdb::MonitorVersion version, const ovsdb::Json& updates,
                          const ovsdb::Uuid& txn_id) override;
  absl::Status OnUpdates(ovsdb::MonitorVersion version, const ovsdb::Json& updates,
                         const ovsdb::Uuid& txn_id) override;
  void OnNoDatabase() override;

  bool IsReplicated(const ovsdb::TableSchema& table) const;
  bool CanReplicate(const ovsdb::DatabaseSchema& source) const;
  void Commit(absl::StatusOr<ovsdb::Change> change);
  void Fail(absl::string_view reason);
  void Stop();

  const Options options_;
  ovsdb::UuidGenerator* const uuids_;
  const ovsdb::Uuid server_id_;
  HostedDatabase* const database_;
  bool replicating_ = false;
  bool has_failed_ = false;
  base::Timer failed_;
  DbClient client_;
};

}  // namespace server

#endif  // SERVER_REPLICATION_H_
