// A database that a cluster stores: what the loop and the disk do for one raft::Server.
//
// Transactions that are appended here are proposed to the cluster, each based on the one before,
// and committed when the cluster has committed them. What others commit comes to the client as
// foreign changes. On a leader everything that is in the log is part of the newest state, whether
// committed or not; elsewhere the newest state is what is committed and what was proposed here.
#ifndef SERVER_CLUSTER_STORAGE_CLUSTER_H_
#define SERVER_CLUSTER_STORAGE_CLUSTER_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "ovsdb/database.h"
#include "ovsdb/log_json.h"
#include "ovsdb/uuid.h"
#include "raft/server.h"
#include "server/base/loop.h"
#include "server/base/stream.h"
#include "server/base/turn_budget.h"
#include "server/cluster/cluster_file.h"
#include "server/cluster/failure_test.h"
#include "server/cluster/peers.h"
#include "server/compaction_schedule.h"
#include "server/durable.h"
#include "server/file_rewrite.h"
#include "server/log_file.h"
#include "server/storage.h"

namespace server {

// Loop thread only.
class ClusterStorage final : public Storage, private Peers::Handler {
 public:
  // The database that this is the storage of.
  class Host {
   public:
    // What is committed, without what was appended on top.
    virtual ovsdb::Snapshot CommittedSnapshot() = 0;
    // Contents of another origin, or under another schema, take the place of all that there is.
    // Nothing that was appended is left.
    virtual void ReplaceContents(std::unique_ptr<ovsdb::Database> contents,
                                 absl::string_view reason) = 0;
    // leader(), connected() or cluster() say something else.
    virtual void OnClusterChange() = 0;
    // This server belongs to the cluster no more: the storage is of no use.
    virtual void OnLeft() = 0;

   protected:
    ~Host() = default;
  };

  struct Environment {
    base::StreamContext context;
    base::Worker* sync = nullptr;     // For fsyncs.
    base::Worker* rewrite = nullptr;  // For whole files and contents.
    ovsdb::UuidGenerator* uuids = nullptr;
    const ovsdb::RecordForm* form = nullptr;  // How records are written; these two may change.
    const bool* convert_data = nullptr;       // Conversions carry the data, not the schema alone.
  };

  // Goes on behind what was loaded from `log`. What `environment` points to outlives this.
  ClusterStorage(const Environment& environment, std::unique_ptr<LogFile> log,
                 raft::PersistentState state, uint64_t base_size);
  ~ClusterStorage() override;

  // Takes up contact with the cluster. The host outlives this.
  void Start(Host* host);

  const raft::Server& raft() const { return raft_; }
  const Peers& peers() const { return peers_; }
  raft::Index applied_index() const { return applied_; }

  // Since the start.
  struct SnapshotCounts {
    uint64_t taken = 0;  // Into the own file: compactions.
    uint64_t sent = 0;
    uint64_t installed = 0;
  };
  const SnapshotCounts& snapshot_counts() const { return snapshot_counts_; }

  // What administrators ask for (raft::Server).
  absl::Status Leave();
  absl::StatusOr<std::string> Kick(const raft::ServerId& server);
  absl::StatusOr<std::string> ChangeElectionTimer(uint64_t timer_ms);
  void TransferLeadership(absl::string_view reason);
  void EngageFailureTest(FailureTest::Scenario scenario);
  void SetBacklogLimit(const Peer::BacklogLimit& limit) { peers_.SetBacklogLimit(limit); }

  // Storage
  void SetClient(Client* client) override { client_ = client; }
  absl::string_view model() const override { return "clustered"; }
  bool ready() const override;
  bool IsChange(const ovsdb::DatabaseSchema& schema, const ovsdb::Change& change) const override {
    return ovsdb::LeavesRecord(schema, change);
  }
  Position Append(const ovsdb::DatabaseSchema& schema, const ovsdb::Change& change,
                  bool durable) override;
  void Flush() override { Pump(); }
  void SyncNow() override;
  ovsdb::Uuid last_txn_id() const override { return last_txn_id_; }
  void Compact(ovsdb::Snapshot snapshot, std::string comment, Done done) override;
  absl::Status CheckSchema(const ovsdb::DatabaseSchema& schema) const override;
  void Convert(ovsdb::Snapshot converted, Done done) override;
  bool WantsCompaction() override;
  bool connected() const override { return raft_.connected(); }
  bool leader() const override { return raft_.role() == raft::Role::kLeader; }
  std::optional<ClusterPlace> cluster() const override;
  void AddMemoryUsage(base::MemoryUsage* usage) const override;
  const base::DurationHistogram* sync_durations() const override { return &sync_.durations(); }
  uint64_t file_size() const override { return log_->size(); }
  absl::Status status() const override { return log_->status(); }

 private:
  // A change in the newest state that is not committed.
  struct Appended {
    Position position = 0;
    ovsdb::Uuid eid;        // Zero: nothing of it is stored.
    raft::Index index = 0;  // In a leader's log; 0: not (yet) there.
    Done converted;         // Of a conversion: it has no change, and is not the client's.
  };

  // Peers::Handler
  void OnPeerConnected(const std::string& address) override;
  void OnPeerMessage(const raft::Message& message) override;
  raft::ClusterId cluster_id() const override { return raft_.cluster_id(); }
  raft::ServerId server_id() const override { return raft_.id(); }

  void Tick();
  void Pump();
  void Carry(raft::Effects effects);
  void Write(const std::vector<raft::Record>& records, uint64_t last_record);
  void RetryWrite();
  void OnSynced(const absl::Status& status, uint64_t record);
  void Send(const raft::Outgoing& outgoing);
  void TransferIfTested(const raft::Message& message);
  void SendSnapshot(const raft::Outgoing& outgoing);
  void Settle(const std::vector<raft::Settled>& settled);
  void Displace(const ovsdb::Uuid& eid);
  void DisplaceFrom(size_t first);
  void DisplaceConversions();
  void LoseAll();
  void CommitFront();
  void Apply();
  void ApplyNext();
  void ApplyForeign(const raft::Entry& entry);
  void ReplaceBy(EntryData data);
  void FollowLog();
  bool FollowNext();
  absl::StatusOr<ovsdb::Change> Decode(std::string transaction);
  bool Propose(std::string data, Appended appended);
  ovsdb::Uuid HeadId() const;
  void StartInstall(raft::Install install);
  void StartWaitingInstall();
  void WriteInstalled(raft::Install install,
                      absl::StatusOr<std::unique_ptr<ovsdb::Database>> contents);
  void EndInstall(const raft::SnapshotInfo& snapshot,
                  absl::StatusOr<std::unique_ptr<ovsdb::Database>> contents);
  void Say(const std::vector<raft::LogLine>& lines) const;
  void Fail(const absl::Status& error);
  void TellChanges();
  raft::Header HeaderAt(const raft::SnapshotInfo& snapshot) const;
  std::string RecordsBehind(raft::Index index) const;

  const Environment environment_;
  Client* client_ = nullptr;
  Host* host_ = nullptr;
  std::unique_ptr<LogFile> log_;
  raft::Server raft_;
  Peers peers_;
  FailureTest failure_test_;

  // The newest state.
  Position position_ = 0;  // That was given out last.
  std::deque<Appended> appended_;
  raft::Index applied_;  // The log's entries up to here are committed, and the client knows.
  ovsdb::Uuid last_txn_id_;
  raft::Index head_index_ = 0;  // On a leader: the newest state has the log up to here.
  raft::Term head_term_ = 0;    // In which it led then.
  base::TurnBudget apply_budget_;
  base::Timer apply_timer_;  // Goes on with what was more than a turn's share.
  SnapshotCounts snapshot_counts_;
  std::optional<raft::Install> waiting_install_;  // For the end of what is under way.
  bool paused_ = false;  // Contents are being made: nothing is applied meanwhile.
  bool failed_ = false;  // An entry could not be applied.
  bool left_ = false;

  // The file.
  std::string buffer_;          // Framed records that are to be written.
  uint64_t buffered_last_ = 0;  // The number of the last of them.
  uint64_t written_last_ = 0;   // And of the last one that is in the file.
  bool to_sync_ = false;        // Something waits for them to be on disk.
  CompactionSchedule schedule_;
  GroupSync sync_;
  FileRewrite rewrite_;
  size_t n_rewrite_tail_ = 0;
  base::Timer write_timer_;

  bool pumping_ = false;
  bool was_ready_ = false;
  bool was_leader_ = false;
  bool was_connected_ = false;
  raft::Index told_index_ = 0;
  base::Timer tick_timer_;
  base::Timer status_timer_;
  base::TurnEnd turn_end_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace server

#endif  // SERVER_CLUSTER_STORAGE_CLUSTER_H_
