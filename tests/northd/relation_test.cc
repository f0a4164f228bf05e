// Relations that units put together, and kinds that cut waves off.
#include "northd/engine/relation.h"

#include <map>
#include <variant>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace northd::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Members with the group that each is in, as a test sets them; and how often what has run.
struct Setting {
  explicit Setting(Engine* engine) : members_of(engine) {}
  std::map<int, int> group_of;
  std::map<int, Cell> cells;
  Relation<int, int> members_of;
  int readers_run = 0;
};
Setting* setting = nullptr;

std::monostate ComputeMember(Context& ctx, const int& member) {
  ctx.Read(&setting->cells[member]);
  setting->members_of.Emit(ctx, setting->group_of[member], member);
  return {};
}
constexpr Kind<int> kMember{"member", &ComputeMember};

std::vector<int> ComputeMembers(Context& ctx, const int& group) {
  ++setting->readers_run;
  const auto& members = setting->members_of.Read(ctx, group);
  return {members.begin(), members.end()};
}
constexpr Kind<int, std::vector<int>> kMembers{"members", &ComputeMembers};

// Whether a group has anybody: changes seldom.
bool ComputeIsInhabited(Context& ctx, const int& group) {
  return !ctx.Get(kMembers, group).empty();
}
constexpr Kind<int, bool> kIsInhabited{"is_inhabited", &ComputeIsInhabited, /*is_cutoff=*/true};

int observer_runs = 0;
bool ComputeObserver(Context& ctx, const int& group) {
  ++observer_runs;
  return ctx.Get(kIsInhabited, group);
}
constexpr Kind<int, bool> kObserver{"observer", &ComputeObserver};

class RelationTest : public ::testing::Test {
 protected:
  RelationTest() { setting = &setting_; }

  void Move(int member, int group) {
    setting_.group_of[member] = group;
    engine_.Touch(&setting_.cells[member]);
  }
  std::vector<int> MembersOf(int group) { return *engine_.Peek(kMembers, group); }

  Engine engine_{nullptr};
  Setting setting_{&engine_};
};

TEST_F(RelationTest, IsWhatUnitsEmit) {
  setting_.group_of = {{1, 7}, {2, 7}, {3, 8}};
  // Readers first, so that they run before anything is emitted.
  engine_.AddRoot(kMembers, 7);
  engine_.AddRoot(kMembers, 8);
  for (int member : {1, 2, 3}) engine_.AddRoot(kMember, member);
  ASSERT_TRUE(engine_.Run());
  EXPECT_THAT(MembersOf(7), ElementsAre(1, 2));
  EXPECT_THAT(MembersOf(8), ElementsAre(3));

  Move(2, 8);
  ASSERT_TRUE(engine_.Run());
  EXPECT_THAT(MembersOf(7), ElementsAre(1));
  EXPECT_THAT(MembersOf(8), ElementsAre(2, 3));

  Move(3, 7);
  Move(2, 7);
  ASSERT_TRUE(engine_.Run());
  EXPECT_THAT(MembersOf(8), IsEmpty());
}

TEST_F(RelationTest, RunsReadersOnlyForWhatDiffers) {
  setting_.group_of = {{1, 7}, {2, 8}};
  engine_.AddRoot(kMember, 1);
  engine_.AddRoot(kMember, 2);
  engine_.AddRoot(kMembers, 7);
  ASSERT_TRUE(engine_.Run());
  setting_.readers_run = 0;
  Move(1, 7);
  Move(2, 9);
  ASSERT_TRUE(engine_.Run());
  EXPECT_EQ(setting_.readers_run, 0);
}

TEST_F(RelationTest, ForgetsWhatIsGoneAndKeepsTheRest) {
  setting_.group_of = {{1, 7}, {2, 7}};
  engine_.AddRoot(kMember, 1);
  engine_.AddRoot(kMember, 2);
  engine_.AddRoot(kMembers, 7);
  for (int round = 0; round < 5000; ++round) {
    Move(2, 100 + round);
    ASSERT_TRUE(engine_.Run());
    setting_.members_of.Sweep();
  }
  EXPECT_THAT(MembersOf(7), ElementsAre(1));
  Move(2, 7);
  ASSERT_TRUE(engine_.Run());
  EXPECT_THAT(MembersOf(7), ElementsAre(1, 2));
}

TEST_F(RelationTest, ACutoffSparesItsReaders) {
  setting_.group_of = {{1, 7}, {2, 8}};
  engine_.AddRoot(kMember, 1);
  engine_.AddRoot(kMember, 2);
  engine_.AddRoot(kObserver, 7);
  ASSERT_TRUE(engine_.Run());
  observer_runs = 0;
  Move(2, 7);
  ASSERT_TRUE(engine_.Run());
  EXPECT_EQ(observer_runs, 0);
  Move(1, 8);
  Move(2, 8);
  ASSERT_TRUE(engine_.Run());
  EXPECT_EQ(observer_runs, 1);
  EXPECT_FALSE(*engine_.Peek(kObserver, 7));
}

}  // namespace
}  // namespace northd::engine
