// How long learned things live.
#include "northd/model/age_thresholds.h"

#include <gtest/gtest.h>

namespace northd {
namespace {

TEST(AgeThresholds, ReadsOneForAll) {
  const AgeThresholds thresholds = AgeThresholds::Parse("20");
  EXPECT_EQ(thresholds.Of(*Ip::Parse("10.0.0.1")), 20u);
  EXPECT_EQ(thresholds.Least(), 20u);
}

TEST(AgeThresholds, PrefersTheLongestPrefix) {
  const AgeThresholds thresholds =
      AgeThresholds::Parse("10.0.0.0/8:50;10.1.0.0/16:7;20;fd00::/64:9");
  EXPECT_EQ(thresholds.Of(*Ip::Parse("10.1.2.3")), 7u);
  EXPECT_EQ(thresholds.Of(*Ip::Parse("10.2.2.3")), 50u);
  EXPECT_EQ(thresholds.Of(*Ip::Parse("11.2.2.3")), 20u);
  EXPECT_EQ(thresholds.Of(*Ip::Parse("fd00::1")), 9u);
  EXPECT_EQ(thresholds.Least(), 7u);
}

TEST(AgeThresholds, SkipsThatWhichNeverEndsWhenLookingForTheLeast) {
  EXPECT_EQ(AgeThresholds::Parse("10.0.0.0/8:0;30").Least(), 30u);
}

TEST(AgeThresholds, IsEmptyWhereItIsMalformed) {
  for (const char* text : {"", "x", "10.0.0.0/8:x", "10.0.0.0/40:5", "5;y", "-3"}) {
    EXPECT_TRUE(AgeThresholds::Parse(text).empty()) << text;
  }
}

}  // namespace
}  // namespace northd
