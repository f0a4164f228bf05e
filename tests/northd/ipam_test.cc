// What a switch gives out, and what ports ask for.
#include "northd/model/ipam.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace northd {
namespace {

using ::testing::ElementsAre;

uint32_t V4(const char* text) { return Ip::Parse(text)->v4(); }

IpamConfig Parse(const char* subnet, const char* exclude = "", const char* prefix = "") {
  std::vector<std::string> errors;
  return IpamConfig::Parse(subnet, exclude, prefix, false, &errors);
}

TEST(IpamConfig, GivesOutHostsButTheFirst) {
  const IpamConfig config = Parse("10.0.0.0/24");
  EXPECT_EQ(config.addresses, (IpamConfig::Range{V4("10.0.0.1"), V4("10.0.0.254")}));
  EXPECT_THAT(config.excluded, ElementsAre(IpamConfig::Range{V4("10.0.0.1"), V4("10.0.0.1")}));
}

TEST(IpamConfig, TakesRangesOfItsOwnSubnetOnly) {
  const IpamConfig config = Parse("10.0.0.0/24", "10.0.0.9 10.0.0.250..10.0.1.20 10.0.7.7");
  ASSERT_EQ(config.excluded.size(), 3);
  EXPECT_EQ(config.excluded[1], (IpamConfig::Range{V4("10.0.0.9"), V4("10.0.0.9")}));
  EXPECT_EQ(config.excluded[2], (IpamConfig::Range{V4("10.0.0.250"), V4("10.0.0.254")}));
  const IpamConfig spaced =
      Parse("10.0.0.0/24", "10.0.0.2 .. 10.0.0.4 10.0.0.6..  10.0.0.8 10.0.0.9");
  ASSERT_EQ(spaced.excluded.size(), 4);
  EXPECT_EQ(spaced.excluded[1], (IpamConfig::Range{V4("10.0.0.2"), V4("10.0.0.4")}));
  EXPECT_EQ(spaced.excluded[2], (IpamConfig::Range{V4("10.0.0.6"), V4("10.0.0.8")}));
}

TEST(IpamConfig, NamesWhatIsMalformed) {
  std::vector<std::string> errors;
  const IpamConfig config =
      IpamConfig::Parse("10.0.0.0/33", "10.0.0.9..x", "fd00::/48", /*mac_only=*/true, &errors);
  EXPECT_FALSE(config.enabled());
  EXPECT_THAT(errors, ElementsAre("bad 'ipv6_prefix' fd00::/48", "bad 'subnet' 10.0.0.0/33"));
  errors.clear();
  IpamConfig::Parse("10.0.0.0/24", "10.0.0.9..10.0.0.3", "", false, &errors);
  EXPECT_THAT(errors, ElementsAre("bad 'exclude_ips' at 10.0.0.9..10.0.0.3"));
}

TEST(IpamConfig, NeedsNoSubnetForOtherThings) {
  EXPECT_FALSE(Parse("").enabled());
  EXPECT_TRUE(Parse("", "", "fd00::").enabled());
  EXPECT_FALSE(Parse("", "", "fd00::").has_v4());
}

TEST(DynamicRequest, TellsDynamicAddressesFromOthers) {
  EXPECT_TRUE(DynamicRequest::Parse("dynamic"));
  EXPECT_EQ(DynamicRequest::Parse("80:00:00:00:00:01 dynamic")->mac->ToString(),
            "80:00:00:00:00:01");
  EXPECT_EQ(DynamicRequest::Parse("00:0:00:00:1:4 dynamic")->mac->ToString(), "00:00:00:00:01:04");
  const auto both = DynamicRequest::Parse("dynamic 10.0.0.7 fd00::7");
  EXPECT_EQ(both->v4->ToString(), "10.0.0.7");
  EXPECT_EQ(both->v6->ToString(), "fd00::7");
  for (const char* text :
       {"", "unknown", "router", "80:00:00:00:00:01", "dynamic x", "80:00:00:00:00:01 10.0.0.1",
        "dynamic 10.0.0.1 10.0.0.2", "80:00:00:00:00:01x dynamic", "80:00:00:00:00:01 dynamic x",
        " dynamic", "dynamic ", "dynamic 10.0.0.1 "}) {
    EXPECT_FALSE(DynamicRequest::Parse(text)) << text;
  }
}

TEST(Eui64, PutsTheMacBehindThePrefix) {
  EXPECT_EQ(Eui64(*Ip::Parse("fd00::"), *Mac::Parse("80:00:00:00:00:01")).ToString(),
            "fd00::8200:ff:fe00:1");
}

}  // namespace
}  // namespace northd
