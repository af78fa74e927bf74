// Tests of the way from the outbox to the scheduler, on a real store.
#include "services/rule_engine/build_dispatcher.h"

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "davit/scheduler/v1/scheduler.pb.h"
#include "services/rule_engine/event_evaluator.h"
#include "services/rule_engine/testing/store_fixture.h"

namespace davit::rule_engine {
namespace {

// A scheduler that makes one build per request id, as the real one does.
class FakeScheduler : public BuildCreator {
 public:
  absl::StatusOr<std::string> CreateBuild(const std::string& request) override {
    scheduler::v1::CreateBuildRequest parsed;
    if (!parsed.ParseFromString(request)) return absl::InvalidArgumentError("not a request");
    ++calls;
    if (!error.ok()) return error;
    const auto [build, inserted] = builds.emplace(parsed.request_id(), absl::StrCat("bld_", builds.size() + 1));
    commits.push_back(parsed.spec().git().commit());
    return build->second;
  }

  absl::Status error;
  int calls = 0;
  std::map<std::string, std::string> builds;
  std::vector<std::string> commits;
};

// An outbox whose process dies before it can note that an order was sent.
class DyingOutbox : public BuildOutbox {
 public:
  explicit DyingOutbox(BuildOutbox& real) : real_(real) {}

  absl::StatusOr<std::vector<ClaimedOrder>> Claim(int limit, absl::Duration) override {
    return real_.Claim(limit, absl::ZeroDuration());
  }
  absl::Status Finish(int64_t, const std::string&) override { return absl::UnavailableError("killed"); }
  absl::Status Refuse(int64_t id, const std::string& why) override { return real_.Refuse(id, why); }
  absl::Status Postpone(int64_t id, absl::Duration delay, const std::string& error) override {
    return real_.Postpone(id, delay, error);
  }
  absl::StatusOr<Waiting> Count() override { return real_.Count(); }

 private:
  BuildOutbox& real_;
};

class BuildDispatcherTest : public StoreFixture {
 protected:
  BuildDispatcherTest() { EXPECT_TRUE(rules_.Create(MakeRule()).ok()); }

  // Takes in a push, evaluates it and returns the event's id.
  std::string Push(const std::string& delivery, const std::string& commit = kCommit) {
    const auto recorded = ledger_.Ingest(MakeEvent(delivery, "refs/heads/main", commit));
    EXPECT_TRUE(recorded.ok()) << recorded.status();
    EXPECT_TRUE(
        ledger_
            .EvaluateReceived(10, [this](const Event& event,
                                         absl::Span<const Rule> rules) { return evaluator_.Evaluate(event, rules); })
            .ok());
    return recorded.ok() ? recorded->event_id : "";
  }

  BuildDispatcher Dispatcher(BuildOutbox& outbox) {
    return BuildDispatcher(outbox, scheduler_, random_, Logger::Discarding(), metrics_);
  }

  EventEvaluator evaluator_;
  FakeScheduler scheduler_;
  metrics::Registry metrics_;
};

TEST_F(BuildDispatcherTest, AnOrderBecomesABuildThatTheEventShows) {
  const std::string id = Push("d1");
  BuildDispatcher dispatcher = Dispatcher(outbox_);
  EXPECT_EQ(*dispatcher.Dispatch(), 1);
  EXPECT_EQ(*dispatcher.Dispatch(), 0);
  EXPECT_EQ(ledger_.Get("default", id)->explanations.at(0).build_id, "bld_1");
}

TEST_F(BuildDispatcherTest, ACrashBetweenSendingAndNotingMakesNoSecondBuild) {
  const std::string id = Push("d1");
  DyingOutbox dying(outbox_);
  EXPECT_FALSE(Dispatcher(dying).Dispatch().ok());
  EXPECT_EQ(*Dispatcher(outbox_).Dispatch(), 1);
  EXPECT_EQ(scheduler_.calls, 2);
  EXPECT_EQ(scheduler_.builds.size(), 1);
  EXPECT_EQ(ledger_.Get("default", id)->explanations.at(0).build_id, "bld_1");
}

TEST_F(BuildDispatcherTest, AnAbsentSchedulerIsTriedAgainLater) {
  Push("d1");
  scheduler_.error = absl::UnavailableError("connection refused");
  BuildDispatcher dispatcher = Dispatcher(outbox_);
  EXPECT_EQ(*dispatcher.Dispatch(), 1);
  EXPECT_EQ(*dispatcher.Dispatch(), 0) << "not at once";
  EXPECT_EQ(outbox_.Count()->count, 1);
  EXPECT_NE(metrics_.ServeText().find("davit_rule_engine_build_orders_total{outcome=\"postponed\"} 1"),
            std::string::npos)
      << metrics_.ServeText();
}

TEST_F(BuildDispatcherTest, ARefusalIsFinal) {
  const std::string id = Push("d1");
  scheduler_.error = absl::InvalidArgumentError("spec.tags: more than 20");
  BuildDispatcher dispatcher = Dispatcher(outbox_);
  EXPECT_EQ(*dispatcher.Dispatch(), 1);
  EXPECT_EQ(outbox_.Count()->count, 0);
  const auto event = ledger_.Get("default", id);
  EXPECT_EQ(event->explanations.at(0).reason, Reason::kBuildRefused);
  EXPECT_EQ(event->explanations.at(0).detail, "spec.tags: more than 20");
}

TEST_F(BuildDispatcherTest, BuildsOfABranchReachTheSchedulerInTheOrderOfThePushes) {
  for (int i = 0; i < 5; ++i) Push(absl::StrCat("d", i), CommitNumber(i));
  BuildDispatcher dispatcher = Dispatcher(outbox_);
  while (*dispatcher.Dispatch() > 0) {
  }
  ASSERT_EQ(scheduler_.commits.size(), 5);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(scheduler_.commits[static_cast<size_t>(i)], CommitNumber(i));
}

TEST(RefusalTest, WhatAnOperatorCanRepairIsNoRefusal) {
  EXPECT_TRUE(BuildDispatcher::IsRefusal(absl::NotFoundError("connection")));
  EXPECT_FALSE(BuildDispatcher::IsRefusal(absl::UnauthenticatedError("token")));
  EXPECT_FALSE(BuildDispatcher::IsRefusal(absl::PermissionDeniedError("role")));
  EXPECT_FALSE(BuildDispatcher::IsRefusal(absl::UnimplementedError("old scheduler")));
  EXPECT_FALSE(BuildDispatcher::IsRefusal(absl::ResourceExhaustedError("queue full")));
}

}  // namespace
}  // namespace davit::rule_engine
