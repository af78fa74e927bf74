// Tests of the background loop. They wait for what must happen, never for time to pass.
#include "services/rule_engine/worker_loop.h"

#include <atomic>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "libs/ids/testing/fake_random.h"

namespace davit::rule_engine {
namespace {

using Found = WorkerLoop::Found;

TEST(WorkerLoopTest, WorkIsDoneUntilThereIsNoneAndAgainWhenWoken) {
  FakeRandom random;
  std::atomic<int> steps = 0;
  absl::BlockingCounter first_three(3);
  absl::Notification fourth;
  WorkerLoop loop(
      {"test", absl::Hours(1), absl::Hours(1)},
      [&]() -> absl::StatusOr<Found> {
        const int step = ++steps;
        if (step <= 3) first_three.DecrementCount();
        if (step == 4) fourth.Notify();
        return step < 3 ? Found::kWork : Found::kNothing;
      },
      random, Logger::Discarding());
  loop.Start();
  first_three.Wait();
  loop.Wake();
  fourth.WaitForNotification();
  loop.Stop();
  EXPECT_EQ(steps, 4);
}

TEST(WorkerLoopTest, AnErrorIsTriedAgain) {
  FakeRandom random;
  std::atomic<int> steps = 0;
  absl::Notification again;
  WorkerLoop loop(
      {"test", absl::Hours(1), absl::Milliseconds(1)},
      [&]() -> absl::StatusOr<Found> {
        if (++steps == 1) return absl::UnavailableError("not now");
        again.Notify();
        return Found::kNothing;
      },
      random, Logger::Discarding());
  loop.Start();
  again.WaitForNotification();
  loop.Stop();
  EXPECT_EQ(steps, 2);
}

TEST(WorkerLoopTest, WhatComesSoonAfterAStepWaitsForTheNext) {
  FakeRandom random;
  std::atomic<int> steps = 0;
  absl::Notification first;
  WorkerLoop loop(
      {"test", absl::Hours(1), absl::Hours(1), absl::Hours(1)},
      [&]() -> absl::StatusOr<Found> {
        if (++steps == 1) first.Notify();
        return Found::kWork;
      },
      random, Logger::Discarding());
  loop.Start();
  first.WaitForNotification();
  loop.Wake();
  loop.Stop();  // does not wait either
  EXPECT_EQ(steps, 1);
}

TEST(WorkerLoopTest, ALoopThatNeverStartedStops) {
  FakeRandom random;
  WorkerLoop loop(
      {"test"}, [] { return Found::kNothing; }, random, Logger::Discarding());
  loop.Stop();
}

}  // namespace
}  // namespace davit::rule_engine
