// Tests of clock.h and testing/fake_clock.h.
#include "libs/clock/clock.h"

#include <gtest/gtest.h>

#include <thread>

#include "libs/clock/testing/fake_clock.h"

namespace davit {
namespace {

TEST(RealClockTest, NeverGoesBackwardsAndSleepsAtLeastAsLongAsAsked) {
  RealClock clock;
  const absl::Duration before = clock.Monotonic();
  clock.SleepFor(absl::Milliseconds(2));
  EXPECT_GE(clock.Monotonic() - before, absl::Milliseconds(2));
  clock.SleepFor(absl::Seconds(-5));
  EXPECT_GT(clock.Now(), absl::FromUnixSeconds(1700000000));
}

TEST(FakeClockTest, StandsStillUntilItIsAdvanced) {
  FakeClock clock(absl::FromUnixSeconds(100));
  EXPECT_EQ(clock.Now(), absl::FromUnixSeconds(100));
  clock.Advance(absl::Seconds(5));
  EXPECT_EQ(clock.Now(), absl::FromUnixSeconds(105));
  EXPECT_EQ(clock.Monotonic(), absl::Seconds(5));
}

TEST(FakeClockTest, SleepingAdvancesItAndIsRemembered) {
  FakeClock clock;
  clock.SleepFor(absl::Seconds(3));
  EXPECT_EQ(clock.Monotonic(), absl::Seconds(3));
  EXPECT_EQ(clock.slept(), absl::Seconds(3));
}

TEST(FakeClockTest, ABlockingSleepEndsWhenTheTestHasAdvancedFarEnough) {
  FakeClock clock(absl::FromUnixSeconds(0), FakeClock::Sleep::kBlocks);
  std::thread sleeper([&clock] { clock.SleepFor(absl::Seconds(10)); });
  clock.AwaitSleepers(1);
  clock.Advance(absl::Seconds(4));
  clock.Advance(absl::Seconds(6));
  sleeper.join();
  EXPECT_EQ(clock.Monotonic(), absl::Seconds(10));
}

}  // namespace
}  // namespace davit
