// Where clients connect from, or are connected to: the --remote options, what they find in
// databases (db:DB,TABLE,COLUMN), and the status that is written back there.
#ifndef SERVER_REMOTES_H_
#define SERVER_REMOTES_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/base/loop.h"
#include "server/base/rpc_session.h"
#include "server/base/stream.h"
#include "server/config_file.h"
#include "server/databases.h"

namespace server {

class Sessions;

// The place that "db:DB,TABLE,COLUMN" names.
struct ColumnPlace {
  // Errors as stock words them; kUnavailable if the database has no schema yet.
  static absl::StatusOr<ColumnPlace> Parse(const Databases& databases, absl::string_view name);
  // Whether the name may stand in a configuration: it is one, or will be once the schema is there.
  static absl::Status Check(const Databases& databases, absl::string_view name);

  HostedDatabase* database;
  const ovsdb::TableSchema* table;
  const ovsdb::ColumnSchema* column;
};

// Loop thread only.
class Remotes {
 public:
  // All outlive this.
  Remotes(const base::StreamContext& context, Sessions* sessions, Databases* databases);
  ~Remotes();
  Remotes(const Remotes&) = delete;
  Remotes& operator=(const Remotes&) = delete;

  using Targets = std::map<std::string, RemoteOptions>;

  // Adding one again changes nothing. Errors only for a `db:` remote that names nothing.
  absl::Status Add(absl::string_view target);
  bool Remove(absl::string_view target);  // False if there is none.
  void Set(Targets targets);              // These and no others.
  const Targets& configured() const { return configured_; }

  // Makes the listening sockets and connections what they should be, now.
  void Reconfigure();
  // The same at the end of the turn. To be called when databases come, go or change their schema.
  void SetDirty() { reconfigure_.Arm(); }
  // `change` was committed in `database`.
  void OnChange(const HostedDatabase& database, const ovsdb::Change& change);

 private:
  class Remote;
  // A table that `db:` remotes were read from.
  struct WatchedTable {
    const HostedDatabase* database;
    int table;
    std::set<ovsdb::Uuid> remotes;  // The rows that are; others are not ours to write to.
  };

  WatchedTable* Watch(const HostedDatabase* database, int table);
  void AddFromColumn(const ColumnPlace& place, Targets* targets);
  void WriteStatus();
  void WriteStatus(const WatchedTable& watched, HostedDatabase* database);

  base::StreamContext context_;
  Sessions* sessions_;
  Databases* databases_;
  Targets configured_;
  std::map<std::string, std::unique_ptr<Remote>> remotes_;  // By target.

  std::vector<WatchedTable> watched_;  // Each once.

  base::TurnEnd reconfigure_;
  base::Timer status_timer_;
};

}  // namespace server

#endif  // SERVER_REMOTES_H_
