// What goes wrong on purpose: the scenarios of the hidden command cluster/failure-test, with which
// tests of clusters bring about what else takes luck.
#ifndef SERVER_CLUSTER_FAILURE_TEST_H_
#define SERVER_CLUSTER_FAILURE_TEST_H_

#include <optional>

#include "absl/strings/string_view.h"
#include "raft/message.h"

namespace server {

// A scenario; at first none. Those that end the process do so with status 1 and a word in the log.
class FailureTest {
 public:
  enum Scenario {
    kNone,
    kCrashBeforeAppendRequest,  // That has entries: so the next ones.
    kCrashAfterAppendRequest,
    kCrashOnAppendRequest,  // That has come in.
    kCrashBeforeExecuteReply,
    kCrashAfterExecuteReply,
    kCrashBeforeExecuteRequest,
    kCrashAfterExecuteRequest,
    kCrashBeforeSnapshotReply,
    kDelayElection,       // The election timer waits for another timer.
    kForceElection,       // Now.
    kNoVoteRequests,      // None is sent.
    kNoMessages,          // None is sent, and those that come in are lost.
    kTransferLeadership,  // Now.
    kTransferAfterAppendRequest,
    kTransferAfterAddition,  // Of a server to the cluster has begun.
  };
  // Nothing if there is no scenario of that name; "clear" is kNone.
  static std::optional<Scenario> Named(absl::string_view name);

  void Engage(Scenario scenario) { scenario_ = scenario; }
  bool engaged(Scenario scenario) const { return scenario_ == scenario; }

  // Whether `message` gets lost on its way out or in.
  bool Loses(const raft::Message& message) const;
  // To be called around the sending of a message, and when one has come in. May not return.
  void BeforeSending(const raft::Message& message) const;
  void AfterSending(const raft::Message& message) const;
  void OnReceived(const raft::Message& message) const;

  // Whether leadership is to be handed over once `message` was sent or received; once only.
  bool TakeTransferAfter(const raft::Message& message);

 private:
  void CrashIf(bool condition, const char* when) const;

  Scenario scenario_ = kNone;
};

}  // namespace server

#endif  // SERVER_CLUSTER_FAILURE_TEST_H_
