// Units: what runs when, what is emitted, and what goes when nobody needs it.
#include "northd/engine/engine.h"

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace northd::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// Inputs by number, that a test changes, and which units have run since it last asked.
struct Inputs {
  std::map<int, int> numbers;
  std::map<int, Cell> cells;
  std::vector<std::string> runs;
};
Inputs* inputs = nullptr;

int Read(Context& ctx, int number) {
  ctx.Read(&inputs->cells[number]);
  return inputs->numbers[number];
}

void Ran(const std::string& what) { inputs->runs.push_back(what); }

// The input.
int ComputeSelf(Context& ctx, const int& number) {
  Ran("self" + std::to_string(number));
  return Read(ctx, number);
}
constexpr Kind<int, int> kSelf{"self", &ComputeSelf};

// Whether it is even: changes less often than it.
bool ComputeIsEven(Context& ctx, const int& number) {
  Ran("even" + std::to_string(number));
  return ctx.Get(kSelf, number) % 2 == 0;
}
constexpr Kind<int, bool> kIsEven{"is_even", &ComputeIsEven};

// Emits input 2's value if input 1 is even, else input 3's.
std::monostate ComputeChoice(Context& ctx, const int&) {
  Ran("choice");
  const int chosen = ctx.Get(kIsEven, 1) ? 2 : 3;
  ctx.Emit({0, static_cast<uint32_t>(ctx.Get(kSelf, chosen)), 0, 0});
  return {};
}
constexpr Kind<int> kChoice{"choice", &ComputeChoice};

// Emits its input's value.
std::monostate ComputeChild(Context& ctx, const int& number) {
  Ran("child" + std::to_string(number));
  ctx.Emit({0, static_cast<uint32_t>(Read(ctx, number)), 0, 0});
  return {};
}
constexpr Kind<int> kChild{"child", &ComputeChild};

// Requires as many children as input 0 says.
std::monostate ComputeParent(Context& ctx, const int&) {
  Ran("parent");
  for (int i = 1; i <= Read(ctx, 0); ++i) ctx.Require(kChild, i);
  return {};
}
constexpr Kind<int> kParent{"parent", &ComputeParent};

class EngineTest : public ::testing::Test, public Sink {
 protected:
  EngineTest() {
    inputs = &inputs_;
    EXPECT_EQ(engine_.AddSink(this), 0u);
  }

  void Set(int number, int value) {
    inputs_.numbers[number] = value;
    engine_.Touch(&inputs_.cells[number]);
  }
  std::vector<std::string> Run() {
    EXPECT_TRUE(engine_.Run());
    std::vector<std::string> runs;
    runs.swap(inputs_.runs);
    return runs;
  }
  std::vector<uint32_t> emitted() const {
    std::vector<uint32_t> items;
    for (const auto& [item, count] : counts_) items.insert(items.end(), count, item);
    return items;
  }

  void Add(const Emission& emission) override { ++counts_[emission.item]; }
  void Remove(const Emission& emission) override {
    if (--counts_[emission.item] == 0) counts_.erase(emission.item);
  }

  Inputs inputs_;
  std::map<uint32_t, size_t> counts_;
  Engine engine_{nullptr};
};

TEST_F(EngineTest, RunsOnlyWhatReadsAChange) {
  Set(1, 2);
  Set(2, 20);
  Set(3, 30);
  engine_.AddRoot(kChoice, 0);
  EXPECT_THAT(Run(), UnorderedElementsAre("choice", "even1", "self1", "self2"));
  EXPECT_THAT(emitted(), ElementsAre(20));
  Set(3, 31);  // Nobody reads it.
  EXPECT_THAT(Run(), IsEmpty());
  Set(2, 21);
  EXPECT_THAT(Run(), ElementsAre("self2", "choice"));
  EXPECT_THAT(emitted(), ElementsAre(21));
}

TEST_F(EngineTest, AnEqualValueStopsTheWave) {
  Set(1, 2);
  Set(2, 20);
  engine_.AddRoot(kChoice, 0);
  Run();
  Set(1, 4);
  EXPECT_THAT(Run(), ElementsAre("self1", "even1"));
}

TEST_F(EngineTest, WhatIsReadNoMoreIsForgotten) {
  Set(1, 2);
  Set(2, 20);
  Set(3, 30);
  engine_.AddRoot(kChoice, 0);
  Run();
  const uint64_t units = engine_.stats().units;
  Set(1, 3);
  Run();
  EXPECT_THAT(emitted(), ElementsAre(30));
  EXPECT_EQ(engine_.stats().units, units);  // self3 has come and self2 has gone.
  EXPECT_EQ(engine_.Peek(kSelf, 2), nullptr);
  EXPECT_FALSE(inputs_.cells[2].has_readers());
}

TEST_F(EngineTest, WhatIsNotRequiredAnyMoreTakesItsEmissionsBack) {
  Set(0, 3);
  for (int i = 1; i <= 3; ++i) Set(i, i * 10);
  engine_.AddRoot(kParent, 0);
  EXPECT_THAT(Run(), ElementsAre("parent", "child1", "child2", "child3"));
  EXPECT_THAT(emitted(), ElementsAre(10, 20, 30));
  Set(2, 21);
  EXPECT_THAT(Run(), ElementsAre("child2"));  // The parent only requires it.
  Set(0, 1);
  EXPECT_THAT(Run(), ElementsAre("parent"));
  EXPECT_THAT(emitted(), ElementsAre(10));
  EXPECT_EQ(engine_.stats().units, 2u);
  EXPECT_EQ(engine_.stats().emissions, 1u);
}

TEST_F(EngineTest, EmissionsAreCounted) {
  Set(0, 2);
  Set(1, 7);
  Set(2, 7);
  engine_.AddRoot(kParent, 0);
  Run();
  EXPECT_THAT(emitted(), ElementsAre(7, 7));
  Set(0, 1);
  Run();
  EXPECT_THAT(emitted(), ElementsAre(7));
}

TEST_F(EngineTest, ARecomputeRunsEverythingAndChangesNothing) {
  Set(1, 2);
  Set(2, 20);
  engine_.AddRoot(kChoice, 0);
  Run();
  engine_.TouchAll();
  EXPECT_THAT(Run(), UnorderedElementsAre("choice", "even1", "self1", "self2"));
  EXPECT_THAT(emitted(), ElementsAre(20));
}

TEST_F(EngineTest, StopsBetweenUnitsAndGoesOn) {
  Set(0, 3);
  engine_.AddRoot(kParent, 0);
  int left = 2;
  EXPECT_FALSE(engine_.Run([&] { return left-- == 0; }));
  EXPECT_THAT(inputs_.runs, ElementsAre("parent", "child1"));
  EXPECT_THAT(Run(), ElementsAre("parent", "child1", "child2", "child3"));
}

// Reads a hundred inputs, each by a unit of its own.
int ComputeSum(Context& ctx, const int&) {
  Ran("sum");
  int sum = 0;
  for (int i = 0; i < 100; ++i) sum += ctx.Get(kSelf, i);
  return sum;
}
constexpr Kind<int, int> kSum{"sum", &ComputeSum};

TEST_F(EngineTest, ManyThatOneWaitsForAreStepsOfTheirOwn) {
  engine_.AddRoot(kSum, 0);
  Run();
  // The most that has run from one question whether to stop to the next.
  const auto longest_step = [this] {
    size_t longest = 0;
    size_t seen = inputs_.runs.size();
    EXPECT_TRUE(engine_.Run([&] {
      longest = std::max(longest, inputs_.runs.size() - seen);
      seen = inputs_.runs.size();
      return false;
    }));
    return longest;
  };
  for (int i = 0; i < 100; ++i) Set(i, i);
  EXPECT_EQ(longest_step(), 1u);
  EXPECT_EQ(Run().size(), 101u);
  EXPECT_EQ(*engine_.Peek(kSum, 0), 4950);

  engine_.TouchAll();
  EXPECT_EQ(longest_step(), 1u);
  EXPECT_EQ(Run().size(), 101u);
}

// Parts of a cell: a reader runs when one that it reads changes.
std::monostate ComputeParts(Context& ctx, const int&) {
  Ran("parts");
  const uint32_t edge = ctx.Read(&inputs->cells[0], 1);
  ctx.ReadMore(edge, 4);
  return {};
}
constexpr Kind<int> kParts{"parts", &ComputeParts};

TEST_F(EngineTest, PartsOfACellAreReadOnTheirOwn) {
  engine_.AddRoot(kParts, 0);
  Run();
  engine_.Touch(&inputs_.cells[0], 2);
  EXPECT_THAT(Run(), IsEmpty());
  engine_.Touch(&inputs_.cells[0], 4);
  EXPECT_THAT(Run(), ElementsAre("parts"));
}

// Known late, by way of a cutoff.
constexpr Kind<int, bool> kIsEvenAtLast{"is_even_at_last", &ComputeIsEven, /*is_cutoff=*/true};
int ComputeLate(Context& ctx, const int& number) {
  Ran("late");
  return ctx.Get(kIsEvenAtLast, number) ? 10 : 20;
}
constexpr Kind<int, int> kLate{"late", &ComputeLate};
int ComputeLater(Context& ctx, const int& number) { return ctx.Get(kLate, number) + 1; }
constexpr Kind<int, int> kLater{"later", &ComputeLater};

// Reads what it knows nothing new about yet, and then, if input 0 says so, what brings that up to
// date.
std::monostate ComputeHasty(Context& ctx, const int&) {
  Ran("hasty");
  const bool more = Read(ctx, 0) != 0;
  ctx.Emit({0, static_cast<uint32_t>(ctx.Get(kLate, 1)), 0, 0});
  if (!more) return {};
  ctx.Get(kIsEvenAtLast, 1);
  ctx.Get(kLater, 1);
  return {};
}
constexpr Kind<int> kHasty{"hasty", &ComputeHasty};

TEST_F(EngineTest, RunsAgainIfWhatItReadChangesWhileItRuns) {
  Set(1, 2);
  engine_.AddRoot(kHasty, 0);
  Run();
  EXPECT_THAT(emitted(), ElementsAre(10));
  Set(0, 1);
  Set(1, 3);
  EXPECT_THAT(Run(), ElementsAre("hasty", "self1", "even1", "late", "hasty"));
  EXPECT_THAT(emitted(), ElementsAre(20));
}

// A graph whose edges depend on its inputs: each node reads up to three of those behind it, every
// third by way of a cutoff, and emits what comes of it.
constexpr int kNodes = 60;

std::vector<int> NextOf(int node, int input) {
  std::vector<int> next;
  for (int i = 0; i < input % 4; ++i) {
    const int other = node + 1 + (input * 7 + i * 5) % 9;
    if (other < kNodes) next.push_back(other);
  }
  return next;
}

int ComputeNode(Context& ctx, const int& node);
constexpr Kind<int, int> kNode{"node", &ComputeNode};
int ComputeParity(Context& ctx, const int& node) { return ctx.Get(kNode, node) % 2; }
constexpr Kind<int, int> kParity{"parity", &ComputeParity, /*is_cutoff=*/true};

int ComputeNode(Context& ctx, const int& node) {
  const int input = Read(ctx, node);
  int value = input;
  for (const int other : NextOf(node, input)) {
    value += other % 3 == 0 ? ctx.Get(kParity, other) : ctx.Get(kNode, other);
  }
  value %= 1000;
  ctx.Emit({0, static_cast<uint32_t>(node * 1000 + value), 0, 0});
  return value;
}

// The same without an engine.
int ValueOf(int node, const std::map<int, int>& numbers, std::map<int, int>* values) {
  if (const auto known = values->find(node); known != values->end()) return known->second;
  int value = numbers.at(node);
  for (const int other : NextOf(node, numbers.at(node))) {
    const int its = ValueOf(other, numbers, values);
    value += other % 3 == 0 ? its % 2 : its;
  }
  return (*values)[node] = value % 1000;
}

TEST_F(EngineTest, ComesToTheSameAsFromScratchHoweverItIsStopped) {
  std::mt19937 random(20251201);
  for (int node = 0; node < kNodes; ++node) Set(node, static_cast<int>(random() % 100));
  engine_.AddRoot(kNode, 0);
  for (int round = 0; round < 2000; ++round) {
    for (unsigned i = random() % 5; i > 0; --i) {
      Set(static_cast<int>(random() % kNodes), static_cast<int>(random() % 100));
    }
    if (random() % 20 == 0) engine_.TouchAll();
    // Sometimes others change something before it has come to an end.
    if (!engine_.Run([&] { return random() % 10 == 0; }) && random() % 2 == 0) continue;
    Run();
    std::map<int, int> values;
    EXPECT_EQ(*engine_.Peek(kNode, 0), ValueOf(0, inputs_.numbers, &values)) << round;
    std::vector<uint32_t> expected;
    for (const auto& [node, value] : values) {
      expected.push_back(static_cast<uint32_t>(node * 1000 + value));
    }
    ASSERT_EQ(emitted(), expected) << round;
  }
}

}  // namespace
}  // namespace northd::engine
