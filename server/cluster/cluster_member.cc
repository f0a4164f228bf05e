#include "server/cluster/cluster_member.h"

#include <utility>

namespace server {

ClusterMember::ClusterMember(base::Loop* loop, HostedDatabase* database, ClusterStorage* storage,
                             Callback changed, Callback left)
    : database_(database),
      storage_(storage),
      changed_(std::move(changed)),
      left_timer_(loop, std::move(left)) {
  storage_->Start(this);
}

ovsdb::Snapshot ClusterMember::CommittedSnapshot() {
  return database_->executor().TakeCommittedSnapshot();
}

void ClusterMember::ReplaceContents(std::unique_ptr<ovsdb::Database> contents,
                                    absl::string_view reason) {
  database_->Replace(std::move(contents), reason);
}

}  // namespace server
