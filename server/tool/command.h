// The commands of ovsdb-tool, and what they share.
#ifndef SERVER_TOOL_COMMAND_H_
#define SERVER_TOOL_COMMAND_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ovsdb/json.h"
#include "ovsdb/schema.h"
#include "ovsdb/uuid.h"
#include "server/log_file.h"

namespace tool {

struct Invocation {
  std::vector<std::string> args;  // As many as the command takes.
  int more = 0;                   // How often -m was given.
  std::string rbac_role;
  uint64_t election_timer_ms = 0;  // 0 for the default.
  ovsdb::Uuid cid;                 // Of the cluster; zero: not given.
  ovsdb::Uuid sid;                 // Of the server.

  // Argument `i`, or the default place of the database or schema if it was not given.
  std::string Database(size_t i = 0) const;
  std::string Schema(size_t i) const;
};

// Exit codes beside 1, which goes with every error.
inline constexpr int kSuccess = 0;
inline constexpr int kNo = 2;  // A question is answered with no.

struct Command {
  const char* name;
  const char* usage;  // Of the arguments.
  int min_args;
  int max_args;
  // The exit code, or an error to be printed: an OVSDB error (ovsdb/error.h), or a Failure().
  absl::StatusOr<int> (*run)(const Invocation&);
};

// An error with a message of the tool's own.
absl::Status Failure(absl::string_view message);

// What is said of such an error.
std::string ErrorMessage(const absl::Status& status);

std::string DefaultSchema();  // Its place.
std::string Signature();      // Name and version of this program, for comments.

uint64_t RandomSeed();  // For identifiers that must be unique.

absl::StatusOr<std::string> ReadFile(const std::string& path);

// Reads a schema from a JSON file.
absl::StatusOr<ovsdb::SchemaRef> ReadSchemaFile(const std::string& path);

// Opens a database file that must not be clustered.
absl::StatusOr<std::unique_ptr<server::LogFile>> OpenStandalone(
    const std::string& path, server::LogFile::Mode mode = server::LogFile::Mode::kReadOnly);

// Makes a database file of these records' JSON texts, durably. It must not exist.
absl::Status CreateFile(const std::string& path, server::LogMagic magic,
                        std::vector<std::string> records);

// To standard output.
void Print(absl::string_view text);
void PrintLine(absl::string_view line);

absl::StatusOr<int> Create(const Invocation& invocation);
absl::StatusOr<int> Compact(const Invocation& invocation);
absl::StatusOr<int> Convert(const Invocation& invocation);
absl::StatusOr<int> NeedsConversion(const Invocation& invocation);
absl::StatusOr<int> DbName(const Invocation& invocation);
absl::StatusOr<int> DbVersion(const Invocation& invocation);
absl::StatusOr<int> DbCksum(const Invocation& invocation);
absl::StatusOr<int> DbIsClustered(const Invocation& invocation);
absl::StatusOr<int> DbIsStandalone(const Invocation& invocation);
absl::StatusOr<int> SchemaName(const Invocation& invocation);
absl::StatusOr<int> SchemaVersion(const Invocation& invocation);
absl::StatusOr<int> SchemaCksum(const Invocation& invocation);
absl::StatusOr<int> CompareVersions(const Invocation& invocation);
absl::StatusOr<int> Query(const Invocation& invocation);
absl::StatusOr<int> Transact(const Invocation& invocation);
absl::StatusOr<int> ShowLog(const Invocation& invocation);
absl::StatusOr<int> CreateCluster(const Invocation& invocation);
absl::StatusOr<int> JoinCluster(const Invocation& invocation);
absl::StatusOr<int> RejoinCluster(const Invocation& invocation);
absl::StatusOr<int> DbCid(const Invocation& invocation);
absl::StatusOr<int> DbSid(const Invocation& invocation);
absl::StatusOr<int> DbLocalAddress(const Invocation& invocation);
absl::StatusOr<int> DbRaftHeader(const Invocation& invocation);
absl::StatusOr<int> CheckCluster(const Invocation& invocation);
absl::StatusOr<int> FixCluster(const Invocation& invocation);
absl::StatusOr<int> ClusterToStandalone(const Invocation& invocation);

}  // namespace tool

#endif  // SERVER_TOOL_COMMAND_H_
