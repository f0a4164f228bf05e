// Addresses as databases spell them, well or not. What is odd here was seen on the reference.
#include "northd/model/addresses.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace northd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string MacText(const char* text) {
  const auto mac = Mac::Parse(text);
  return mac ? mac->ToString() : "none";
}

std::string NetworkText(const char* text) {
  const auto network = Network::Parse(text);
  return network ? network->ToString() : "none";
}

std::vector<std::string> Texts(const std::vector<Network>& networks) {
  std::vector<std::string> texts;
  for (const Network& network : networks) texts.push_back(network.ToString());
  return texts;
}

TEST(Mac, IsReadNumberByNumber) {
  EXPECT_EQ(MacText("0A:00:00:00:00:0b"), "0a:00:00:00:00:0b");
  EXPECT_EQ(MacText("50:54:0:0:0:1"), "50:54:00:00:00:01");
  EXPECT_EQ(MacText("50:54:00:00:00:010"), "50:54:00:00:00:10");
  EXPECT_EQ(MacText("150:54:0:0:0:10000004"), "50:54:00:00:00:04");
  EXPECT_EQ(MacText("0x50:+54: 0:0:0:8"), "50:54:00:00:00:08");
  for (const char* text : {"", "50:54:0:0:0", "50:54:0:0:0:", "50-54-0-0-0-9", ":54:0:0:0:1",
                           "junk 50:54:0:0:0:6", "router", "dynamic"}) {
    EXPECT_EQ(MacText(text), "none") << text;
  }
}

TEST(Mac, LeavesWhatFollows) {
  absl::string_view rest;
  ASSERT_TRUE(Mac::ParseStart("50:54:0:0:0:ag 10.0.0.1", &rest));
  EXPECT_EQ(rest, "g 10.0.0.1");
  EXPECT_FALSE(Mac::Parse("50:54:0:0:0:ag 10.0.0.1"));
  EXPECT_FALSE(Mac::Parse("50:54:0:0:0:a "));
}

TEST(Mac, HasAFirstHalf) {
  EXPECT_EQ(Mac::ParseVendor("0:1:2x")->ToString(), "00:01:02:00:00:00");
  EXPECT_FALSE(Mac::ParseVendor("0:1"));
}

TEST(Ip, IsReadAsAWholeAndStrictly) {
  EXPECT_EQ(Ip::Parse("10.0.0.30")->ToString(), "10.0.0.30");
  EXPECT_EQ(Ip::Parse("FD00:0::1")->ToString(), "fd00::1");
  EXPECT_EQ(Ip::Parse("::ffff:10.0.0.32")->ToString(), "::ffff:10.0.0.32");
  for (const char* text : {"", "10.0.0", "10.0.0.", "10.0.0.1x", "10.0.0.1 ", "010.0.0.1",
                           "10.0.0.256", "fd00::1%eth0", "fd00::8:", "1:2:3:4:5:6:7:8:9",
                           "::::::::::::::::::::::::::::::::::::::::::::::::::"}) {
    EXPECT_FALSE(Ip::Parse(text)) << text;
  }
}

TEST(Network, TakesPrefixesAndMasks) {
  EXPECT_EQ(NetworkText("10.0.0.1"), "10.0.0.1");
  EXPECT_EQ(NetworkText("10.0.0.1/24"), "10.0.0.1/24");
  EXPECT_EQ(NetworkText("10.0.0.1/255.255.0.0"), "10.0.0.1/16");
  EXPECT_EQ(NetworkText("010.0.0.30/24"), "10.0.0.30/24");
  EXPECT_EQ(NetworkText("10.0.0.256"), "10.0.0.0");
  EXPECT_EQ(NetworkText("fd00::1/64"), "fd00::1/64");
  EXPECT_EQ(NetworkText("0.0.0.0/0"), "0.0.0.0/0");
  for (const char* text : {"10.0.0.1/33", "10.0.0.1/-1", "10.0.0.1/255.0.255.0", "10.0.0.1/24x",
                           "10.0.0.1/", "fd00::1/129", "fd00::1/", "/24"}) {
    EXPECT_EQ(NetworkText(text), "none") << text;
  }
}

TEST(Network, TakesAnyMask) {
  EXPECT_EQ(Network::ParseMasked("10.0.0.1/255.0.255.0")->ToString(), "10.0.0.1/24");
  EXPECT_EQ(Network::ParseMasked("10.0.0.1/0.0.0.0")->ToString(), "10.0.0.1/0");
  EXPECT_EQ(Network::ParseMasked("10.0.0.1/255.255.0.0")->ToString(), "10.0.0.1/16");
  EXPECT_EQ(Network::ParseMasked("10.0.0.1/20")->ToString(), "10.0.0.1/20");
  EXPECT_EQ(Network::ParseMasked("10.0.0.1/33"), std::nullopt);
}

TEST(Network, KnowsItsEnds) {
  const Network network = *Network::Parse("10.1.2.3/20");
  EXPECT_EQ(network.NetworkText(), "10.1.0.0/20");
  EXPECT_EQ(network.broadcast().ToString(), "10.1.15.255");
  EXPECT_EQ(network.mask().ToString(), "255.255.240.0");
  EXPECT_TRUE(network.Contains(*Ip::Parse("10.1.15.255")));
  EXPECT_FALSE(network.Contains(*Ip::Parse("10.1.16.0")));
  EXPECT_FALSE(network.Contains(*Ip::Parse("fd00::1")));
}

TEST(PortAddresses, TakesAddressesUpToWhereThereIsNone) {
  const auto addresses = PortAddresses::Parse("0:0:0:0:0:1 10.0.0.1  fd00::1/64\t10.0.0.2/24");
  ASSERT_TRUE(addresses);
  EXPECT_EQ(addresses->mac_text(), "00:00:00:00:00:01");
  EXPECT_THAT(Texts(addresses->v4), ElementsAre("10.0.0.1", "10.0.0.2/24"));
  EXPECT_THAT(Texts(addresses->v6), ElementsAre("fd00::1/64"));
  EXPECT_THAT(Texts(PortAddresses::Parse("0:0:0:0:0:1 10.0.0.19junk 10.0.0.3")->v4),
              ElementsAre("10.0.0.19"));
  EXPECT_THAT(Texts(PortAddresses::Parse("0:0:0:0:0:1 10.0.0.31/")->v4), ElementsAre("10.0.0.31"));
  EXPECT_THAT(Texts(PortAddresses::Parse("0:0:0:0:0:1 10.0.0.21/33 10.0.0.3")->v4), IsEmpty());
  EXPECT_THAT(Texts(PortAddresses::Parse("0:0:0:0:0:1 junk 10.0.0.3")->v4), IsEmpty());
  EXPECT_THAT(Texts(PortAddresses::Parse("0:0:0:0:0:1 fd00::x 10.0.0.3")->v6),
              ElementsAre("fd00::"));
  EXPECT_FALSE(PortAddresses::Parse("10.0.0.1"));
}

TEST(Network, ContainsWhatHasTheSameFirstBits) {
  for (int prefix = 0; prefix <= 32; ++prefix) {
    const Network network{Ipv4(0xac15c3a5), prefix};
    const uint32_t mask = prefix == 0 ? 0 : ~uint32_t{0} << (32 - prefix);
    EXPECT_EQ(network.mask(), Ipv4(mask)) << prefix;
    EXPECT_EQ(network.network(), Ipv4(0xac15c3a5 & mask)) << prefix;
    EXPECT_TRUE(network.Contains(network.ip)) << prefix;
    for (int bit = 0; bit < 32; ++bit) {
      const Ip other = Ipv4(0xac15c3a5 ^ uint32_t{1} << (31 - bit));
      EXPECT_EQ(network.Contains(other), bit >= prefix) << prefix << " " << bit;
    }
  }
}

}  // namespace
}  // namespace northd
