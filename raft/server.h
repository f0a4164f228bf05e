// One member of a cluster, as a value: inputs in, effects out.
//
// It knows no clock, network, disk or randomness of its own. The owner tells it what happens and
// carries out what it asks for:
//
//   server.Tick(now); server.Receive(message); server.Propose(...); server.Persisted(n);
//   Effects effects = server.TakeEffects();   // Once in a while, after any number of inputs:
//   // append effects.records to the file, send effects.messages, apply what is newly committed ...
//
// Many inputs may come before the effects are taken: what they ask for is batched then, entries in
// one request and records in one write. Records may be written and synced at leisure: messages that
// must not leave before something is on disk are held back here until Persisted() says that it is.
//
// The protocol is Raft as stock speaks it (ovsdb(7) "Clustered Database Service Model"), with many
// entries in flight. Any sequence of inputs, from hostile peers too, keeps the promises of a
// member: it votes once in a term, and acknowledges nothing that is not on disk.
//
// Not thread-safe.
#ifndef RAFT_SERVER_H_
#define RAFT_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "raft/log.h"
#include "raft/message.h"
#include "raft/record.h"
#include "raft/replay.h"
#include "raft/status.h"
#include "raft/types.h"

namespace raft {

struct Outgoing {
  // Where the receiver listens, if known. To be sent over the connection that was made there, or
  // else over one that `message.to` made. A message that finds neither is dropped: nothing depends
  // on it.
  std::string address;
  // Of an InstallSnapshotRequest the owner fills in the data.
  Message message;
};

// A command that was proposed here is settled.
struct Settled {
  enum Outcome {
    kCommitted,  // As the entry at `index`.
    kRefused,    // It is not in the log and never will be.
    kUnknown,    // A snapshot came that has it or not.
  };
  EntryId eid;
  Outcome outcome = kUnknown;
  Index index = 0;
};

// A snapshot that the leader sent, to take the place of everything that this server has.
struct Install {
  SnapshotInfo snapshot;
  Payload data;
};

struct LogLine {
  enum Level { kError, kWarning, kInfo, kDebug };
  Level level = kInfo;
  std::string text;
};

struct Effects {
  std::vector<Record> records;     // To be appended to the file, in order ...
  uint64_t last_record = 0;        // ... the last of which has this number, counted from 1 on.
  std::vector<Outgoing> messages;  // To be sent, in order for each receiver.
  // Entries up to here are committed; what has not been applied is to be applied, in order.
  Index commit_index = 0;
  std::vector<Settled> settled;    // In the order of Propose().
  std::optional<Install> install;  // To be answered with Installed().
  bool peers_changed = false;      // peer_addresses() is another.
  std::deque<Entry> discarded;     // Of no use any more: there may be very many to be freed.
  std::vector<LogLine> log_lines;
};

class Server {
 public:
  struct Options {
    uint64_t seed = 0;
    size_t max_append_bytes = size_t{256} << 10;   // Of data in one request of several entries.
    size_t max_in_flight_bytes = size_t{4} << 20;  // Of data on the way to one follower.
  };

  Server(PersistentState state, const Options& options, int64_t now_ms);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // ---- What happens ----

  // It is `now_ms`, on a clock that never goes back. To be called before other inputs when time has
  // passed, and no later than next_tick_ms().
  void Tick(int64_t now_ms);
  int64_t next_tick_ms() const;

  // From a member or would-be member, over any connection. The caller has made sure that the
  // message's cluster and receiver are this server's, or absent where they may be.
  void Receive(const Message& message);

  // A connection to `address`, one of peer_addresses(), was made.
  void Connected(const std::string& address);

  // The records up to this number are on disk and will survive a crash.
  void Persisted(uint64_t record);
  // Writing fails (an error), or works again (OK). While it fails the server promises nothing, and
  // does not lead.
  void SetDiskStatus(const absl::Status& status);

  // Asks for `data` to be committed behind the entry `prereq`, under the name `eid`, which nothing
  // else has ever had. `prereq` is on a leader log().last_eid(), elsewhere the newest id that was
  // applied or proposed here. Settled in the order of calls. FailedPrecondition: there is no leader
  // that could take it now, or `prereq` is not the newest here; nothing was done.
  absl::Status Propose(Payload data, const EntryId& prereq, const EntryId& eid);
  // Whether Propose() can do its work now. On a leader also false for a moment, now and then, in
  // which a follower has its turn: what that forwards has to be based on the newest entry.
  bool accepts_proposals() const;

  // What Effects::install asked for is applied and the whole content of the file, together with
  // this server's term and vote and no entry; or that failed, and the leader is asked to send it
  // again.
  void Installed(const absl::Status& status);

  // The file begins with a snapshot of what was applied up to `index` now. Requires
  // index <= commit_index().
  void Compacted(Index index);
  // What such a snapshot's header says. Requires log().has_term(index).
  SnapshotInfo SnapshotAt(Index index) const;

  // ---- What administrators ask for: answers and errors in stock's words ----

  absl::Status Leave();
  absl::StatusOr<std::string> Kick(const ServerId& server);
  absl::StatusOr<std::string> ChangeElectionTimer(uint64_t timer_ms);
  // Asks the most up-to-date follower to lead, if this server leads and there is one.
  void TransferLeadership(absl::string_view reason);
  void ForceElection();
  // While on, an election timer from now on is waited for twice. For tests.
  void DelayElections(bool on);

  // ---- Effects and state ----

  // All that was brought about since the last call.
  Effects TakeEffects();

  const ServerId& id() const { return state_.server_id; }
  const ClusterId& cluster_id() const { return state_.cluster_id; }
  const PersistentState& state() const { return state_; }
  const Log& log() const { return state_.log; }
  Index commit_index() const { return state_.commit_index; }
  Term term() const { return state_.term; }
  Role role() const { return role_; }
  const ServerId& leader() const { return leader_; }  // Zero: unknown.
  Membership membership() const { return membership_; }
  int64_t election_timer_ms() const { return static_cast<int64_t>(election_timer_ms_); }
  // In touch with the cluster: `connected` of `_Server`.
  bool connected() const;
  // Where connections are to be kept up to: the other members, or while joining whom to ask.
  std::vector<std::string> peer_addresses() const;
  Status status(int64_t now_ms) const;

 private:
  // Another server, as this one sees it. Most of it matters on a leader only.
  struct Peer {
    std::string address;
    Phase phase = Phase::kStable;
    bool member = false;  // Of the newest configuration; else it is being added.

    std::optional<int64_t> heard_ms;  // When it last sent anything.
    ServerId voted_for;               // In this term, for whom; zero: not known.
    bool supports = false;            // It would vote or voted for us, in this election.

    Index next_index = 0;   // Of the next entry to send.
    Index match_index = 0;  // Up to here its log is on its disk and like ours.
    Index commit_sent = 0;
    bool probing = true;   // Where its log agrees with ours is a guess: one request at a time.
    bool waiting = false;  // While probing: a request is unanswered.
    struct InFlight {
      Index last = 0;
      size_t bytes = 0;
    };
    std::deque<InFlight> in_flight;
    size_t in_flight_bytes = 0;
    Index installing = 0;  // The last index of the snapshot it was sent; 0: none.
    int64_t install_sent_ms = 0;
    int install_repeats = 0;  // Of those in a row that were not acknowledged in time.
    int64_t sent_ms = 0;      // When it was last sent an append request.
    int64_t answered_ms = 0;  // When it last answered one.
    // Whether it says that it returns without its file: a member in answers, one that is being
    // added in its requests.
    bool returning = false;
    int64_t returning_ms = 0;  // When a member last said so.
    // When a warning last said that it looks for another leader.
    std::optional<int64_t> rival_ms;
  };

  // A server that is to go, and who asked for it.
  struct Removal {
    int64_t since_ms = 0;
    bool is_of_predecessor = false;  // Nobody asked for it.
    std::vector<ServerId> requesters;
  };

  // What a server that returns without its file has heard in this life.
  struct Return {
    Index nonce = 0;              // Of its questions; 0: none was asked.
    std::set<ServerId> answered;  // Who told their term.
    Term leader_term = 0;         // The leader of this term ...
    Index leader_end = 0;         // ... said that its log ends here.
    Term matched_term = 0;        // By its requests ...
    Index matched = 0;            // ... the logs are equal up to here.
  };

  // Something proposed here and not settled yet.
  struct Command {
    Payload data;
    EntryId prereq;
    EntryId eid;
    Index index = 0;  // Where this server, as leader, appended it in `term`; 0: it did not.
    Term term = 0;
    ServerId sent_to;  // The leader that it was last forwarded to; zero: none.
    int64_t sent_ms = 0;
    bool sent = false;  // To any leader.
  };

  // A follower's command that this server, as leader, appended.
  struct Forwarded {
    EntryId eid;
    Index index = 0;
    ServerId from;
  };

  // A follower that is to have a turn, and how long its first command may take.
  struct Late {
    ServerId follower;
    int64_t wait_ms = 0;
  };

  // A follower's time to forward commands, in which nothing is proposed here.
  struct Turn {
    ServerId of;
    int64_t since_ms = 0;
    int64_t last_ms = 0;  // When the last command came, or it began.
    int64_t until_ms = 0;
    int64_t wait_ms = 0;  // How long the next command may take; 0: none has come.
  };

  // server.cc
  uint64_t Write(Record record);
  void Send(const ServerId& to, decltype(Message::body) body, uint64_t after = 0,
            absl::string_view comment = {});
  void SendToAddress(const std::string& address, decltype(Message::body) body,
                     absl::string_view comment = {});
  void Say(LogLine::Level level, std::string text);
  std::string Name(const ServerId& server) const;
  bool SeeTerm(Term term, const ServerId& from);
  void SetTerm(Term term);
  void AppendEntry(Entry entry);
  void TruncateLog(Index index);
  uint64_t RecordOf(Index index) const;
  Index synced_index() const;
  void Commit(Index index);
  void RefreshPeers();
  const Servers& servers() const;
  bool is_member() const { return servers().count(state_.server_id) != 0; }
  size_t majority() const { return servers().size() / 2 + 1; }

  // election.cc
  void ArmElectionTimer();
  bool MayStand() const;
  void OnElectionTimeout();
  void StartElection(bool prevote, bool transfer);
  void CountVotes();
  void BecomeLeader();
  void BecomeFollower();
  void SetLeader(const ServerId& leader);
  bool IsUpToDate(Index last_index, Term last_term) const;
  void On(const Message& message, const VoteRequest& request);
  void On(const Message& message, const VoteReply& reply);
  void On(const Message& message, const raft::BecomeLeader& request);

  // replication.cc
  void Replicate();
  void SendEntries(const ServerId& id, Peer* peer, bool heartbeat);
  void SendSnapshot(const ServerId& id, Peer* peer);
  void Rewind(Peer* peer, Index next_index);
  void Reconnect(Peer* peer);
  void AdvanceCommit();
  bool HeardFromMajority() const;
  void On(const Message& message, const AppendRequest& request);
  void On(const Message& message, const AppendReply& reply);
  void On(const Message& message, const InstallSnapshotRequest& request);
  void On(const Message& message, const InstallSnapshotReply& reply);
  AppendResult StoreEntries(const AppendRequest& request);
  void TickInstall();

  // commands.cc
  void Dispatch();
  void Dispatch(Command* command, bool again);
  int64_t DispatchAgainMs() const;
  void AppendOwn(Command* command);
  Index FindUncommitted(const EntryId& eid) const;
  void SettleFront(Settled::Outcome outcome, Index index);
  void SettleAll(Settled::Outcome outcome);
  void SettleCommands(Index index, const Entry& entry);
  void AnswerForwarded(CommandStatus status, Index commit_index);
  void TickTurns();
  void AskForTurn(const ServerId& follower);
  void GoOnWithTurn();
  void EndTurn();
  void On(const Message& message, const ExecuteRequest& request);
  void On(const Message& message, const ExecuteReply& reply);

  // return.cc
  bool returning() const;
  Servers Witnesses() const;
  void AskForTerms();
  void HearTerm(const ServerId& from, const AppendReply& reply);
  void Match(Index index);
  void TryToReturn();
  bool AcknowledgeCommitted(AppendReply* reply) const;

  // membership.cc
  void TickMembership();
  bool HasAnsweredSince(const Peer& peer, int64_t since_ms) const;
  bool CanSpare(const ServerId& server, int64_t since_ms) const;
  void Reconfigure();
  void ConfigurationCommitted();
  void AppendConfiguration(Servers servers);
  void RequestRemoval(const ServerId& server, const ServerId& requester);
  void RequestOwnRemoval(const ServerId& requester);
  void ReplacePredecessors(const ServerId& joined, const std::string& address);
  bool IsToWait(const Removal& removal) const;
  bool IsAlive(const ServerId& predecessor, const Removal& removal) const;
  bool IsAlone() const;
  void AnswerRemoval(ServerId server, bool success, absl::string_view comment);
  void AbandonChanges();
  void AskToJoin(const std::string& address);
  void Join();
  void Leave(absl::string_view reason);
  void SendAddReply(const ServerId& to, bool success, absl::string_view comment);
  void SendRemoveReply(const ServerId& to, const ServerId& target, bool success,
                       absl::string_view comment);
  void NoteRival(const ServerId& candidate);
  void NoteAddress(const ServerId& server, const std::string& address);
  bool IsInSince(const std::optional<std::pair<Term, Index>>& as_of) const;
  void On(const Message& message, const HelloRequest& request);
  void On(const Message& message, const AddServerRequest& request);
  void On(const Message& message, const AddServerReply& reply);
  void On(const Message& message, const RemoveServerRequest& request);
  void On(const Message& message, const RemoveServerReply& reply);

  const Options options_;
  PersistentState state_;
  std::mt19937_64 random_;
  int64_t now_ms_;
  absl::Status disk_;

  Membership membership_ = Membership::kMember;
  Role role_ = Role::kFollower;
  ServerId leader_;
  bool ever_had_leader_ = false;
  std::map<ServerId, Peer> peers_;
  uint64_t election_timer_ms_;  // That is committed.

  // Elections.
  int64_t election_at_ms_ = 0;
  bool delay_elections_ = false;
  std::optional<int64_t> leader_heard_ms_;
  bool prevote_ = false;  // Of a candidate: it only asks.
  bool transfer_ = false;
  int failed_elections_ = 0;  // In a row.
  std::optional<int64_t> election_started_ms_;
  bool election_by_transfer_ = false;
  std::optional<int64_t> election_won_ms_;

  // Leading.
  Index term_start_ = 0;  // The no-op that this leader began with.
  int64_t majority_check_ms_ = 0;
  std::deque<Forwarded> forwarded_;  // By index.
  std::deque<Late> late_;            // Whose commands came too late, in the order of their turns.
  std::optional<Turn> turn_;
  int64_t next_turn_ms_ = 0;
  std::map<ServerId, Removal> removals_;

  std::deque<Command> commands_;  // Proposed here, oldest first.

  // The snapshot that is being installed.
  std::optional<SnapshotInfo> install_;
  std::optional<int64_t> ask_again_ms_;  // When to ask for another one, if that failed.

  int64_t membership_tick_ms_ = 0;  // When to ask again to be added or removed.
  Return return_;

  // Disk.
  uint64_t last_record_ = 0;
  uint64_t persisted_record_ = 0;
  uint64_t promise_record_ = 0;                      // The newest with a term or vote.
  std::deque<std::pair<Index, uint64_t>> unsynced_;  // Entries not on disk, with their records.
  std::multimap<uint64_t, Outgoing> held_;           // Until their record is persisted.

  Effects effects_;
};

}  // namespace raft

#endif  // RAFT_SERVER_H_
