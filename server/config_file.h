// The file of `--config-file` (ovsdb-server(1)): which remotes and databases a server has.
//
// Only reading: what the options mean is up to remotes and databases. The grammar, the defaults
// and which mistakes are fatal are stock's, but members `remotes` and `databases` may be left out.
#ifndef SERVER_CONFIG_FILE_H_
#define SERVER_CONFIG_FILE_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace server {

// What the file says of one JSON-RPC connection. Unset: the default of its kind.
struct RemoteOptions {
  std::optional<int> max_backoff_ms;
  std::optional<int> inactivity_probe_ms;
  std::optional<int> dscp;  // 0..63
  bool read_only = false;
  std::string role;  // RBAC; empty: unrestricted.

  bool operator==(const RemoteOptions& o) const = default;
};

// What it says of one database.
struct DatabaseOptions {
  enum class Model { kFromFile, kStandalone, kClustered, kActiveBackup, kRelay };

  Model model = Model::kFromFile;
  std::string source;  // A target; for active-backup (may be empty if not `backup`) and relay.
  RemoteOptions source_options;
  bool backup = false;                   // Active-backup only: start as the backup.
  std::set<std::string> exclude_tables;  // Active-backup only.

  bool operator==(const DatabaseOptions& o) const = default;
};

// A line that reading a file leaves in the log, as stock words it.
struct ConfigComplaint {
  bool about_connection;  // A matter of JSON-RPC, not of the whole file.
  std::string text;
};

// What the command line and commands say of all databases that are not relays; nothing where there
// is a configuration file.
struct SyncOptions {
  std::string source;          // The active server; empty: none.
  std::string exclude_tables;  // DB:TABLE[,DB:TABLE]..., or TABLE for that of every database.
  bool backup = false;         // Be a backup of the source.

  bool operator==(const SyncOptions& o) const = default;
};

struct ServerConfig {
  std::map<std::string, RemoteOptions> remotes;      // By target.
  std::map<std::string, DatabaseOptions> databases;  // By file name, for relays by schema name.
  SyncOptions sync;

  // The text of a file. What stock only warns of (a connection's bad options, which then get their
  // defaults) is appended to `*complaints`; everything else that is wrong is the error, and there,
  // too.
  static absl::StatusOr<ServerConfig> Parse(absl::string_view text,
                                            std::vector<ConfigComplaint>* complaints);
  // A text that Parse() makes the same of.
  std::string ToText() const;
};

}  // namespace server

#endif  // SERVER_CONFIG_FILE_H_
