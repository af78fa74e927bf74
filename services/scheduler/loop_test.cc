// Tests of loop.h.
#include "services/scheduler/loop.h"

#include <gtest/gtest.h>

#include <atomic>

#include "absl/synchronization/notification.h"

namespace davit::scheduler {
namespace {

TEST(LoopTest, RunsAtOnceAndAgainWhileThereIsMore) {
  SystemRandom random;
  absl::Notification enough;
  std::atomic<int> rounds = 0;
  Loop loop(absl::Hours(1), random, [&] {
    if (++rounds < 3) return Loop::Again::kNow;
    enough.Notify();
    return Loop::Again::kLater;
  });
  enough.WaitForNotification();
  loop.Stop();
  EXPECT_EQ(rounds, 3);
}

TEST(LoopTest, AWakeIsNotLostWhileARoundIsRunning) {
  SystemRandom random;
  absl::Notification first_runs;
  absl::Notification woken;
  absl::Notification second_ran;
  std::atomic<int> rounds = 0;
  Loop loop(absl::Hours(1), random, [&] {
    if (++rounds == 1) {
      first_runs.Notify();
      woken.WaitForNotification();
    } else {
      second_ran.Notify();
    }
    return Loop::Again::kLater;
  });
  first_runs.WaitForNotification();
  loop.Wake();
  woken.Notify();
  second_ran.WaitForNotification();
  loop.Stop();
  loop.Stop();
  EXPECT_EQ(rounds, 2);
}

}  // namespace
}  // namespace davit::scheduler
