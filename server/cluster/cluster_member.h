// Joins a clustered database and its storage.
#ifndef SERVER_CLUSTER_CLUSTER_MEMBER_H_
#define SERVER_CLUSTER_CLUSTER_MEMBER_H_

#include <functional>
#include <memory>

#include "server/cluster/storage_cluster.h"
#include "server/hosted_database.h"

namespace server {

// Loop thread only.
class ClusterMember final : private ClusterStorage::Host {
 public:
  using Callback = std::function<void()>;

  // Takes up contact with the cluster. `database`, whose storage is `storage`, outlives this.
  // `changed` is called when the database's row in `_Server` may be another; `left`, on a later
  // turn than the cause, when this server belongs to the cluster no more: it may close the
  // database.
  ClusterMember(base::Loop* loop, HostedDatabase* database, ClusterStorage* storage,
                Callback changed, Callback left);

  ClusterStorage& storage() { return *storage_; }
  const ClusterStorage& storage() const { return *storage_; }

 private:
  ovsdb::Snapshot CommittedSnapshot() override;
  void ReplaceContents(std::unique_ptr<ovsdb::Database> contents,
                       absl::string_view reason) override;
  void OnClusterChange() override { changed_(); }
  void OnLeft() override { left_timer_.Start(0); }

  HostedDatabase* database_;
  ClusterStorage* storage_;
  Callback changed_;
  base::Timer left_timer_;
};

}  // namespace server

#endif  // SERVER_CLUSTER_CLUSTER_MEMBER_H_
