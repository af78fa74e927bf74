// Tests of claim_dispatcher.h with a queue that is a number.
#include "services/scheduler/claim_dispatcher.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "libs/clock/clock.h"

namespace davit::scheduler {
namespace {

// Has `available` builds, each claimed once; remembers who got how many.
class FakeQueue : public QueueStore {
 public:
  absl::StatusOr<std::vector<ClaimedLease>> Claim(const std::string&, const std::string& project,
                                                  const std::vector<FreeSlot>& slots) override {
    absl::MutexLock lock(&mutex_);
    std::vector<ClaimedLease> leases;
    for (const FreeSlot& slot : slots) {
      if (available_ == 0) break;
      --available_;
      ++given_[slot.session_id];
      projects_[slot.session_id] = project;
      leases.push_back({absl::StrCat("bld_", available_), slot.agent_id, slot.session_id, ++fence_});
    }
    return leases;
  }
  absl::StatusOr<int> PromoteDue() override { return 0; }
  absl::StatusOr<int> ReconcileLanes() override { return 0; }
  absl::StatusOr<QueueExplanation> Explain(const std::string&, const std::string&, absl::Duration) override {
    return QueueExplanation();
  }
  absl::StatusOr<std::vector<PoolDepth>> Depths() override { return std::vector<PoolDepth>(); }

  void Add(int builds) {
    absl::MutexLock lock(&mutex_);
    available_ += builds;
  }
  int given(const std::string& session) {
    absl::MutexLock lock(&mutex_);
    return given_[session];
  }
  std::string project(const std::string& session) {
    absl::MutexLock lock(&mutex_);
    return projects_[session];
  }

 private:
  absl::Mutex mutex_;
  int available_ = 0;
  int64_t fence_ = 0;
  std::map<std::string, int> given_;
  std::map<std::string, std::string> projects_;
};

class ClaimDispatcherTest : public ::testing::Test {
 protected:
  static SlotDemand Demand(const std::string& session, int slots, absl::Duration wait) {
    return {kDefaultPool, kEveryProject, absl::StrCat("agt_", session), session, slots, wait};
  }

  RealClock clock_;
  SystemRandom random_;
  metrics::Registry metrics_;
  FakeQueue queue_;
  ClaimDispatcher dispatcher_{queue_, clock_, random_, absl::Hours(1), Logger::Discarding(), metrics_};
};

TEST_F(ClaimDispatcherTest, ADemandWithoutAWaitEndsAfterOneTry) {
  absl::Notification done;
  dispatcher_.Submit(Demand("a", 1, absl::ZeroDuration()), [&] { done.Notify(); });
  done.WaitForNotification();
  EXPECT_EQ(queue_.given("a"), 0);
}

TEST_F(ClaimDispatcherTest, AWaitingDemandIsServedWhenItIsWoken) {
  absl::Notification done;
  dispatcher_.Submit(Demand("a", 2, absl::Hours(1)), [&] { done.Notify(); });
  queue_.Add(3);
  dispatcher_.Wake();
  done.WaitForNotification();
  EXPECT_EQ(queue_.given("a"), 2);
}

TEST_F(ClaimDispatcherTest, BuildsAreSpreadOverTheAgentsThatWait) {
  absl::Notification a_done;
  absl::Notification b_done;
  dispatcher_.Submit(Demand("a", 4, absl::Hours(1)), [&] { a_done.Notify(); });
  dispatcher_.Submit(Demand("b", 4, absl::Hours(1)), [&] { b_done.Notify(); });
  queue_.Add(2);
  dispatcher_.Wake();
  a_done.WaitForNotification();
  b_done.WaitForNotification();
  EXPECT_EQ(queue_.given("a"), 1);
  EXPECT_EQ(queue_.given("b"), 1);
}

TEST_F(ClaimDispatcherTest, AnAgentOfOneProjectClaimsForThatProject) {
  queue_.Add(1);
  absl::Notification done;
  SlotDemand demand = Demand("a", 1, absl::Hours(1));
  demand.project = "p1";
  dispatcher_.Submit(demand, [&] { done.Notify(); });
  done.WaitForNotification();
  EXPECT_EQ(queue_.project("a"), "p1");
}

TEST_F(ClaimDispatcherTest, WithdrawnAndSupersededDemandsEndAtOnce) {
  absl::Notification withdrawn;
  const int64_t ticket = dispatcher_.Submit(Demand("a", 0, absl::Hours(1)), [&] { withdrawn.Notify(); });
  dispatcher_.Withdraw(ticket);
  dispatcher_.Withdraw(ticket);
  withdrawn.WaitForNotification();
  absl::Notification superseded;
  dispatcher_.Submit(Demand("b", 1, absl::Hours(1)), [&] { superseded.Notify(); });
  dispatcher_.WithdrawSession("b");
  superseded.WaitForNotification();
}

TEST_F(ClaimDispatcherTest, AfterTheStopEveryDemandEndsAtOnce) {
  absl::Notification before;
  dispatcher_.Submit(Demand("a", 1, absl::Hours(1)), [&] { before.Notify(); });
  dispatcher_.Stop();
  before.WaitForNotification();
  absl::Notification after;
  dispatcher_.Submit(Demand("a", 1, absl::Hours(1)), [&] { after.Notify(); });
  EXPECT_TRUE(after.HasBeenNotified());
}

}  // namespace
}  // namespace davit::scheduler
