// Tests of libs/buildkit/address.h.
#include "libs/buildkit/address.h"

#include <gtest/gtest.h>

namespace davit::buildkit {
namespace {

TEST(AddressTest, EveryKindIsReadAndWrittenBack) {
  for (const char* text :
       {"docker-engine:///run/d.sock", "unix:///run/buildkit/buildkitd.sock", "tcp://builder:1234"}) {
    const auto address = Address::Parse(text);
    ASSERT_TRUE(address.ok()) << address.status();
    EXPECT_EQ(address->ToString(), text);
  }
  EXPECT_EQ(Address::Parse("docker-engine:///run/d.sock")->kind, Address::Kind::kDockerEngine);
}

TEST(AddressTest, AWrongAddressIsRefusedWithTheAcceptedForms) {
  for (const std::string& text :
       {std::string("http://x"), std::string("unix://relative"), std::string("tcp://host"), std::string("tcp://host:0"),
        std::string("tcp://:5"), std::string(), "unix:///" + std::string(120, 'a')}) {
    const auto address = Address::Parse(text);
    ASSERT_EQ(address.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_NE(address.status().message().find("docker-engine:///path/to/docker.sock"), absl::string_view::npos);
  }
}

}  // namespace
}  // namespace davit::buildkit
