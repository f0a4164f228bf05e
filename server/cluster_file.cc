#include "server/cluster_file.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "ovsdb/error.h"
#include "ovsdb/json.h"
#include "server/database_file.h"

namespace server {

absl::StatusOr<raft::Header> ReadClusterHeader(LogFile* log) {
  absl::StatusOr<std::optional<ovsdb::JsonDocument>> json = ReadJson(log);
  if (!json.ok()) return json.status();
  if (!*json) return ovsdb::IoError(absl::StrCat(log->path(), ": no header"), "End of file");
  return raft::ParseHeader(**json);
}

absl::StatusOr<std::optional<raft::Record>> ReadClusterRecord(LogFile* log) {
  absl::StatusOr<std::optional<ovsdb::JsonDocument>> json = ReadJson(log);
  if (!json.ok()) return json.status();
  if (!*json) return std::nullopt;
  absl::StatusOr<raft::Record> record = raft::ParseRecord(**json);
  if (record.ok()) return *std::move(record);
  log->Unread();
  return record.status();
}

}  // namespace server
