// Tests of sessions, leases, retries, cancellation and time limits, on a real PostgreSQL.
#include "services/scheduler/store/store_fixture.h"

namespace davit::scheduler {
namespace {

class LeaseTest : public StoreFixture {
 protected:
  // Queues a build of project "a" and gives it to agent "one" in session "ses_1".
  ClaimedLease RunOne() {
    Queue("a");
    agent_ = Begin("one", "ses_1");
    const auto leases = Claim(agent_, "ses_1");
    EXPECT_EQ(leases.size(), 1);
    return leases.at(0);
  }

  absl::StatusOr<SessionOutcome> Report(AttemptReport ended) {
    SessionReport report = Continue("one", "ses_1");
    report.ended.push_back(std::move(ended));
    return leases_->Synchronize(report);
  }

  std::string agent_;
};

TEST_F(LeaseTest, ASuccessIsPublishedOnceAndItsGrantEnds) {
  const ClaimedLease lease = RunOne();
  AttemptReport success = Ended(lease, AttemptEnd::kSucceeded);
  success.log_expected = 0;
  const auto outcome = Report(success);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  ASSERT_EQ(outcome->ended.size(), 1);
  EXPECT_EQ(outcome->ended[0].state, BuildState::kPublishing);
  EXPECT_TRUE(Report(success)->ended.empty());
  EXPECT_TRUE(leases_->Leases(agent_, "ses_1").value().empty());
  const BuildRecord build = Get(lease.build_id);
  EXPECT_EQ(build.state, BuildState::kPublishing);
  EXPECT_EQ(build.digest, success.digest);
  EXPECT_EQ(build.attempts[0].outcome, AttemptOutcome::kSucceeded);
  EXPECT_EQ(Lane("a"), "0/0");
  const auto revocations = revocations_->Take(10, absl::Minutes(1));
  ASSERT_TRUE(revocations.ok()) << revocations.status();
  ASSERT_EQ(revocations->size(), 1);
  EXPECT_EQ(revocations->at(0).fence, lease.fence);
  EXPECT_TRUE(revocations_->Take(10, absl::Minutes(1))->empty());
  EXPECT_TRUE(revocations_->Postpone(revocations->at(0), absl::ZeroDuration()).ok());
  EXPECT_EQ(revocations_->Take(10, absl::Minutes(1))->at(0).attempts, 2);
  EXPECT_TRUE(revocations_->Finish(revocations->at(0)).ok());
  EXPECT_EQ(builds_->Cancel("a", lease.build_id).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(LeaseTest, AUsersFailureEndsTheBuild) {
  const ClaimedLease lease = RunOne();
  AttemptReport failure = Ended(lease, AttemptEnd::kFailedUser);
  failure.message = "step 3 exited 42";
  ASSERT_TRUE(Report(failure).ok());
  const BuildRecord build = Get(lease.build_id);
  EXPECT_EQ(build.state, BuildState::kFailed);
  EXPECT_EQ(build.failure.failure_class, FailureClass::kUser);
  EXPECT_EQ(build.failure.message, "step 3 exited 42");
  EXPECT_TRUE(build.end_time.has_value());
}

TEST_F(LeaseTest, RenewalsExtendWhatIsHeldAndPassOverWhatIsNot) {
  const ClaimedLease lease = RunOne();
  Sql("update build_leases set expires_at = now() + interval '1 second'");
  SessionReport report = Continue("one", "ses_1");
  report.held = {{lease.build_id, lease.fence, BuildPhase::kBuilding},
                 {lease.build_id, lease.fence - 1, BuildPhase::kNone}};
  const auto outcome = leases_->Synchronize(report);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(outcome->renewed, 1);
  EXPECT_EQ(outcome->changed, std::vector<std::string>{lease.build_id});
  EXPECT_EQ(Sql("select expires_at > now() + interval '20 seconds' from build_leases"), "t");
  EXPECT_EQ(Get(lease.build_id).phase, BuildPhase::kBuilding);
  EXPECT_TRUE(leases_->Synchronize(report)->changed.empty());
}

TEST_F(LeaseTest, RenewalsStayOffTheIndexes) {
  const ClaimedLease lease = RunOne();
  SessionReport report = Continue("one", "ses_1");
  report.held = {{lease.build_id, lease.fence, BuildPhase::kNone}};
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(leases_->Synchronize(report).ok());
  Sql("select pg_stat_force_next_flush()");
  pool_.reset();  // Ends the backends, which flushes their statistics.
  std::string hot;
  for (int i = 0; i < 1000 && hot != "t"; ++i) {
    hot =
        Sql("select n_tup_upd >= 20 and n_tup_hot_upd >= n_tup_upd - 1 from pg_stat_all_tables "
            "where schemaname = 'scheduler' and relname = 'build_leases'");
  }
  EXPECT_EQ(hot, "t");
}

TEST_F(LeaseTest, AnExpiredLeaseIsDeadBeforeItIsReaped) {
  const ClaimedLease lease = RunOne();
  ExpireLeases();
  SessionReport report = Continue("one", "ses_1");
  report.held = {{lease.build_id, lease.fence, BuildPhase::kBuilding}};
  EXPECT_EQ(leases_->Synchronize(report)->renewed, 0);
  EXPECT_TRUE(Report(Ended(lease, AttemptEnd::kSucceeded))->ended.empty());
  EXPECT_TRUE(leases_->Leases(agent_, "ses_1").value().empty());
  EXPECT_EQ(leases_->Check("a", lease.build_id, lease.fence).message(), "lease has ended");
}

TEST_F(LeaseTest, ALostBuildIsTriedAgainWithALargerFenceAndTheOldHolderIsToldSo) {
  const ClaimedLease lost = RunOne();
  ExpireLeases();
  const auto reaped = leases_->ReapDead();
  ASSERT_TRUE(reaped.ok()) << reaped.status();
  ASSERT_EQ(reaped->size(), 1);
  EXPECT_EQ(reaped->at(0).state, BuildState::kQueued);
  EXPECT_TRUE(leases_->ReapDead()->empty());
  EXPECT_EQ(Lane("a"), "0/0");
  EXPECT_EQ(queue_->Explain("a", lost.build_id, absl::Minutes(1)).value().reason, WaitReason::kBackoff);
  EXPECT_EQ(queue_->PromoteDue().value(), 0);
  EndDelays();
  EXPECT_EQ(queue_->PromoteDue().value(), 1);
  EXPECT_EQ(Lane("a"), "1/0");

  const auto again = Claim(Begin("two", "ses_2"), "ses_2");
  ASSERT_EQ(again.size(), 1);
  EXPECT_GT(again[0].fence, lost.fence);
  const absl::Status stale = leases_->End(Ended(lost, AttemptEnd::kSucceeded)).status();
  EXPECT_EQ(stale.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(stale.message(), absl::StrCat("lease superseded by fence ", again[0].fence));
  EXPECT_EQ(logs_->Append(kEveryProject, lost.build_id, lost.fence, 0, "x").status().message(), stale.message());
  EXPECT_TRUE(Report(Ended(lost, AttemptEnd::kSucceeded))->ended.empty());
  const BuildRecord build = Get(lost.build_id);
  EXPECT_EQ(build.state, BuildState::kRunning);
  ASSERT_EQ(build.attempts.size(), 2);
  EXPECT_EQ(build.attempts[0].outcome, AttemptOutcome::kLost);
}

TEST_F(LeaseTest, AfterTheLastAttemptALostBuildFails) {
  const ClaimedLease first = RunOne();
  for (int attempt = 1; attempt <= 3; ++attempt) {
    ExpireLeases();
    ASSERT_EQ(leases_->ReapDead()->size(), 1) << attempt;
    EndDelays();
    ASSERT_TRUE(queue_->PromoteDue().ok());
    ASSERT_EQ(Claim(agent_, "ses_1").size(), attempt < 3 ? 1 : 0) << attempt;
  }
  const BuildRecord build = Get(first.build_id);
  EXPECT_EQ(build.state, BuildState::kFailed);
  EXPECT_EQ(build.failure.failure_class, FailureClass::kInfrastructure);
  EXPECT_EQ(build.attempts.size(), 3);
  EXPECT_EQ(Lane("a"), "0/0");
}

TEST_F(LeaseTest, ANewerSessionTakesOverAndTheOlderMayNotComeBack) {
  const ClaimedLease lease = RunOne();
  SessionReport next = Continue("one", "ses_2");
  next.start = SessionStart::kStarts;
  const auto outcome = leases_->Synchronize(next);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(outcome->agent_id, agent_);
  EXPECT_EQ(outcome->replaced_session, "ses_1");
  ASSERT_EQ(outcome->ended.size(), 1);
  EXPECT_EQ(outcome->ended[0].state, BuildState::kQueued);
  EXPECT_EQ(Lane("a"), "1/0");
  for (const SessionStart start : {SessionStart::kStarts, SessionStart::kContinues}) {
    SessionReport old = Continue("one", "ses_1");
    old.start = start;
    const absl::Status status = leases_->Synchronize(old).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(status.message(), "session superseded");
  }
  EXPECT_EQ(leases_->Leases(agent_, "ses_1").status().message(), "session superseded");
  const auto again = Claim(agent_, "ses_2");
  ASSERT_EQ(again.size(), 1);
  EXPECT_EQ(again[0].build_id, lease.build_id);
}

TEST_F(LeaseTest, ACancelledBuildEndsWhenItsAgentSaysSo) {
  const ClaimedLease lease = RunOne();
  const auto asked = builds_->Cancel("a", lease.build_id);
  ASSERT_TRUE(asked.ok()) << asked.status();
  EXPECT_EQ(asked->state, BuildState::kRunning);
  EXPECT_TRUE(asked->cancel_requested);
  const auto held = leases_->Leases(agent_, "ses_1");
  ASSERT_EQ(held->size(), 1);
  EXPECT_EQ(held->at(0).desired, Desired::kCancel);
  ASSERT_TRUE(Report(Ended(lease, AttemptEnd::kCancelled)).ok());
  EXPECT_EQ(Get(lease.build_id).state, BuildState::kCancelled);
}

TEST_F(LeaseTest, ACancelledBuildWhoseAgentIsLostIsNotTriedAgain) {
  const ClaimedLease lease = RunOne();
  ASSERT_TRUE(builds_->Cancel("a", lease.build_id).ok());
  ExpireLeases();
  EXPECT_EQ(leases_->ReapDead()->at(0).state, BuildState::kCancelled);
}

TEST_F(LeaseTest, ADelayedBuildIsCancelledAtOnce) {
  const ClaimedLease lease = RunOne();
  ExpireLeases();
  ASSERT_EQ(leases_->ReapDead()->size(), 1);
  EXPECT_EQ(builds_->Cancel("a", lease.build_id)->state, BuildState::kCancelled);
  EndDelays();
  EXPECT_EQ(queue_->PromoteDue().value(), 0);
}

TEST_F(LeaseTest, ABuildOverItsTimeLimitIsEndedEvenIfItsAgentGoesOn) {
  const ClaimedLease lease = RunOne();
  Sql("update build_leases set deadline_at = now() - interval '1 second'");
  EXPECT_EQ(leases_->ReapDead()->at(0).state, BuildState::kTimedOut);
  const BuildRecord build = Get(lease.build_id);
  EXPECT_EQ(build.failure.message, "timed out after 1h");
  EXPECT_EQ(build.failure.failure_class, FailureClass::kUser);
}

TEST_F(LeaseTest, ALeaseThatNeverLeftIsForgottenWithItsAttempt) {
  const ClaimedLease lease = RunOne();
  const auto ended = leases_->End(Ended(lease, AttemptEnd::kNotStarted));
  ASSERT_TRUE(ended.ok()) << ended.status();
  EXPECT_EQ(ended->state, BuildState::kQueued);
  EXPECT_TRUE(Get(lease.build_id).attempts.empty());
  EndDelays();
  ASSERT_EQ(queue_->PromoteDue().value(), 1);
  ASSERT_EQ(Claim(agent_, "ses_1").size(), 1);
  EXPECT_EQ(Get(lease.build_id).attempts.at(0).number, 1);
}

TEST_F(LeaseTest, ABuildThatIsGivenBackDoesNotCount) {
  ClaimedLease lease = RunOne();
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(Report(Ended(lease, AttemptEnd::kReturned))->ended.size(), 1);
    const auto again = Claim(agent_, "ses_1");
    ASSERT_EQ(again.size(), 1);
    lease = again[0];
  }
  EXPECT_EQ(Get(lease.build_id).state, BuildState::kRunning);
}

TEST_F(LeaseTest, GrantedLeasesAreMarked) {
  RunOne();
  const auto held = leases_->Leases(agent_, "ses_1");
  ASSERT_TRUE(held.ok()) << held.status();
  EXPECT_FALSE(held->at(0).granted);
  EXPECT_EQ(held->at(0).spec, "spec");
  EXPECT_GT(held->at(0).remaining, absl::Minutes(60));
  ASSERT_TRUE(leases_->MarkGranted(*held).ok());
  EXPECT_TRUE(leases_->Leases(agent_, "ses_1")->at(0).granted);
}

TEST_F(LeaseTest, AgentsAreListedWithTheBuildsThatTheCallerMaySee) {
  const ClaimedLease lease = RunOne();
  const auto own = agents_->List("a", "", 10);
  ASSERT_TRUE(own.ok()) << own.status();
  ASSERT_EQ(own->size(), 1);
  EXPECT_EQ(own->at(0).build_ids, std::vector<std::string>{lease.build_id});
  EXPECT_TRUE(own->at(0).present);
  EXPECT_TRUE(agents_->List("b", "", 10)->at(0).build_ids.empty());
  EXPECT_TRUE(agents_->List("a", "one", 10)->empty());
  EXPECT_TRUE(agents_->SetDrain("a", agent_, DrainWish::kDrain)->draining);
  EXPECT_EQ(agents_->SetDrain("a", "agt_gone", DrainWish::kDrain).status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(leases_->ForgetSessions().ok());
}

}  // namespace
}  // namespace davit::scheduler
