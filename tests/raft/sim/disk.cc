#include "tests/raft/sim/disk.h"

#include <utility>

namespace raft::sim {

Disk::Disk(Header header)
    : snapshot_data_(header.snapshot_data), durable_(header), written_(std::move(header)) {}

absl::Status Disk::Open() {
  synced_ = 0;
  return durable_.Finish();
}

absl::Status Disk::Append(std::vector<Record> records) {
  for (Record& record : records) {
    tail_.push_back(record);
    if (absl::Status status = written_.Apply(std::move(record)); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Disk::Sync(uint64_t record) {
  for (; synced_ < record && !tail_.empty(); ++synced_) {
    if (absl::Status status = durable_.Apply(std::move(tail_.front())); !status.ok()) {
      return status;
    }
    tail_.pop_front();
  }
  return absl::OkStatus();
}

absl::Status Disk::Replace(Header header, const PersistentState& state) {
  std::vector<Record> records = RecordsBehind(state, header.snapshot.index);
  if (state.left) records.push_back({NoteRecord{Note::kLeft}, {}});

  const uint64_t appended = this->appended();
  *this = Disk(std::move(header));
  for (Record& record : records) {
    if (absl::Status status = durable_.Apply(std::move(record)); !status.ok()) return status;
  }
  written_ = durable_;
  synced_ = appended;
  return absl::OkStatus();
}

void Disk::Crash(Random* random) {
  if (!tail_.empty()) {
    const int64_t kept = random->Between(0, static_cast<int64_t>(tail_.size()));
    // Records that break a rule were reported when they were written.
    Sync(synced_ + static_cast<uint64_t>(kept)).IgnoreError();
  }
  tail_.clear();
  written_ = durable_;
}

Header HeaderOf(const PersistentState& state, const SnapshotInfo& snapshot, Payload data) {
  Header header;
  header.server_id = state.server_id;
  header.local_address = state.local_address;
  header.name = state.name;
  header.cluster_id = state.cluster_id;
  header.snapshot = snapshot;
  header.snapshot_data = std::move(data);
  return header;
}

}  // namespace raft::sim
