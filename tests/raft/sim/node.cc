#include "tests/raft/sim/node.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "tests/raft/sim/describe.h"

namespace raft::sim {

Node::Node(World* world, Network* network, Invariants* invariants, Answers* answers, int number,
           Header header, const Habits& habits)
    : world_(world),
      network_(network),
      invariants_(invariants),
      answers_(answers),
      number_(number),
      name_(absl::StrCat("n", number)),
      habits_(habits),
      disk_(std::move(header)) {
  network_->Attach(this);
}

// ---- Life and death ----

void Node::Start() {
  if (up()) return;
  if (const absl::Status status = disk_.Open(); !status.ok()) {
    if (world_->tracing) Trace(absl::StrCat("cannot start: ", status.message()));
    return;
  }
  const PersistentState& state = disk_.durable();
  if (world_->tracing) {
    Trace(absl::StrCat("starts, term ", state.term, ", log ", state.log.first_index(), " to ",
                       state.log.end(), ", commit ", state.commit_index));
  }
  ++life_;
  Server::Options options;
  options.seed = world_->random.Next();
  options.max_append_bytes = habits_.max_append_bytes;
  options.max_in_flight_bytes = habits_.max_in_flight_bytes;
  server_ = std::make_unique<Server>(state, options, world_->timeline.now_ms());
  n_idle_ticks_ = 0;
  observed_ = {};
  observed_.checked_commit = state.log.snapshot().index;
  applied_ = state.log.snapshot().index;
  list_ = ParseSnapshot(disk_.snapshot_data()).value_or(List());
  invariants_->CheckSnapshot(id(), state.log.snapshot());
  if (disk_full_) server_->SetDiskStatus(absl::ResourceExhaustedError("disk full"));
  network_->KeepConnected(number_, server_->peer_addresses());
  Turn();
}

void Node::Crash() {
  if (!up()) return;
  if (world_->tracing) Trace("crashes");
  server_ = nullptr;
  ++life_;
  proposed_.clear();
  unchecked_from_ = kNoIndex;
  inbox_.clear();
  stalled_ = false;
  turn_scheduled_ = false;
  tick_at_ms_ = 0;
  syncing_ = false;
  compacting_ = false;
  disk_.Crash(&world_->random);
  network_->Disconnect(number_);
}

void Node::LoseDisk(std::vector<std::string> remotes) {
  if (world_->tracing) Trace("loses its disk");
  PersistentState state;
  state.remote_addresses = std::move(remotes);
  state.returning = true;
  Header header = HeaderOf(disk_.durable(), {}, nullptr);
  header.remote_addresses = state.remote_addresses;
  disk_ = Disk(std::move(header));
  CheckFileStatus(disk_.Append({PromiseRecord(state)}));
  CheckFileStatus(disk_.Sync(1));
  lost_disk_ = true;
  lost_up_to_ = invariants_->committed();
}

void Node::Stall(int64_t duration_ms) {
  if (!responsive()) return;
  if (world_->tracing) Trace(absl::StrCat("stands still for ", duration_ms, " ms"));
  stalled_ = true;
  Later(duration_ms, [this] {
    if (world_->tracing) Trace("goes on");
    stalled_ = false;
    while (!inbox_.empty() && up()) {
      auto input = std::move(inbox_.front());
      inbox_.pop_front();
      Input(std::move(input));
    }
    if (up()) Input([](Server* /*server*/) {});
  });
}

void Node::SetDiskFull(bool full) {
  if (disk_full_ == full) return;
  disk_full_ = full;
  if (!up()) return;
  if (world_->tracing) Trace(full ? "disk is full" : "disk has room again");
  Input([this, full](Server* server) {
    server->SetDiskStatus(full ? absl::ResourceExhaustedError("disk full") : absl::OkStatus());
    ScheduleSync();
  });
}

void Node::HealDisk() {
  sync_factor_ = 1;
  failed_install_percent_ = 0;
  SetDiskFull(false);
}

// ---- Inputs ----

void Node::Later(int64_t delay_ms, absl::AnyInvocable<void()> action) {
  world_->timeline.After(delay_ms, [this, life = life_, action = std::move(action)]() mutable {
    if (up() && life_ == life) action();
  });
}

void Node::Input(absl::AnyInvocable<void(Server*)> input) {
  if (!up()) return;
  if (stalled_) {
    inbox_.push_back(std::move(input));
    return;
  }
  ticked_ms_ = world_->timeline.now_ms();
  server_->Tick(ticked_ms_);
  invariants_->Observe(*server_, &observed_);
  input(server_.get());
  if (!up()) return;
  invariants_->Observe(*server_, &observed_);
  ScheduleTurn();
}

void Node::Ask(absl::AnyInvocable<void(Server*)> request) {
  if (responsive()) Input(std::move(request));
}

void Node::Receive(const Message& message) {
  // What the daemon does before it asks its server: a message for another one ends the connection.
  const ClusterId& cluster = disk_.written().cluster_id;
  if (!message.cluster.is_zero() && !cluster.is_zero() && message.cluster != cluster) return;
  if (!message.to.is_zero() && message.to != id()) return;
  Input([message](Server* server) { server->Receive(message); });
}

void Node::Connected(const std::string& address) {
  Input([address](Server* server) { server->Connected(address); });
}

bool Node::Propose(uint64_t number, bool on_stale_state) {
  if (!responsive()) return false;
  bool accepted = false;
  Input([&](Server* server) {
    EntryId prereq = server->role() == Role::kLeader ? server->log().last_eid()
                     : proposed_.empty()             ? server->log().eid(applied_)
                                                     : proposed_.back();
    if (on_stale_state) prereq = server->log().snapshot().eid;
    const EntryId eid = IdOfCommand(number);
    invariants_->Proposed(eid, prereq);
    const absl::Status status = server->Propose(CommandPayload(number), prereq, eid);
    accepted = status.ok();
    if (accepted) proposed_.push_back(eid);
    if (world_->tracing) {
      Trace(absl::StrCat("propose c", number, " after c", CommandOfId(prereq), ": ",
                         accepted ? "taken" : status.message()));
    }
  });
  return accepted;
}

void Node::ScheduleTick() {
  const int64_t at_ms = server_->next_tick_ms();
  if (at_ms == std::numeric_limits<int64_t>::max()) return;
  // What it wanted to do by then it has done, unless it learned of that afterwards.
  n_idle_ticks_ = at_ms <= ticked_ms_ ? n_idle_ticks_ + 1 : 0;
  if (n_idle_ticks_ > kMaxIdleTicks) {
    world_->Fail(absl::StrCat(name_, ": wants to wake at ", at_ms, ", but does nothing then"));
  }
  if (tick_at_ms_ != 0 && tick_at_ms_ <= at_ms) return;
  tick_at_ms_ = std::max(at_ms, world_->timeline.now_ms() + 1);
  Later(tick_at_ms_ - world_->timeline.now_ms(), [this, at = tick_at_ms_] {
    if (tick_at_ms_ == at) tick_at_ms_ = 0;
    Input([](Server* /*server*/) {});
  });
}

// ---- Effects ----

void Node::ScheduleTurn() {
  if (turn_scheduled_) return;
  turn_scheduled_ = true;
  const int64_t delay_ms =
      world_->random.Chance(50) ? 0 : world_->random.Between(0, habits_.max_turn_ms);
  Later(delay_ms, [this] {
    if (stalled_) {
      turn_scheduled_ = false;
      return;
    }
    Turn();
  });
}

void Node::Turn() {
  turn_scheduled_ = false;
  Effects effects = server_->TakeEffects();
  invariants_->Observe(*server_, &observed_);

  for (const Record& record : effects.records) {
    if (world_->tracing) Trace(absl::StrCat("writes ", Describe(record)));
    if (const auto* entry = std::get_if<EntryRecord>(&record.body)) {
      unchecked_from_ = std::min(unchecked_from_, entry->index);
    }
  }
  if (world_->tracing) {
    for (const LogLine& line : effects.log_lines) Trace(absl::StrCat("\"", line.text, "\""));
  }
  CheckFileStatus(disk_.Append(std::move(effects.records)));
  if (disk_.appended() != effects.last_record) {
    world_->Fail(absl::StrCat(name_, ": gives the last record the number ", effects.last_record,
                              ", but it is ", disk_.appended()));
  }
  invariants_->CheckFile(*server_, disk_.written());
  if (disk_.durable().log.last_index() >= lost_up_to_) lost_disk_ = false;
  ScheduleSync();

  SendAll(std::move(effects.messages));
  Apply(effects.commit_index);
  for (const Settled& settled : effects.settled) Settle(settled);
  if (effects.install) BeginInstall(std::move(*effects.install));
  if (effects.peers_changed) network_->KeepConnected(number_, server_->peer_addresses());
  ScheduleTick();
}

void Node::SendAll(std::vector<Outgoing> messages) {
  for (Outgoing& outgoing : messages) {
    if (auto* install = std::get_if<InstallSnapshotRequest>(&outgoing.message.body)) {
      // Only the newest snapshot is on disk.
      if (install->snapshot.index != disk_.durable().log.snapshot().index) continue;
      install->data = disk_.snapshot_data();
    }
    invariants_->CheckMessage(outgoing.message, disk_.durable());
    network_->Send(number_, std::move(outgoing));
  }
}

void Node::ScheduleSync() {
  if (syncing_ || disk_full_ || disk_.synced() == disk_.appended()) return;
  syncing_ = true;
  const int64_t delay_ms = world_->random.Between(0, habits_.max_sync_ms) * sync_factor_;
  Later(delay_ms, [this, upto = disk_.appended()] {
    syncing_ = false;
    if (disk_full_) return;
    CheckFileStatus(disk_.Sync(upto));
    invariants_->CheckLog(disk_.durable(), unchecked_from_);
    if (disk_.synced() == disk_.appended()) unchecked_from_ = kNoIndex;
    Input([this](Server* server) { server->Persisted(disk_.synced()); });
    ScheduleSync();
  });
}

void Node::Apply(Index index) {
  for (; applied_ < index && !world_->failed(); ++applied_) {
    if (applied_ + 1 < server_->log().first_index() || applied_ + 1 >= server_->log().end()) {
      world_->Fail(absl::StrCat(name_, ": is to apply ", applied_ + 1, ", which is not there"));
      return;
    }
    const Entry& entry = server_->log().entry(applied_ + 1);
    if (entry.data != nullptr) list_.Append(ParseCommand(entry.data).value_or(0));
    invariants_->CheckApplied(id(), applied_ + 1, list_);
  }
}

void Node::Settle(const Settled& settled) {
  if (proposed_.empty() || proposed_.front() != settled.eid) {
    world_->Fail(absl::StrCat(name_, ": settles c", CommandOfId(settled.eid), " out of turn"));
    return;
  }
  proposed_.pop_front();
  if (world_->tracing) {
    Trace(absl::StrCat("settles c", CommandOfId(settled.eid), ": ",
                       settled.outcome == Settled::kCommitted ? "committed"
                       : settled.outcome == Settled::kRefused ? "refused"
                                                              : "unknown"));
  }
  invariants_->CheckSettled(id(), settled);
  answers_->Settle(settled);
}

void Node::CheckFileStatus(const absl::Status& status) {
  if (!status.ok()) world_->Fail(absl::StrCat(name_, ": writes a bad file: ", status.message()));
}

// ---- Snapshots ----

void Node::BeginInstall(Install install) {
  if (world_->tracing) Trace(absl::StrCat("installs snapshot ", install.snapshot.index));
  const int64_t delay_ms = world_->random.Between(0, 100) * sync_factor_;
  Later(delay_ms, [this, install = std::move(install)] {
    if (disk_full_ || world_->random.Chance(failed_install_percent_)) {
      if (world_->tracing) Trace("fails to install a snapshot");
      Input([](Server* server) { server->Installed(absl::InternalError("no luck")); });
    } else {
      Input([this, install](Server* /*server*/) { FinishInstall(install); });
    }
  });
}

void Node::FinishInstall(const Install& install) {
  Turn();
  PersistentState state = server_->state();
  state.log = Log(install.snapshot);
  state.commit_index = install.snapshot.index;
  CheckFileStatus(disk_.Replace(HeaderOf(state, install.snapshot, install.data), state));
  applied_ = install.snapshot.index;
  list_ = ParseSnapshot(install.data).value_or(List());
  if (world_->tracing) Trace(absl::StrCat("has installed snapshot ", applied_));
  invariants_->CheckApplied(id(), applied_, list_);
  server_->Installed(absl::OkStatus());
  server_->Persisted(disk_.synced());
}

void Node::Compact() {
  if (!responsive() || compacting_ || disk_full_ || applied_ == 0) return;
  if (applied_ == server_->log().snapshot().index) return;
  compacting_ = true;
  // Written beside the file, from a frozen state, while life goes on.
  Later(world_->random.Between(0, 200) * sync_factor_, [this, index = applied_, list = list_] {
    compacting_ = false;
    if (!disk_full_) Input([=, this](Server* /*server*/) { FinishCompaction(index, list); });
  });
}

void Node::FinishCompaction(Index index, const List& list) {
  Turn();
  // An installed snapshot may have overtaken it.
  if (index <= server_->log().snapshot().index) return;
  const PersistentState& state = server_->state();
  CheckFileStatus(
      disk_.Replace(HeaderOf(state, server_->SnapshotAt(index), SnapshotPayload(list)), state));
  server_->Compacted(index);
  if (world_->tracing) Trace(absl::StrCat("has compacted up to ", index));
  invariants_->CheckSnapshot(id(), server_->log().snapshot());
  server_->Persisted(disk_.synced());
}

}  // namespace raft::sim
