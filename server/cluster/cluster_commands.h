// The cluster/* commands of the control socket (ovsdb-server(1) "Cluster Commands").
#ifndef SERVER_CLUSTER_CLUSTER_COMMANDS_H_
#define SERVER_CLUSTER_CLUSTER_COMMANDS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "raft/status.h"
#include "server/base/unixctl.h"
#include "server/cluster/storage_cluster.h"
#include "server/server.h"

namespace server {

// `server` outlives `unixctl`.
void RegisterClusterCommands(base::Unixctl* unixctl, Server* server);

// The words of cluster/status.
absl::string_view MembershipText(const raft::Status& status);
absl::string_view RoleText(raft::Role role);

// What cluster/status prints.
std::string ClusterStatusText(const ClusterStorage& storage);

}  // namespace server

#endif  // SERVER_CLUSTER_CLUSTER_COMMANDS_H_
