// A server's file: what is synced, and what a crash may take.
#ifndef TESTS_RAFT_SIM_DISK_H_
#define TESTS_RAFT_SIM_DISK_H_

#include <cstdint>
#include <deque>
#include <vector>

#include "absl/status/status.h"
#include "raft/record.h"
#include "raft/replay.h"
#include "tests/raft/sim/random.h"

namespace raft::sim {

class Disk {
 public:
  // A file that has been there all along.
  explicit Disk(Header header);

  // What a server starts from. Records are numbered from 1 on again.
  absl::Status Open();
  const PersistentState& durable() const { return durable_.state(); }
  // With what is not synced yet. An error of Append() or Sync() says that the records themselves
  // break a rule of the file.
  const PersistentState& written() const { return written_.state(); }
  const Payload& snapshot_data() const { return snapshot_data_; }

  absl::Status Append(std::vector<Record> records);
  uint64_t appended() const { return synced_ + tail_.size(); }
  uint64_t synced() const { return synced_; }
  // Up to the record with this number.
  absl::Status Sync(uint64_t record);

  // Puts a file in the place of this one, synced as a whole: it begins with `header`, and goes on
  // with what `state` has behind the header's snapshot.
  absl::Status Replace(Header header, const PersistentState& state);

  // The machine stops: a part of what was not synced is there afterwards, from its beginning on.
  void Crash(Random* random);

 private:
  Payload snapshot_data_;
  Replay durable_;
  Replay written_;
  std::deque<Record> tail_;  // What `written_` is ahead of `durable_`.
  uint64_t synced_ = 0;
};

// The header of a file that begins with a snapshot, or with whom to ask.
Header HeaderOf(const PersistentState& state, const SnapshotInfo& snapshot, Payload data);

}  // namespace raft::sim

#endif  // TESTS_RAFT_SIM_DISK_H_
