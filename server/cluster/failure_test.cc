#include "server/cluster/failure_test.h"

#include <utility>
#include <variant>

#include "server/base/log.h"

namespace server {
namespace {

base::LogModule log("raft");

template <typename Body>
bool Is(const raft::Message& message) {
  return std::holds_alternative<Body>(message.body);
}

bool HasEntries(const raft::Message& message) {
  const auto* request = std::get_if<raft::AppendRequest>(&message.body);
  return request != nullptr && !request->log.empty();
}

}  // namespace

std::optional<FailureTest::Scenario> FailureTest::Named(absl::string_view name) {
  static constexpr std::pair<absl::string_view, Scenario> kNames[] = {
      {"clear", kNone},
      {"crash-before-sending-append-request", kCrashBeforeAppendRequest},
      {"crash-after-sending-append-request", kCrashAfterAppendRequest},
      {"crash-after-receiving-append-request-update", kCrashOnAppendRequest},
      {"crash-before-sending-execute-command-reply", kCrashBeforeExecuteReply},
      {"crash-after-sending-execute-command-reply", kCrashAfterExecuteReply},
      {"crash-before-sending-execute-command-request", kCrashBeforeExecuteRequest},
      {"crash-after-sending-execute-command-request", kCrashAfterExecuteRequest},
      {"crash-before-sending-install-snapshot-reply", kCrashBeforeSnapshotReply},
      {"delay-election", kDelayElection},
      {"force-election", kForceElection},
      {"dont-send-vote-request", kNoVoteRequests},
      {"stop-raft-rpc", kNoMessages},
      {"transfer-leadership", kTransferLeadership},
      {"transfer-leadership-after-sending-append-request", kTransferAfterAppendRequest},
      {"transfer-leadership-after-starting-to-add", kTransferAfterAddition},
  };
  for (const auto& [text, scenario] : kNames) {
    if (text == name) return scenario;
  }
  return std::nullopt;
}

bool FailureTest::Loses(const raft::Message& message) const {
  return scenario_ == kNoMessages ||
         (scenario_ == kNoVoteRequests && Is<raft::VoteRequest>(message));
}

void FailureTest::CrashIf(bool condition, const char* when) const {
  if (condition) log.Fatal("Raft test: crash %s", when);
}

void FailureTest::BeforeSending(const raft::Message& message) const {
  CrashIf(scenario_ == kCrashBeforeAppendRequest && HasEntries(message),
          "before sending append_request.");
  CrashIf(scenario_ == kCrashBeforeExecuteReply && Is<raft::ExecuteReply>(message),
          "before sending execute_command_reply");
  CrashIf(scenario_ == kCrashBeforeExecuteRequest && Is<raft::ExecuteRequest>(message),
          "before sending execute_command_request");
  CrashIf(scenario_ == kCrashBeforeSnapshotReply && Is<raft::InstallSnapshotReply>(message),
          "before sending install_snapshot_reply");
}

void FailureTest::AfterSending(const raft::Message& message) const {
  CrashIf(scenario_ == kCrashAfterAppendRequest && HasEntries(message),
          "after sending append_request.");
  CrashIf(scenario_ == kCrashAfterExecuteReply && Is<raft::ExecuteReply>(message),
          "after sending execute_command_reply.");
  CrashIf(scenario_ == kCrashAfterExecuteRequest && Is<raft::ExecuteRequest>(message),
          "after sending execute_command_request");
}

void FailureTest::OnReceived(const raft::Message& message) const {
  CrashIf(scenario_ == kCrashOnAppendRequest && HasEntries(message),
          "after receiving append_request with update.");
}

bool FailureTest::TakeTransferAfter(const raft::Message& message) {
  const bool now = (scenario_ == kTransferAfterAppendRequest && HasEntries(message)) ||
                   (scenario_ == kTransferAfterAddition && Is<raft::AddServerRequest>(message));
  if (now) scenario_ = kNone;
  return now;
}

}  // namespace server
