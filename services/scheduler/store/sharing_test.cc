// Tests of what builds of one rule do to each other: priorities, groups in which newer builds supersede older ones,
// limits of a rule, retries; on a real PostgreSQL.
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/scheduler/store/store_fixture.h"

namespace davit::scheduler {
namespace {

class SharingTest : public StoreFixture {
 protected:
  // A build of a rule and the branch main, in the group of the two.
  NewBuild OfRule(Supersede supersede = Supersede::kNothing, int max_concurrent = 0) {
    NewBuild build = Describe("p1");
    build.rule_id = "rul_a";
    build.ref = "refs/heads/main";
    build.commit = "0123456789abcdef0123456789abcdef01234567";
    build.concurrency_key = std::string(32, 'k');
    build.supersede = supersede;
    build.max_concurrent = max_concurrent;
    return build;
  }

  CreatedBuild Create(const NewBuild& build) {
    const absl::StatusOr<CreatedBuild> created = builds_->Create(build);
    EXPECT_TRUE(created.ok()) << created.status();
    return created.value_or(CreatedBuild());
  }

  std::string CreateOne(const NewBuild& build) { return Create(build).build.id; }

  BuildState StateOf(const std::string& id) { return Get(id).state; }

  void EndWith(const ClaimedLease& lease, AttemptEnd end) {
    const auto ended = leases_->End(Ended(lease, end));
    EXPECT_TRUE(ended.ok()) << ended.status();
  }

  // Members, taken slots and waiting builds, after everything has ended or is published: none.
  std::string Shared() {
    return absl::StrCat(Sql("select count(*) from concurrency_members"), "/", Sql("select count(*) from rule_slots"),
                        "/", Sql("select count(*) from rule_waits"));
  }

  std::string agent_ = Begin("agent", "ses_1");
};

TEST_F(SharingTest, BuildsOfAHigherPriorityGoFirstAndThoseOfOneInTheirOrder) {
  std::vector<std::string> ids;
  for (const int priority : {0, 5, -5, 0, -5}) {
    NewBuild build = Describe("p1");
    build.priority = priority;
    ids.push_back(CreateOne(build));
  }
  std::vector<std::string> claimed;
  for (size_t i = 0; i < ids.size(); ++i) claimed.push_back(Claim(agent_, "ses_1").at(0).build_id);
  EXPECT_EQ(claimed, (std::vector<std::string>{ids[2], ids[4], ids[0], ids[3], ids[1]}));
}

TEST_F(SharingTest, APriorityCountsInsideItsProjectOnly) {
  std::vector<std::string> urgent;
  for (int i = 0; i < 2; ++i) {
    NewBuild build = Describe("p1");
    build.priority = -100;
    urgent.push_back(CreateOne(build));
  }
  const std::string other = Queue("p2");
  EXPECT_EQ(Claim(agent_, "ses_1").at(0).build_id, urgent[0]);
  // p1 runs one build now, p2 none.
  EXPECT_EQ(Claim(agent_, "ses_1").at(0).build_id, other);
}

TEST_F(SharingTest, ANewerBuildEndsOlderOnesOfItsGroupThatWait) {
  const std::string first = CreateOne(OfRule());
  const std::string second = CreateOne(OfRule(Supersede::kQueued));
  EXPECT_EQ(StateOf(first), BuildState::kSuperseded);
  const CreatedBuild third = Create(OfRule(Supersede::kQueued));
  EXPECT_EQ(third.superseded, std::vector<std::string>{second});
  const BuildRecord ended = Get(second);
  EXPECT_EQ(ended.state, BuildState::kSuperseded);
  EXPECT_EQ(ended.superseded_by, third.build.id);
  EXPECT_EQ(ended.transitions.back().detail,
            absl::StrCat("superseded by ", third.build.id, " (refs/heads/main at 0123456)"));
  EXPECT_TRUE(ended.end_time.has_value());
  EXPECT_EQ(Lane("p1"), "1/0");
  EXPECT_EQ(Shared(), "1/0/0");
}

TEST_F(SharingTest, OtherGroupsAndWhatIsNewerStay) {
  NewBuild other_branch = OfRule();
  other_branch.concurrency_key = std::string(32, 'x');
  const std::string branch = CreateOne(other_branch);
  NewBuild none = OfRule();
  none.concurrency_key = "";
  const std::string ungrouped = CreateOne(none);
  NewBuild foreign = OfRule();
  foreign.project = "p2";
  const std::string of_p2 = CreateOne(foreign);
  CreateOne(OfRule(Supersede::kRunning));
  CreateOne(OfRule());  // Without a policy it ends nothing.
  for (const std::string& id : {branch, ungrouped, of_p2}) EXPECT_EQ(StateOf(id), BuildState::kQueued);
  EXPECT_EQ(Lane("p1"), "4/0");
}

TEST_F(SharingTest, ADelayedRetryIsSupersededToo) {
  const std::string older = CreateOne(OfRule());
  EndWith(Claim(agent_, "ses_1").at(0), AttemptEnd::kFailedInfrastructure);
  EXPECT_EQ(StateOf(older), BuildState::kQueued);
  CreateOne(OfRule(Supersede::kQueued));
  EXPECT_EQ(StateOf(older), BuildState::kSuperseded);
  EXPECT_EQ(Sql("select count(*) from build_delays"), "0");
}

TEST_F(SharingTest, ARunningBuildGoesOnUnlessItIsToBeStopped) {
  const std::string older = CreateOne(OfRule());
  const ClaimedLease lease = Claim(agent_, "ses_1").at(0);
  EXPECT_TRUE(Create(OfRule(Supersede::kQueued)).superseded.empty());
  EXPECT_EQ(leases_->Leases(agent_, "ses_1").value().at(0).desired, Desired::kRun);

  const CreatedBuild newest = Create(OfRule(Supersede::kRunning));
  EXPECT_EQ(newest.superseded.size(), 2);  // The one that runs, and the one that waited.
  EXPECT_EQ(leases_->Leases(agent_, "ses_1").value().at(0).desired, Desired::kCancel);
  EXPECT_EQ(StateOf(older), BuildState::kRunning);
  EXPECT_TRUE(Get(older).cancel_requested);
  EndWith(lease, AttemptEnd::kCancelled);
  const BuildRecord ended = Get(older);
  EXPECT_EQ(ended.state, BuildState::kSuperseded);
  EXPECT_EQ(ended.superseded_by, newest.build.id);
  EXPECT_EQ(ended.transitions.back().detail, absl::StrCat("superseded by ", newest.build.id));
  EXPECT_EQ(Lane("p1"), "1/0");
}

TEST_F(SharingTest, ABuildThatWasStoppedIsNotPublishedHoweverItEnds) {
  const std::string older = CreateOne(OfRule());
  const ClaimedLease lease = Claim(agent_, "ses_1").at(0);
  CreateOne(OfRule(Supersede::kRunning));
  EndWith(lease, AttemptEnd::kSucceeded);
  EXPECT_EQ(StateOf(older), BuildState::kSuperseded);
  EXPECT_EQ(Sql("select count(*) from publications"), "0");
}

TEST_F(SharingTest, WhatAPersonCancelledBeforeStaysCancelled) {
  const std::string older = CreateOne(OfRule());
  const ClaimedLease lease = Claim(agent_, "ses_1").at(0);
  ASSERT_TRUE(builds_->Cancel("p1", older).ok());
  EXPECT_TRUE(Create(OfRule(Supersede::kRunning)).superseded.empty());
  EndWith(lease, AttemptEnd::kCancelled);
  EXPECT_EQ(StateOf(older), BuildState::kCancelled);
}

TEST_F(SharingTest, WhatIsPushedIsLeftAlone) {
  const std::string older = CreateOne(OfRule());
  EndWith(Claim(agent_, "ses_1").at(0), AttemptEnd::kSucceeded);
  EXPECT_TRUE(Create(OfRule(Supersede::kRunning)).superseded.empty());
  EXPECT_EQ(StateOf(older), BuildState::kPublishing);
}

TEST_F(SharingTest, ARepeatedRequestSupersedesNothing) {
  NewBuild repeated = OfRule(Supersede::kQueued);
  repeated.request_id = "push/1";
  CreateOne(repeated);
  const std::string newer = CreateOne(OfRule(Supersede::kQueued));
  repeated.id = NewId("bld", clock_, random_);
  EXPECT_TRUE(Create(repeated).duplicate);
  EXPECT_EQ(StateOf(newer), BuildState::kQueued);
}

TEST_F(SharingTest, OfBuildsMadeAtOnceExactlyTheNewestIsLeft) {
  constexpr int kThreads = 6;
  constexpr int kBuilds = 8;
  std::vector<std::thread> makers;
  for (int i = 0; i < kThreads; ++i) {
    makers.emplace_back([this] {
      for (int j = 0; j < kBuilds; ++j) CreateOne(OfRule(Supersede::kQueued));
    });
  }
  for (std::thread& maker : makers) maker.join();
  EXPECT_EQ(Sql("select count(*) from builds where state = 1"), "1");
  EXPECT_EQ(Sql("select count(*) from builds where state = 8"), absl::StrCat(kThreads * kBuilds - 1));
  EXPECT_EQ(Sql("select count(*) from builds where state = 1 and sequence = (select max(sequence) from builds)"), "1");
  EXPECT_EQ(Sql("select count(*) from builds older join builds newer on newer.id = older.superseded_by "
                "where newer.sequence <= older.sequence"),
            "0");
  EXPECT_EQ(Lane("p1"), "1/0");
  EXPECT_EQ(queue_->ReconcileLanes().value(), 0);
}

TEST_F(SharingTest, ARuleRunsAtMostAsManyBuildsAsItsLimit) {
  std::vector<std::string> ids;
  for (int i = 0; i < 4; ++i) ids.push_back(CreateOne(OfRule(Supersede::kNothing, 2)));
  const std::string free = Queue("p1");
  EXPECT_EQ(Lane("p1"), "3/0");
  const std::vector<ClaimedLease> first = {Claim(agent_, "ses_1").at(0), Claim(agent_, "ses_1").at(0),
                                           Claim(agent_, "ses_1").at(0)};
  EXPECT_EQ(first[0].build_id, ids[0]);
  EXPECT_EQ(first[1].build_id, ids[1]);
  // What has no limit goes past those that wait for their rule.
  EXPECT_EQ(first[2].build_id, free);
  EXPECT_TRUE(Claim(agent_, "ses_1").empty());
  EndWith(first[1], AttemptEnd::kFailedUser);
  EXPECT_EQ(Claim(agent_, "ses_1").at(0).build_id, ids[2]);
  EndWith(first[0], AttemptEnd::kSucceeded);
  EXPECT_EQ(Claim(agent_, "ses_1").at(0).build_id, ids[3]);
}

TEST_F(SharingTest, ABuildThatIsTriedAgainKeepsItsSlot) {
  const std::string first = CreateOne(OfRule(Supersede::kNothing, 1));
  const std::string second = CreateOne(OfRule(Supersede::kNothing, 1));
  EndWith(Claim(agent_, "ses_1").at(0), AttemptEnd::kFailedInfrastructure);
  EXPECT_TRUE(Claim(agent_, "ses_1").empty());
  EndDelays();
  ASSERT_TRUE(queue_->PromoteDue().ok());
  const ClaimedLease again = Claim(agent_, "ses_1").at(0);
  EXPECT_EQ(again.build_id, first);
  EndWith(again, AttemptEnd::kSucceeded);
  EXPECT_EQ(Claim(agent_, "ses_1").at(0).build_id, second);
}

TEST_F(SharingTest, WhatIsCancelledGivesItsSlotAway) {
  const std::string first = CreateOne(OfRule(Supersede::kNothing, 1));
  const std::string second = CreateOne(OfRule(Supersede::kNothing, 1));
  const std::string third = CreateOne(OfRule(Supersede::kNothing, 1));
  ASSERT_TRUE(builds_->Cancel("p1", second).ok());  // It waited for a slot.
  EXPECT_EQ(StateOf(second), BuildState::kCancelled);
  ASSERT_TRUE(builds_->Cancel("p1", first).ok());  // It had one, in the queue.
  EXPECT_EQ(Claim(agent_, "ses_1").at(0).build_id, third);
  EXPECT_EQ(Shared(), "1/1/0");
}

TEST_F(SharingTest, TheNewestBuildSaysHowManySlotsThereAre) {
  for (int i = 0; i < 4; ++i) CreateOne(OfRule(Supersede::kNothing, 1));
  EXPECT_EQ(Lane("p1"), "1/0");
  CreateOne(OfRule(Supersede::kNothing, 3));
  EXPECT_EQ(Lane("p1"), "3/0");
  EXPECT_EQ(Shared(), "5/3/2");
}

TEST_F(SharingTest, SupersededBuildsGiveTheirSlotsAwayToo) {
  CreateOne(OfRule(Supersede::kQueued, 1));
  CreateOne(OfRule(Supersede::kQueued, 1));
  const std::string newest = CreateOne(OfRule(Supersede::kQueued, 1));
  EXPECT_EQ(Shared(), "1/1/0");
  const ClaimedLease lease = Claim(agent_, "ses_1").at(0);
  EXPECT_EQ(lease.build_id, newest);
  EndWith(lease, AttemptEnd::kSucceeded);
  EXPECT_EQ(Shared(), "0/0/0");
}

TEST_F(SharingTest, AWaitForTheRulesLimitIsExplained) {
  CreateOne(OfRule(Supersede::kNothing, 1));
  CreateOne(OfRule(Supersede::kNothing, 1));
  const std::string last = CreateOne(OfRule(Supersede::kNothing, 1));
  const auto explanation = queue_->Explain("p1", last, absl::Minutes(1));
  ASSERT_TRUE(explanation.ok()) << explanation.status();
  EXPECT_EQ(explanation->reason, WaitReason::kRuleLimit);
  EXPECT_EQ(explanation->position, 2);
}

TEST_F(SharingTest, ALimitHoldsUnderManyMakersAndClaimers) {
  constexpr int kLimit = 2;
  constexpr int kBuilds = 24;
  std::thread maker([this] {
    for (int i = 0; i < kBuilds; ++i) CreateOne(OfRule(Supersede::kNothing, kLimit));
  });
  std::vector<std::thread> workers;
  std::atomic<int> done = 0;
  for (int i = 0; i < 3; ++i) {
    const std::string session = absl::StrCat("ses_w", i);
    workers.emplace_back([&, session, agent = Begin(absl::StrCat("worker", i), session)] {
      while (done < kBuilds) {
        for (const ClaimedLease& lease : Claim(agent, session)) {
          EXPECT_LE(std::stoi(Sql("select count(*) from build_leases")), kLimit);
          EndWith(lease, AttemptEnd::kFailedUser);
          ++done;
        }
      }
    });
  }
  maker.join();
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(Shared(), "0/0/0");
  EXPECT_EQ(Lane("p1"), "0/0");
}

TEST_F(SharingTest, ABuildIsTriedAgainAsOftenAsItsPolicySays) {
  NewBuild never = Describe("p1");
  never.infrastructure_retries = 0;
  const std::string once = CreateOne(never);
  EndWith(Claim(agent_, "ses_1").at(0), AttemptEnd::kLost);
  EXPECT_EQ(StateOf(once), BuildState::kFailed);

  NewBuild often = Describe("p1");
  often.infrastructure_retries = 4;
  const std::string stubborn = CreateOne(often);
  for (int i = 0; i < 4; ++i) {
    EndWith(Claim(agent_, "ses_1").at(0), AttemptEnd::kSessionReplaced);
    EXPECT_EQ(StateOf(stubborn), BuildState::kQueued);
  }
  EndWith(Claim(agent_, "ses_1").at(0), AttemptEnd::kSessionReplaced);
  EXPECT_EQ(StateOf(stubborn), BuildState::kFailed);
  EXPECT_EQ(Get(stubborn).attempts.size(), 5);
}

}  // namespace
}  // namespace davit::scheduler
