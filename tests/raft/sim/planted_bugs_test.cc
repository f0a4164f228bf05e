// A simulator that has never caught anything proves nothing: it must find each planted bug.
#include "raft/planted_bugs.h"

#include <cstdint>
#include <cstdio>
#include <string>

#include "gtest/gtest.h"
#include "tests/raft/sim/cluster.h"

namespace raft {
namespace {

Bug planted = Bug::kNone;
uint64_t times_asked = 0;

}  // namespace

bool Planted(Bug bug) {
  times_asked += bug == planted ? 1 : 0;
  return bug == planted;
}

namespace sim {
namespace {

constexpr uint64_t kSeeds = 1000;

struct Planting {
  const char* name;
  Bug bug;
};

class PlantedBugsTest : public testing::TestWithParam<Planting> {
 protected:
  void TearDown() override { planted = Bug::kNone; }
};

TEST_P(PlantedBugsTest, IsCaught) {
  planted = GetParam().bug;
  times_asked = 0;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Cluster cluster(seed);
    cluster.Run();
    if (!cluster.world().failed()) continue;
    EXPECT_GT(times_asked, 0);
    std::printf("%s: seed %d: %s\n", GetParam().name, static_cast<int>(seed),
                cluster.world().failure.c_str());
    return;
  }
  FAIL() << GetParam().name << " went unnoticed for " << kSeeds << " seeds";
}

INSTANTIATE_TEST_SUITE_P(
    , PlantedBugsTest,
    testing::Values(Planting{"VoteTwice", Bug::kVoteTwice},
                    Planting{"AcknowledgeBeforeSync", Bug::kAcknowledgeBeforeSync},
                    Planting{"CommitOldTermByCount", Bug::kCommitOldTermByCount},
                    Planting{"SkipLogMatching", Bug::kSkipLogMatching},
                    Planting{"LoseTruncation", Bug::kLoseTruncation},
                    Planting{"ApplyTwiceAfterSnapshot", Bug::kApplyTwiceAfterSnapshot},
                    Planting{"ForgetServersInSnapshot", Bug::kForgetServersInSnapshot},
                    Planting{"AnswerBeforeCommit", Bug::kAnswerBeforeCommit},
                    Planting{"VoteAfterLostDisk", Bug::kVoteAfterLostDisk}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace sim
}  // namespace raft
