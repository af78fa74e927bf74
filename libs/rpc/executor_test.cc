// Tests of executor.h.
#include "libs/rpc/executor.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>

#include "absl/synchronization/notification.h"

namespace davit::rpc {
namespace {

TEST(ExecutorTest, RunsWhatItAcceptedBeforeItEnds) {
  std::atomic<int> ran{0};
  {
    Executor executor("test", 3, 100);
    for (int i = 0; i < 100; ++i) {
      ASSERT_TRUE(executor.Submit([&ran, owned = std::make_unique<int>(1)] { ran += *owned; }).ok());
    }
  }
  EXPECT_EQ(ran, 100);
}

TEST(ExecutorTest, RefusesMoreThanItsQueueHolds) {
  absl::Notification started;
  absl::Notification go;
  Executor executor("puller", 1, 1);
  ASSERT_TRUE(executor
                  .Submit([&] {
                    started.Notify();
                    go.WaitForNotification();
                  })
                  .ok());
  started.WaitForNotification();
  ASSERT_TRUE(executor.Submit([] {}).ok());
  const absl::Status refused = executor.Submit([] {});
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(refused.message(), "puller is busy: 1 tasks are waiting; try again");
  go.Notify();
  executor.Drain();
  EXPECT_EQ(executor.Submit([] {}).code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace davit::rpc
