// Tests of rate_limiter.h.
#include "services/webhook_gateway/rate_limiter.h"

#include <gtest/gtest.h>

#include "libs/clock/testing/fake_clock.h"

namespace davit::webhook_gateway {
namespace {

class RateLimiterTest : public ::testing::Test {
 protected:
  bool Admits(const std::string& name) { return limiter_.Take(name) == absl::ZeroDuration(); }

  FakeClock clock_;
  RateLimiter limiter_{{.per_second = 2, .burst = 3}, 2, clock_};
};

TEST_F(RateLimiterTest, AdmitsABurstAndThenTheRate) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Admits("a"));
  EXPECT_EQ(limiter_.Take("a"), absl::Milliseconds(500));
  clock_.Advance(absl::Milliseconds(250));
  EXPECT_EQ(limiter_.Take("a"), absl::Milliseconds(250));
  clock_.Advance(absl::Milliseconds(250));
  EXPECT_TRUE(Admits("a"));
  EXPECT_FALSE(Admits("a"));
}

TEST_F(RateLimiterTest, APauseEarnsNoMoreThanTheBurst) {
  EXPECT_TRUE(Admits("a"));
  clock_.Advance(absl::Hours(1));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Admits("a"));
  EXPECT_FALSE(Admits("a"));
}

TEST_F(RateLimiterTest, NamesDoNotShare) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Admits("a"));
  EXPECT_FALSE(Admits("a"));
  EXPECT_TRUE(Admits("b"));
}

TEST_F(RateLimiterTest, ForgetsTheNameThatWasUsedLeastRecently) {
  for (int i = 0; i < 4; ++i) limiter_.Take("a");
  for (int i = 0; i < 4; ++i) limiter_.Take("b");
  EXPECT_FALSE(Admits("a"));
  EXPECT_TRUE(Admits("c"));  // takes the place of b
  EXPECT_FALSE(Admits("a"));
  EXPECT_TRUE(Admits("b"));
}

}  // namespace
}  // namespace davit::webhook_gateway
