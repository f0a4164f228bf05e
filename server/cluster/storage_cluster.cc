#include "server/cluster/storage_cluster.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ovsdb/convert.h"
#include "ovsdb/error.h"
#include "server/base/log.h"

namespace server {
namespace {

base::LogModule log("raft");

constexpr int64_t kWriteAgainMs = 1000;
constexpr int64_t kIndexNewsMs = 100;    // How often `_Server` hears of a mere index.
constexpr int64_t kProbeSlackMs = 1000;  // Peers are probed when silent for this and a timer.
constexpr size_t kMaxIdleBuffer = 1 << 20;
constexpr int kMaxRounds = 100;
// What others wrote is applied for so long in a turn: there may be a lot of it at once.
constexpr std::chrono::milliseconds kApplyPerTurn(5);

// What a server that lost it would hear again: nothing waits for it to be on disk.
bool IsNews(const raft::Record& record) {
  return std::holds_alternative<raft::CommitRecord>(record.body) ||
         std::holds_alternative<raft::LeaderRecord>(record.body);
}

}  // namespace

ClusterStorage::ClusterStorage(const Environment& environment, std::unique_ptr<LogFile> file,
                               raft::PersistentState state, uint64_t base_size)
    : environment_(environment),
      log_(std::move(file)),
      raft_(std::move(state), {.seed = environment.uuids->Next().lo}, base::MonotonicMs()),
      peers_(environment.context, this),
      applied_(raft_.commit_index()),
      last_txn_id_(raft_.log().eid(applied_)),
      apply_budget_(kApplyPerTurn),
      apply_timer_(environment.context.loop, [this] { Pump(); }),
      schedule_(base::MonotonicMs()),
      sync_(environment.sync,
            [this](const absl::Status& status, uint64_t record) { OnSynced(status, record); }),
      rewrite_(environment.rewrite, log_.get(), &sync_),
      write_timer_(environment.context.loop, [this] { RetryWrite(); }),
      tick_timer_(environment.context.loop, [this] { Tick(); }),
      status_timer_(environment.context.loop,
                    [this] {
                      if (host_ != nullptr) host_->OnClusterChange();
                    }),
      turn_end_(environment.context.loop, base::TurnEnd::kWork, [this] { Pump(); }) {
  schedule_.Opened(base_size, raft_.log().end() - raft_.log().first_index());
}

ClusterStorage::~ClusterStorage() { *alive_ = false; }

void ClusterStorage::Start(Host* host) {
  host_ = host;
  log.Info("local server ID is %s", raft_.id().Short(4));
  peers_.Listen(raft_.state().local_address);
  peers_.SetAddresses(raft_.peer_addresses());
  turn_end_.Arm();
}

// ---- Inputs ----

void ClusterStorage::OnPeerConnected(const std::string& address) {
  raft_.Connected(address);
  turn_end_.Arm();
}

void ClusterStorage::OnPeerMessage(const raft::Message& message) {
  if (failure_test_.Loses(message)) return;
  failure_test_.OnReceived(message);
  raft_.Tick(base::MonotonicMs());
  raft_.Receive(message);
  TransferIfTested(message);
  turn_end_.Arm();
}

void ClusterStorage::Tick() {
  raft_.Tick(base::MonotonicMs());
  Pump();
}

absl::Status ClusterStorage::Leave() {
  turn_end_.Arm();
  return raft_.Leave();
}

absl::StatusOr<std::string> ClusterStorage::Kick(const raft::ServerId& server) {
  turn_end_.Arm();
  return raft_.Kick(server);
}

absl::StatusOr<std::string> ClusterStorage::ChangeElectionTimer(uint64_t timer_ms) {
  turn_end_.Arm();
  return raft_.ChangeElectionTimer(timer_ms);
}

void ClusterStorage::TransferLeadership(absl::string_view reason) {
  raft_.TransferLeadership(reason);
  Pump();
}

void ClusterStorage::EngageFailureTest(FailureTest::Scenario scenario) {
  failure_test_.Engage(scenario);
  raft_.DelayElections(scenario == FailureTest::kDelayElection);
  if (scenario == FailureTest::kForceElection) raft_.ForceElection();
  if (scenario == FailureTest::kTransferLeadership) raft_.TransferLeadership("failure test");
  Pump();
}

void ClusterStorage::TransferIfTested(const raft::Message& message) {
  if (leader() && failure_test_.TakeTransferAfter(message)) {
    raft_.TransferLeadership("failure test");
    turn_end_.Arm();
  }
}

// ---- Effects ----

void ClusterStorage::Pump() {
  if (pumping_ || host_ == nullptr) return;
  pumping_ = true;
  for (int round = 0; round < kMaxRounds; ++round) {
    raft::Effects effects = raft_.TakeEffects();
    const bool idle = effects.records.empty() && effects.messages.empty() &&
                      effects.settled.empty() && !effects.install && !effects.peers_changed;
    Carry(std::move(effects));
    Apply();
    FollowLog();
    if (idle) break;
  }
  pumping_ = false;
  tick_timer_.StartAt(raft_.next_tick_ms());
  peers_.SetProbeInterval(raft_.election_timer_ms() + kProbeSlackMs);
  TellChanges();
}

void ClusterStorage::Carry(raft::Effects effects) {
  Say(effects.log_lines);
  for (const raft::Outgoing& outgoing : effects.messages) Send(outgoing);
  // The others write and apply while this server does, not after it.
  if (!effects.messages.empty() && leader()) peers_.Flush();
  if (!effects.records.empty()) Write(effects.records, effects.last_record);
  Settle(effects.settled);
  if (effects.install) StartInstall(*std::move(effects.install));
  if (effects.peers_changed) peers_.SetAddresses(raft_.peer_addresses());
  if (!effects.discarded.empty()) {
    environment_.rewrite->Run(
        [entries = std::move(effects.discarded)]() mutable { entries.clear(); }, nullptr);
  }
}

// What another member does wrong it may do with every message.
void ClusterStorage::Say(const std::vector<raft::LogLine>& lines) const {
  static base::RateLimit limit(20, 20);
  for (const raft::LogLine& line : lines) {
    switch (line.level) {
      case raft::LogLine::kError:
        log.ErrorLimited(limit, "%s", line.text);
        break;
      case raft::LogLine::kWarning:
        log.Warn("%s", line.text);
        break;
      case raft::LogLine::kInfo:
        log.Info("%s", line.text);
        break;
      case raft::LogLine::kDebug:
        log.Debug("%s", line.text);
        break;
    }
  }
}

void ClusterStorage::Write(const std::vector<raft::Record>& records, uint64_t last_record) {
  for (const raft::Record& record : records) {
    FrameRaftRecord(record, &buffer_);
    to_sync_ |= !IsNews(record);
  }
  buffered_last_ = last_record;
  if (!write_timer_.active()) RetryWrite();
}

// What cannot be written stays in the buffer, and the server promises nothing meanwhile.
void ClusterStorage::RetryWrite() {
  const base::Activity activity("writing to the disk");
  const absl::Status status = log_->Append(buffer_);
  raft_.SetDiskStatus(log_->status());
  if (!status.ok()) {
    static base::RateLimit rate;
    log.WarnLimited(rate, "entering failure mode due to I/O error (%s)", ovsdb::ErrorText(status));
    write_timer_.Start(kWriteAgainMs);
    turn_end_.Arm();
    return;
  }
  rewrite_.Append(buffer_);
  buffer_.clear();
  if (buffer_.capacity() > kMaxIdleBuffer) buffer_.shrink_to_fit();
  schedule_.Appended(1);
  if (rewrite_.under_way()) ++n_rewrite_tail_;
  written_last_ = buffered_last_;
  if (std::exchange(to_sync_, false)) sync_.Ask(log_->sync(), written_last_);
}

// After a failure the server is out of service until its file has been written anew.
void ClusterStorage::OnSynced(const absl::Status& status, uint64_t record) {
  if (status.ok()) {
    raft_.SetDiskStatus(log_->status());
    raft_.Persisted(record);
  } else {
    static base::RateLimit rate;
    log.ErrorLimited(rate, "%s", ovsdb::ErrorText(status));
    raft_.SetDiskStatus(status);
  }
  turn_end_.Arm();
}

void ClusterStorage::Send(const raft::Outgoing& outgoing) {
  if (failure_test_.Loses(outgoing.message)) return;
  failure_test_.BeforeSending(outgoing.message);
  if (std::holds_alternative<raft::InstallSnapshotRequest>(outgoing.message.body)) {
    SendSnapshot(outgoing);
  } else {
    peers_.Send(outgoing);
  }
  if (failure_test_.engaged(FailureTest::kNone)) return;
  // Once it has left.
  environment_.context.loop->Post([this, alive = alive_, message = outgoing.message] {
    if (!*alive) return;
    failure_test_.AfterSending(message);
    TransferIfTested(message);
  });
}

void ClusterStorage::TellChanges() {
  if (left_) return;
  if (raft_.membership() == raft::Membership::kLeft) {
    left_ = true;
    host_->OnLeft();
    return;
  }
  const bool is_ready = ready();
  if (is_ready != std::exchange(was_ready_, is_ready)) {
    is_ready ? client_->OnReady() : client_->OnStalled();
  }
  if (leader() != was_leader_ || connected() != was_connected_) {
    was_leader_ = leader();
    was_connected_ = connected();
    told_index_ = applied_;
    host_->OnClusterChange();
  } else if (told_index_ != applied_ && !status_timer_.active()) {
    told_index_ = applied_;
    status_timer_.Start(kIndexNewsMs);
  }
}

std::optional<Storage::ClusterPlace> ClusterStorage::cluster() const {
  return ClusterPlace{raft_.cluster_id(), raft_.id(), applied_};
}

void ClusterStorage::AddMemoryUsage(base::MemoryUsage* usage) const {
  const auto add_some = [usage](const char* name, uint64_t n) {
    if (n > 0) (*usage)[name] += n;
  };
  add_some("raft-log", raft_.log().end() - raft_.log().first_index());
  add_some("raft-connections", peers_.connections().size());
  add_some("raft-backlog-kB", peers_.backlog_bytes() / 1024);
}

// ---- Changes ----

bool ClusterStorage::ready() const {
  if (paused_ || failed_ || left_ || !raft_.accepts_proposals()) return false;
  if (client_->database() == nullptr) return false;
  if (!leader()) return applied_ == raft_.commit_index();
  return head_term_ == raft_.term() && head_index_ == raft_.log().last_index();
}

ovsdb::Uuid ClusterStorage::HeadId() const {
  for (auto it = appended_.rbegin(); it != appended_.rend(); ++it) {
    if (!it->eid.is_zero()) return it->eid;
  }
  return last_txn_id_;
}

// False if it was not accepted: then the next Pump() takes it back.
bool ClusterStorage::Propose(std::string data, Appended appended) {
  appended.eid = environment_.uuids->Next();
  const bool accepted =
      raft_.Propose(std::make_shared<const std::string>(std::move(data)), HeadId(), appended.eid)
          .ok();
  if (accepted && leader()) appended.index = head_index_ = raft_.log().last_index();
  appended_.push_back(std::move(appended));
  turn_end_.Arm();
  return accepted;
}

Storage::Position ClusterStorage::Append(const ovsdb::DatabaseSchema& schema,
                                         const ovsdb::Change& change, bool durable) {
  Appended appended;
  appended.position = ++position_;
  std::string data = "[null,";
  if (!ovsdb::AppendRecord(schema, change, base::WallMs(), *environment_.form, &data)) {
    appended_.push_back(std::move(appended));
    turn_end_.Arm();
    return position_;
  }
  data += ']';
  Propose(std::move(data), std::move(appended));
  return position_;
}

void ClusterStorage::Settle(const std::vector<raft::Settled>& settled) {
  for (const raft::Settled& command : settled) {
    if (command.outcome == raft::Settled::kRefused) Displace(command.eid);
    if (command.outcome == raft::Settled::kUnknown) LoseAll();
  }
}

void ClusterStorage::Displace(const ovsdb::Uuid& eid) {
  const auto first = std::find_if(appended_.begin(), appended_.end(),
                                  [&](const Appended& a) { return a.eid == eid; });
  if (first != appended_.end()) DisplaceFrom(first - appended_.begin());
}

void ClusterStorage::DisplaceFrom(size_t first) {
  if (first >= appended_.size()) return;
  const Position position = appended_[first].position;
  std::vector<Done> converted;
  for (size_t i = first; i < appended_.size(); ++i) {
    if (appended_[i].converted) converted.push_back(std::move(appended_[i].converted));
  }
  appended_.resize(first);
  client_->OnDisplaced(position);
  for (const Done& done : converted) done(absl::AbortedError("another change came first"));
}

// Whether they are committed is not known: nobody can be told that they are or are not.
void ClusterStorage::LoseAll() {
  if (appended_.empty()) return;
  DisplaceConversions();
  appended_.clear();
  client_->OnLost(
      ovsdb::Error("cluster error", "the cluster moved on, with or without this transaction"));
}

void ClusterStorage::CommitFront() {
  Appended front = std::move(appended_.front());
  appended_.pop_front();
  if (!front.eid.is_zero()) last_txn_id_ = front.eid;
  if (front.converted) {
    front.converted(absl::OkStatus());
    return;
  }
  client_->OnCommitted(front.position);
  client_->OnDurable(front.position);
}

void ClusterStorage::Apply() {
  const base::Activity activity("applying what the cluster committed");
  while (!paused_ && !failed_ && applied_ < raft_.commit_index()) {
    if (!apply_budget_.Begin(environment_.context.loop->turn())) {
      apply_timer_.Start(0);
      return;
    }
    ApplyNext();
    apply_budget_.End();
  }
  // Nothing of these is stored, and nothing that they build on is open.
  while (!appended_.empty() && appended_.front().eid.is_zero()) CommitFront();
}

void ClusterStorage::ApplyNext() {
  const raft::Entry entry = raft_.log().entry(++applied_);
  head_index_ = std::max(head_index_, applied_);
  if (entry.data == nullptr) return;
  while (!appended_.empty() && appended_.front().eid.is_zero()) CommitFront();
  if (!appended_.empty() && appended_.front().eid == entry.eid) {
    CommitFront();
  } else {
    DisplaceFrom(0);
    ApplyForeign(entry);
  }
}

void ClusterStorage::ApplyForeign(const raft::Entry& entry) {
  last_txn_id_ = entry.eid;
  absl::StatusOr<EntryData> data = ParseEntryData(*entry.data);
  if (!data.ok()) {
    Fail(data.status());
    return;
  }
  if (data->schema != nullptr) {
    ReplaceBy(*std::move(data));
    return;
  }
  absl::StatusOr<ovsdb::Change> change = Decode(std::move(data->transaction));
  if (!change.ok()) {
    Fail(change.status());
    return;
  }
  client_->OnForeign(++position_, *std::move(change));
  client_->OnCommitted(position_);
  client_->OnDurable(position_);
}

absl::StatusOr<ovsdb::Change> ClusterStorage::Decode(std::string transaction) {
  if (client_->database() == nullptr) return absl::FailedPreconditionError("no schema yet");
  if (transaction.empty()) return ovsdb::Change();
  transaction.push_back('\0');
  absl::StatusOr<ovsdb::Record> record = ovsdb::ReadRecord(
      *client_->database(), transaction.data(), transaction.size() - 1, environment_.uuids);
  if (!record.ok()) return record.status();
  return std::move(record->change);
}

// Makes contents under a new schema; nothing is applied before they are in place.
void ClusterStorage::ReplaceBy(EntryData data) {
  struct Job {
    EntryData data;
    ovsdb::Snapshot from;
    absl::StatusOr<std::unique_ptr<ovsdb::Database>> result;
  };
  auto job = std::make_shared<Job>();
  const bool convert = data.transaction.empty();
  if (convert) job->from = host_->CommittedSnapshot();
  job->data = std::move(data);
  paused_ = true;
  environment_.rewrite->Run(
      [job, convert, seed = environment_.uuids->Next().lo] {
        ovsdb::UuidGenerator uuids(seed);
        job->result = convert ? ovsdb::ConvertDatabase(job->from, job->data.schema,
                                                       ovsdb::OldDefault::kConvert, &uuids)
                              : MakeDatabase(std::move(job->data), &uuids);
        job->from = {};
      },
      [this, alive = alive_, job] {
        if (!*alive) return;
        paused_ = false;
        if (job->result.ok()) {
          host_->ReplaceContents(*std::move(job->result), "the cluster converted it");
        } else {
          Fail(job->result.status());
        }
        StartWaitingInstall();
        turn_end_.Arm();
      });
}

// What others appended to the log of this leader becomes part of the newest state at once, for
// what is executed here must build on it.
void ClusterStorage::FollowLog() {
  const raft::Log& entries = raft_.log();
  if (!leader() || paused_ || failed_ || applied_ != raft_.commit_index()) return;
  if (!entries.has_term(applied_) || entries.term(applied_) != raft_.term()) return;
  if (head_term_ != raft_.term()) {
    head_term_ = raft_.term();
    head_index_ = applied_;
    for (Appended& appended : appended_) appended.index = 0;
  }
  bool goes_on = true;
  while (goes_on && head_index_ < entries.last_index()) {
    if (!apply_budget_.Begin(environment_.context.loop->turn())) {
      apply_timer_.Start(0);
      return;
    }
    goes_on = FollowNext();
    apply_budget_.End();
  }
}

// False if the next entry has to wait for its commit.
bool ClusterStorage::FollowNext() {
  const raft::Index index = head_index_ + 1;
  const raft::Entry& entry = raft_.log().entry(index);
  if (entry.data != nullptr) {
    const auto own = std::find_if(appended_.begin(), appended_.end(), [](const Appended& a) {
      return a.index == 0 && !a.eid.is_zero();
    });
    if (own != appended_.end()) {
      if (own->eid != entry.eid) return false;  // That will settle it.
      own->index = index;
    } else {
      absl::StatusOr<EntryData> data = ParseEntryData(*entry.data);
      if (!data.ok() || data->schema != nullptr) return false;
      absl::StatusOr<ovsdb::Change> change = Decode(std::move(data->transaction));
      if (!change.ok()) return false;
      appended_.push_back({++position_, entry.eid, index, nullptr});
      client_->OnForeign(position_, *std::move(change));
    }
  }
  head_index_ = index;
  return true;
}

// A cluster has nowhere to keep what is not in its log.
absl::Status ClusterStorage::CheckSchema(const ovsdb::DatabaseSchema& schema) const {
  for (const ovsdb::TableSchema& table : schema.tables) {
    for (size_t i = ovsdb::TableSchema::kFirstRealColumn; i < table.columns.size(); ++i) {
      if (table.columns[i].persistent) continue;
      return ovsdb::Error(
          ovsdb::kSyntaxError,
          absl::StrCat("Table ", table.name, " column ", table.columns[i].name,
                       " is ephemeral but clustered databases do not support ephemeral columns."));
    }
  }
  return absl::OkStatus();
}

void ClusterStorage::Convert(ovsdb::Snapshot converted, Done done) {
  if (!ready()) {
    done(absl::AbortedError("the cluster has no leader that could convert it now"));
    return;
  }
  std::string data;
  if (*environment_.convert_data) {
    WriteSnapshotData(converted, base::WallMs(), [&data](absl::string_view piece) {
      data.append(piece.data(), piece.size());
      return absl::OkStatus();
    }).IgnoreError();  // Appending does not fail.
  } else {
    data = "[";
    converted.schema->AppendJson(&data);
    data += ",null]";
  }
  Appended appended;
  appended.position = ++position_;
  appended.converted = std::move(done);
  if (!Propose(std::move(data), std::move(appended))) DisplaceConversions();
}

void ClusterStorage::DisplaceConversions() {
  std::vector<Done> converted;
  for (Appended& appended : appended_) {
    if (appended.converted) converted.push_back(std::move(appended.converted));
  }
  std::erase_if(appended_, [](const Appended& a) { return a.converted != nullptr; });
  for (const Done& done : converted) done(absl::AbortedError("another change came first"));
}

void ClusterStorage::Fail(const absl::Status& error) {
  failed_ = true;
  log.Error("%s: cannot apply entry %d: %s", log_->path(), applied_, ovsdb::ErrorText(error));
}

void ClusterStorage::SyncNow() {
  Pump();
  const absl::Status status = log_->sync()->Run();
  if (!status.ok()) log.Error("%s", ovsdb::ErrorText(status));
}

}  // namespace server
