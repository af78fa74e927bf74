// Tests of token.h.
#include "libs/crypto/token.h"

#include <gtest/gtest.h>

#include "libs/ids/testing/fake_random.h"

namespace davit::crypto {
namespace {

TEST(RandomTokenTest, HasThePrefixAnd256Bits) {
  FakeRandom random;
  const SecretString token = RandomToken(random, "dvt_");
  EXPECT_EQ(token.Reveal().size(), 4u + 43u);
  EXPECT_EQ(token.Reveal().substr(0, 4), "dvt_");
  EXPECT_EQ(token.Reveal().find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
            std::string::npos);
}

TEST(RandomTokenTest, IsDifferentEachTime) {
  FakeRandom random;
  EXPECT_NE(RandomToken(random, "").Reveal(), RandomToken(random, "").Reveal());
}

}  // namespace
}  // namespace davit::crypto
