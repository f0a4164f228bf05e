// The `_Server` database: a row for each database of this server (ovsdb-server(5)).
#ifndef SERVER_STATUS_H_
#define SERVER_STATUS_H_

#include <string>

#include "absl/container/flat_hash_map.h"
#include "ovsdb/uuid.h"
#include "server/databases.h"

namespace server {

// Loop thread only.
class ServerStatus {
 public:
  // Adds the `_Server` database.
  explicit ServerStatus(Databases* databases);

  // Makes the row of `database` what it should be; creates it if need be.
  void Update(const HostedDatabase& database);
  void Remove(const HostedDatabase& database);

 private:
  Databases* databases_;
  HostedDatabase* server_ = nullptr;
  absl::flat_hash_map<std::string, ovsdb::Uuid> rows_;  // By name of the database.
};

}  // namespace server

#endif  // SERVER_STATUS_H_
