// Which databases of this server are backups, of what, and how that changes (ovsdb-server(1)
// "Active-Backup Options" and "Active-Backup Commands").
#ifndef SERVER_BACKUPS_H_
#define SERVER_BACKUPS_H_

#include <map>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "ovsdb/uuid.h"
#include "server/base/stream.h"
#include "server/config_file.h"
#include "server/hosted_database.h"
#include "server/replication.h"

namespace server {

// Loop thread only.
class Backups {
 public:
  // `uuids` outlives this.
  Backups(const base::StreamContext& context, ovsdb::UuidGenerator* uuids,
          const ovsdb::Uuid& server_id);
  ~Backups();
  Backups(const Backups&) = delete;
  Backups& operator=(const Backups&) = delete;

  // Gives `database` the role that `options` say; nothing happens if that is its role already. One
  // that cannot be a copy of its source becomes active, and with it all that have the same source.
  void Set(HostedDatabase* database, const DatabaseOptions& options);
  // To be called before `database` is destroyed.
  void Forget(HostedDatabase* database);

  // A database should be a backup, but is active since it could not be one.
  bool any_failed() const;
  // Makes those try again.
  void Retry();

  // Of replications now and to come whose options have none.
  void SetProbeInterval(int ms);

  // What sync-status answers.
  std::string StatusText() const;

 private:
  struct Role {
    HostedDatabase* database;
    DatabaseOptions options;
    std::unique_ptr<Replication> replication;  // Null: it is active.

    bool failed() const { return options.backup && replication == nullptr; }
  };

  DbClient::Options Source(const Role& role) const;
  void Start(Role* role);
  void Fail(const std::string& source);

  const base::StreamContext context_;
  ovsdb::UuidGenerator* const uuids_;
  const ovsdb::Uuid server_id_;
  int probe_interval_ms_;
  std::map<std::string, Role> roles_;  // By name of the database.
};

}  // namespace server

#endif  // SERVER_BACKUPS_H_
