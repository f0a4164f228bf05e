#include "ovsdb/uuid.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace ovsdb {
namespace {

constexpr char kText[] = "550e8400-e29b-41d4-a716-446655440000";

TEST(UuidTest, TextRoundTrips) {
  const auto uuid = Uuid::Parse(kText);
  ASSERT_TRUE(uuid.has_value());
  EXPECT_EQ(uuid->hi, 0x550e8400e29b41d4);
  EXPECT_EQ(uuid->lo, 0xa716446655440000);
  EXPECT_EQ(uuid->ToString(), kText);
  std::string out = "x";
  uuid->AppendTo(&out);
  EXPECT_EQ(out, std::string("x") + kText);
  EXPECT_EQ(uuid->Short(4), "550e");
  EXPECT_EQ(Uuid::Parse("550E8400-E29B-41D4-A716-446655440000"), uuid);
}

TEST(UuidTest, RefusesOtherText) {
  const std::string good = kText;
  EXPECT_FALSE(Uuid::Parse(""));
  EXPECT_FALSE(Uuid::Parse(good + "0"));
  EXPECT_FALSE(Uuid::Parse(good.substr(1)));
  for (size_t i = 0; i < good.size(); i++) {
    for (char c : {'g', ' ', '\0', '\xe9', good[i] == '-' ? '0' : '-'}) {
      std::string bad = good;
      bad[i] = c;
      EXPECT_FALSE(Uuid::Parse(bad)) << i << " " << c;
    }
  }
}

TEST(UuidTest, OrdersAsText) {
  const char* texts[] = {
      "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-8000-000000000000",
      "00000001-0000-0000-0000-000000000000", "f0000000-0000-0000-0000-000000000000"};
  for (size_t i = 1; i < std::size(texts); i++) {
    EXPECT_LT(*Uuid::Parse(texts[i - 1]), *Uuid::Parse(texts[i]));
  }
  EXPECT_TRUE(Uuid().is_zero());
  EXPECT_FALSE(Uuid::Parse(texts[0])->is_zero());
}

TEST(UuidTest, GeneratorMakesDistinctVersion4) {
  UuidGenerator generator(1), same(1), other(2);
  std::set<Uuid> seen;
  for (int i = 0; i < 1000; i++) {
    const Uuid uuid = generator.Next();
    EXPECT_TRUE(seen.insert(uuid).second);
    EXPECT_EQ(uuid, same.Next());
    EXPECT_NE(uuid, other.Next());
    const std::string text = uuid.ToString();
    EXPECT_EQ(text[14], '4');
    EXPECT_NE(std::string("89ab").find(text[19]), std::string::npos);
  }
}

}  // namespace
}  // namespace ovsdb
