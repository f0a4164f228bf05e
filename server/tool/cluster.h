// What the commands on clustered databases share.
#ifndef SERVER_TOOL_CLUSTER_H_
#define SERVER_TOOL_CLUSTER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "raft/record.h"
#include "server/log_file.h"

namespace tool {

// A file of which the header has been read. `not_clustered` is what is said of a standalone one.
struct ClusterFile {
  std::unique_ptr<server::LogFile> log;
  raft::Header header;
};
absl::StatusOr<ClusterFile> OpenClustered(const std::string& path, absl::string_view not_clustered);

// How people name servers: the first four digits.
std::string Nick(const ovsdb::Uuid& id);

// Prints the records that follow the first one, and that one.
absl::StatusOr<int> ShowClusterLog(server::LogFile* log, int more);

}  // namespace tool

#endif  // SERVER_TOOL_CLUSTER_H_
