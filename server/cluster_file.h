// The records of a clustered database's file (ovsdb(5) "Clustered Format"), read from a log.
#ifndef SERVER_CLUSTER_FILE_H_
#define SERVER_CLUSTER_FILE_H_

#include <optional>

#include "absl/status/statusor.h"
#include "raft/record.h"
#include "server/log_file.h"

namespace server {

// The first record of a log from which nothing was read yet.
absl::StatusOr<raft::Header> ReadClusterHeader(LogFile* log);

// The next record, or nothing at the end. One that is no good is given back: reading has ended
// then.
absl::StatusOr<std::optional<raft::Record>> ReadClusterRecord(LogFile* log);

}  // namespace server

#endif  // SERVER_CLUSTER_FILE_H_
