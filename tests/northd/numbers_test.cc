// Numbers that things keep.
#include "northd/model/numbers.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace northd {
namespace {

using ::testing::ElementsAre;

TEST(Numbers, GivesTheLowestFreeOnes) {
  Numbers numbers;
  EXPECT_THAT(numbers.Assign("s", std::vector<NumberWish>{{"a"}, {"b", 0, 1}, {"c"}}, 1, 9),
              ElementsAre(2, 1, 3));
}

TEST(Numbers, RemembersThroughChanges) {
  Numbers numbers;
  numbers.Assign("s", std::vector<NumberWish>{{"a"}, {"b"}, {"c"}}, 1, 9);
  EXPECT_THAT(numbers.Assign("s", std::vector<NumberWish>{{"0"}, {"b"}, {"c"}}, 1, 9),
              ElementsAre(1, 2, 3));
}

TEST(Numbers, GrantsRequestsBeforeAnythingElse) {
  Numbers numbers;
  EXPECT_THAT(numbers.Assign("s", std::vector<NumberWish>{{"a", 0, 5}, {"b", 5}, {"c", 5}}, 1, 9),
              ElementsAre(1, 5, 2));
}

TEST(Numbers, KeepsAwayFromExcludedOnes) {
  Numbers numbers;
  const std::vector<NumberRange> excluded = {{3, 4}, {1, 2}};
  EXPECT_THAT(
      numbers.Assign("s", std::vector<NumberWish>{{"a"}, {"b", 0, 4}, {"c", 2}}, 1, 6, excluded),
      ElementsAre(5, 6, 2));
}

TEST(Numbers, GrantsWhatOthersLeave) {
  Numbers numbers;
  const NumberWish wants_2 = {.key = "wants 2", .preferred = 2, .is_kept = false};
  EXPECT_THAT(numbers.Assign("s", std::vector<NumberWish>{{"a"}, {"b"}, wants_2, {"c"}}, 1, 9),
              ElementsAre(1, 2, 4, 3));
  // What it got instead it does not keep.
  EXPECT_THAT(numbers.Assign("s", std::vector<NumberWish>{{"a"}, {"b"}, {"d"}, wants_2}, 1, 9),
              ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(numbers.Assign("s", std::vector<NumberWish>{{"a"}, wants_2}, 1, 9),
              ElementsAre(1, 2));
  EXPECT_THAT(numbers.Assign("s", std::vector<NumberWish>{{"a"}, {"b"}, wants_2}, 1, 9),
              ElementsAre(1, 3, 2));
}

TEST(Numbers, KeepsNotWhatIsNotToBeKept) {
  Numbers numbers;
  const NumberWish anew = {.key = "b", .is_kept = false};
  EXPECT_THAT(numbers.Assign("s", std::vector<NumberWish>{anew}, 1, 9), ElementsAre(1));
  EXPECT_THAT(numbers.Assign("s", std::vector<NumberWish>{{"a"}, anew, {"c"}}, 1, 9),
              ElementsAre(1, 2, 3));
}

TEST(Numbers, HeedsTheWordOfOthers) {
  Numbers numbers;
  const auto word = [](const char* key, int64_t number) {
    return NumberWish{.key = key, .existing = number, .is_others_word = true};
  };
  EXPECT_THAT(numbers.Assign("s", std::vector<NumberWish>{word("a", 0), word("b", 0)}, 1, 9),
              ElementsAre(1, 2));
  // What is not theirs to give, or another's by now, leaves the memory to count.
  const std::vector<NumberRange> excluded = {{8, 9}};
  EXPECT_THAT(
      numbers.Assign("s", std::vector<NumberWish>{word("a", 8), word("b", 0)}, 1, 9, excluded),
      ElementsAre(1, 2));
  EXPECT_THAT(numbers.Assign("s", std::vector<NumberWish>{word("a", 2), word("b", 2)}, 1, 9),
              ElementsAre(2, 1));
}

TEST(Numbers, IsExhausted) {
  Numbers numbers;
  EXPECT_THAT(numbers.Assign("s", std::vector<NumberWish>{{"a"}, {"b"}}, 7, 7), ElementsAre(7, 0));
}

TEST(Numbers, SaysWhatItRemembers) {
  Numbers numbers;
  EXPECT_FALSE(numbers.Remembers("scope", "a"));
  numbers.Assign("scope", {{.key = "a"}}, 1, 9);
  EXPECT_TRUE(numbers.Remembers("scope", "a"));
  EXPECT_FALSE(numbers.Remembers("scope", "b"));
  EXPECT_FALSE(numbers.Remembers("another", "a"));
  numbers.Assign("scope", {{.key = "b"}}, 1, 9);
  EXPECT_FALSE(numbers.Remembers("scope", "a"));
}

}  // namespace
}  // namespace northd
