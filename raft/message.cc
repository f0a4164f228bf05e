#include "raft/message.h"

namespace raft {

absl::string_view CommandStatusText(CommandStatus status) {
  switch (status) {
    case CommandStatus::kIncomplete:
      return "operation still in progress";
    case CommandStatus::kSuccess:
      return "success";
    case CommandStatus::kNotLeader:
      return "not leader";
    case CommandStatus::kBadPrereq:
      return "prerequisite check failed";
    case CommandStatus::kLostLeadership:
      return "lost leadership";
    case CommandStatus::kShutdown:
      return "server shutdown";
    case CommandStatus::kIoError:
      return "I/O error";
    case CommandStatus::kTimeout:
      return "timeout";
  }
  return "";
}

}  // namespace raft
