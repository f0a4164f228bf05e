// Whole contents: in the member's own file, from the leader and to followers. They are made,
// written and read on a helper thread.
#include <utility>

#include "absl/strings/str_cat.h"
#include "ovsdb/error.h"
#include "server/base/log.h"
#include "server/cluster/storage_cluster.h"

namespace server {
namespace {

base::LogModule log("raft");

// The contents of a snapshot. A server that was told to join under another database's name must not
// serve this one in its place, nor have a vote.
absl::StatusOr<std::unique_ptr<ovsdb::Database>> Contents(const std::string& data,
                                                          const std::string& name, uint64_t seed) {
  absl::StatusOr<EntryData> parsed = ParseEntryData(data);
  if (!parsed.ok()) return parsed.status();
  ovsdb::UuidGenerator uuids(seed);
  auto contents = MakeDatabase(*std::move(parsed), &uuids);
  if (contents.ok() && (*contents)->schema().name != name) {
    return ovsdb::Error("ovsdb error", absl::StrCat("the cluster stores the database ",
                                                    (*contents)->schema().name, ", not ", name));
  }
  return contents;
}

}  // namespace

// ---- The file ----

raft::Header ClusterStorage::HeaderAt(const raft::SnapshotInfo& snapshot) const {
  raft::Header header;
  header.server_id = raft_.id();
  header.local_address = raft_.state().local_address;
  header.name = raft_.state().name;
  header.cluster_id = raft_.cluster_id();
  header.snapshot = snapshot;
  return header;
}

// What a file needs behind a snapshot at `index`.
std::string ClusterStorage::RecordsBehind(raft::Index index) const {
  std::string text;
  for (const raft::Record& record : raft::RecordsBehind(raft_.state(), index)) {
    FrameRaftRecord(record, &text);
  }
  return text;
}

void ClusterStorage::Compact(ovsdb::Snapshot snapshot, std::string comment, Done done) {
  if (applied_ == raft_.log().snapshot().index && log_->sync()->status().ok()) {
    done(ovsdb::Error("ovsdb error", "not storing a duplicate snapshot"));
    return;
  }
  if (paused_ || rewrite_.under_way()) {
    done(ovsdb::Error("ovsdb error", "the file is being written anew already"));
    return;
  }
  const raft::Index index = applied_;
  n_rewrite_tail_ = 0;
  rewrite_.Start(
      [header = HeaderAt(raft_.SnapshotAt(index)),
       snapshot = std::move(snapshot)](LogWriter* writer) {
        return WriteClusterHeader(header, snapshot, base::WallMs(), writer);
      },
      RecordsBehind(index),
      [this, index] {
        schedule_.Compacted(base::MonotonicMs(), log_->size());
        schedule_.Appended(n_rewrite_tail_);
        raft_.Compacted(index);
        ++snapshot_counts_.taken;
        sync_.Ask(log_->sync(), written_last_);
      },
      [this, alive = alive_, done = std::move(done)](const absl::Status& status) {
        done(status);
        if (*alive) StartWaitingInstall();
      });
}

bool ClusterStorage::WantsCompaction() {
  if (paused_ || rewrite_.under_way()) return false;
  return !log_->sync()->status().ok() || schedule_.IsDue(base::MonotonicMs(), log_->size());
}

// ---- To and from others ----

// A newer snapshot than the one that was asked for does as well, and is at hand.
void ClusterStorage::SendSnapshot(const raft::Outgoing& outgoing) {
  struct Job {
    raft::Outgoing outgoing;
    std::vector<base::SharedText> data;
  };
  auto job = std::make_shared<Job>();
  job->outgoing = outgoing;
  std::get<raft::InstallSnapshotRequest>(job->outgoing.message.body).snapshot =
      raft_.SnapshotAt(applied_);
  environment_.rewrite->Run(
      [job, contents = host_->CommittedSnapshot()]() mutable {
        WriteSnapshotData(contents, base::WallMs(), [&job](absl::string_view piece) {
          job->data.push_back(std::make_shared<const std::string>(piece));
          return absl::OkStatus();
        }).IgnoreError();  // Collecting does not fail.
        contents = {};
      },
      [this, alive = alive_, job, term = raft_.term()] {
        if (!*alive || raft_.term() != term) return;
        if (peers_.SendSnapshot(job->outgoing, std::move(job->data))) ++snapshot_counts_.sent;
      });
}

// A snapshot from the leader: its contents are made and written on the helper thread.
void ClusterStorage::StartInstall(raft::Install install) {
  if (paused_ || rewrite_.under_way()) {
    waiting_install_ = std::move(install);
    return;
  }
  struct Job {
    raft::Install install;
    absl::StatusOr<std::unique_ptr<ovsdb::Database>> contents;
  };
  auto job = std::make_shared<Job>();
  job->install = std::move(install);
  paused_ = true;
  environment_.rewrite->Run(
      [job, name = raft_.state().name, seed = environment_.uuids->Next().lo] {
        job->contents = Contents(*job->install.data, name, seed);
      },
      [this, alive = alive_, job] {
        if (*alive) WriteInstalled(std::move(job->install), std::move(job->contents));
      });
}

// To be called when contents have been made or the file has been written.
void ClusterStorage::StartWaitingInstall() {
  if (waiting_install_ && !paused_ && !rewrite_.under_way()) {
    StartInstall(*std::exchange(waiting_install_, std::nullopt));
  }
}

void ClusterStorage::WriteInstalled(raft::Install install,
                                    absl::StatusOr<std::unique_ptr<ovsdb::Database>> contents) {
  if (!contents.ok()) {
    EndInstall(install.snapshot, std::move(contents));
    return;
  }
  auto kept = std::make_shared<std::unique_ptr<ovsdb::Database>>(*std::move(contents));
  std::string tail;
  FrameRaftRecord(raft::PromiseRecord(raft_.state()), &tail);
  rewrite_.Start(
      [header = HeaderAt(install.snapshot), data = std::move(install.data)](LogWriter* writer) {
        return WriteClusterHeader(header, *data, writer);
      },
      std::move(tail), [this] { schedule_.Compacted(base::MonotonicMs(), log_->size()); },
      [this, alive = alive_, snapshot = install.snapshot, kept](const absl::Status& status) {
        if (!*alive) return;
        if (status.ok()) {
          EndInstall(snapshot, std::move(*kept));
        } else {
          EndInstall(snapshot, status);
        }
      });
}

void ClusterStorage::EndInstall(const raft::SnapshotInfo& snapshot,
                                absl::StatusOr<std::unique_ptr<ovsdb::Database>> contents) {
  paused_ = false;
  if (contents.ok()) {
    LoseAll();
    raft_.Installed(absl::OkStatus());
    ++snapshot_counts_.installed;
    applied_ = head_index_ = snapshot.index;
    last_txn_id_ = snapshot.eid;
    host_->ReplaceContents(*std::move(contents), "the leader sent a snapshot");
    sync_.Ask(log_->sync(), written_last_);
  } else {
    log.Warn("%s: failed to install a snapshot: %s", log_->path(),
             ovsdb::ErrorText(contents.status()));
    raft_.Installed(contents.status());
  }
  turn_end_.Arm();
}

}  // namespace server
