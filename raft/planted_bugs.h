// Bugs that the simulator has to find, or it proves nothing: each breaks one rule on purpose.
//
//   if (grant || Planted(Bug::kVoteTwice)) ...
//
// The tests have a build of this folder of their own, in which a test switches one of them on. In
// the build for production Planted() is a constant, and nothing remains of what asks it.
#ifndef RAFT_PLANTED_BUGS_H_
#define RAFT_PLANTED_BUGS_H_

namespace raft {

enum class Bug {
  kNone,
  kVoteTwice,                // Vote for whoever asks, though another has the vote of the term.
  kAcknowledgeBeforeSync,    // Send what depends on records that are not persisted yet.
  kCommitOldTermByCount,     // As a leader, commit entries of earlier terms because most have them.
  kSkipLogMatching,          // Take entries without a look at the one that they follow.
  kLoseTruncation,           // On a conflict overwrite the entry, and keep the ones behind it.
  kApplyTwiceAfterSnapshot,  // Keep the last entry of a snapshot as the first that follows it.
  kForgetServersInSnapshot,  // Make a snapshot with the configuration of the one before it.
  kAnswerBeforeCommit,       // Settle a command as committed when it is in the leader's log.
  kVoteAfterLostDisk,        // Take part at once after coming back without what was promised.
};

#ifdef BOREAS_PLANTED_BUGS
bool Planted(Bug bug);  // Defined by the test.
#else
constexpr bool Planted(Bug /*bug*/) { return false; }
#endif

}  // namespace raft

#endif  // RAFT_PLANTED_BUGS_H_
