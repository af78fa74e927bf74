// Tests of choosing a free network for the bridge.
#include "services/standalone/bridge.h"

#include "gtest/gtest.h"

namespace davit::standalone {
namespace {

TEST(BridgeTest, RoutesAreReadFromIpRoute) {
  std::vector<Subnet> routes = ParseRoutes(
      "default via 10.0.0.1 dev eth0\n"
      "10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.5\n"
      "local 172.30.7.1 dev br0 table local proto kernel\n"
      "fe80::/64 dev eth0\n");
  ASSERT_EQ(routes.size(), 2u);
  EXPECT_EQ(routes[0].prefix, 24);
  EXPECT_EQ(routes[1].prefix, 32);
}

TEST(BridgeTest, TheFirstNetworkThatOverlapsNothingIsChosen) {
  std::vector<Subnet> taken = {ParseSubnet("172.30.7.1").value(), ParseSubnet("172.30.8.0/23").value()};
  EXPECT_EQ(ChooseSubnet(taken, 7).value(), 10);
  EXPECT_EQ(ChooseSubnet(taken, 6).value(), 6);
  EXPECT_EQ(ChooseSubnet({}, 255).value(), 255);
}

TEST(BridgeTest, NoFreeNetworkIsAnError) {
  EXPECT_TRUE(absl::IsResourceExhausted(ChooseSubnet({ParseSubnet("172.16.0.0/12").value()}, 0).status()));
}

TEST(BridgeTest, WhatIsNoSubnetIsRefused) {
  for (const char* text : {"", "eth0", "1.2.3", "1.2.3.4/33", "1.2.3.4/x", "fe80::/64"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseSubnet(text).status())) << text;
  }
}

}  // namespace
}  // namespace davit::standalone
