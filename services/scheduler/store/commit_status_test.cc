// Tests of the outbox of commit statuses, on a real PostgreSQL.
#include <vector>

#include "services/scheduler/store/commit_status_store.h"
#include "services/scheduler/store/store_fixture.h"

namespace davit::scheduler {
namespace {

class CommitStatusTest : public StoreFixture {
 protected:
  // Makes a build of a commit, for the rule "main" unless `rule` is empty.
  std::string QueueCommit(const std::string& commit = "0123456789012345678901234567890123456789",
                          const std::string& rule = "rul_1") {
    NewBuild build = Describe("a");
    build.connection_id = "con_1";
    build.repository = "team/app";
    build.ref = "refs/heads/main";
    build.commit = commit;
    build.rule_id = rule;
    build.requested_by = rule.empty() ? "ann" : "rule main";
    build.image_repository = "registry.example.com:5000/team/app";
    EXPECT_TRUE(builds_->Create(build).ok());
    return build.id;
  }

  CommitMark MustTake() {
    const auto mark = marks_->Take(absl::Minutes(1));
    EXPECT_TRUE(mark.ok()) << mark.status();
    EXPECT_TRUE(mark->has_value());
    return mark->value_or(CommitMark());
  }

  bool NothingIsDue() { return !marks_->Take(absl::Minutes(1))->has_value(); }

  void LetDelaysEnd() { Sql("update commit_statuses set due_at = now() where due_at is not null"); }

  const std::unique_ptr<CommitStatusStore> marks_ = NewPostgresCommitStatusStore(*pool_);
};

TEST_F(CommitStatusTest, AQueuedBuildMarksItsCommitUnderTheRulesName) {
  const std::string id = QueueCommit();
  const CommitMark mark = MustTake();
  EXPECT_EQ(mark.build_id, id);
  EXPECT_EQ(mark.project, "a");
  EXPECT_EQ(mark.connection_id, "con_1");
  EXPECT_EQ(mark.repository, "team/app");
  EXPECT_EQ(mark.ref, "refs/heads/main");
  EXPECT_EQ(mark.context, "davit/main");
  EXPECT_EQ(mark.state, BuildState::kQueued);
  EXPECT_EQ(mark.attempts, 1);
  ASSERT_TRUE(marks_->Finish(mark, "").ok());
  EXPECT_TRUE(NothingIsDue());
}

TEST_F(CommitStatusTest, WithoutARuleTheImageNamesTheContext) {
  QueueCommit("0123456789012345678901234567890123456789", "");
  EXPECT_EQ(MustTake().context, "davit/team/app");
}

TEST_F(CommitStatusTest, AnUploadMarksNothing) {
  NewBuild build = Describe("a");
  build.connection_id.clear();
  build.repository.clear();
  build.commit.clear();
  ASSERT_TRUE(builds_->Create(build).ok());
  EXPECT_TRUE(NothingIsDue());
}

TEST_F(CommitStatusTest, WhatIsOlderAndWaitsIsDropped) {
  const std::string id = QueueCommit();
  const std::string agent = Begin("one", "ses_1");
  const auto leases = Claim(agent, "ses_1");
  ASSERT_EQ(leases.size(), 1);
  ASSERT_TRUE(leases_->End(Ended(leases[0], AttemptEnd::kFailedUser)).ok());
  const CommitMark mark = MustTake();
  EXPECT_EQ(mark.state, BuildState::kFailed);
  ASSERT_TRUE(marks_->Finish(mark, "").ok());
  EXPECT_TRUE(NothingIsDue());
}

TEST_F(CommitStatusTest, ANewerStateWaitsUntilTheOlderOneIsTold) {
  const std::string id = QueueCommit();
  const CommitMark queued = MustTake();
  Claim(Begin("one", "ses_1"), "ses_1");
  EXPECT_TRUE(NothingIsDue());
  ASSERT_TRUE(marks_->Finish(queued, "").ok());
  const CommitMark running = MustTake();
  EXPECT_EQ(running.state, BuildState::kRunning);
  EXPECT_EQ(running.attempts, 1);
}

TEST_F(CommitStatusTest, AnOlderBuildOfTheCommitDoesNotShowAgain) {
  const std::string older = QueueCommit();
  const std::string newer = QueueCommit();
  ASSERT_TRUE(builds_->Cancel("a", older).ok());
  const CommitMark mark = MustTake();
  EXPECT_EQ(mark.build_id, newer);
  EXPECT_EQ(mark.state, BuildState::kQueued);
  ASSERT_TRUE(marks_->Finish(mark, "").ok());
  EXPECT_TRUE(NothingIsDue());
}

TEST_F(CommitStatusTest, WhoeverDiesHoldingAMarkLosesIt) {
  QueueCommit();
  MustTake();
  EXPECT_TRUE(NothingIsDue());
  Sql("update commit_statuses set held_until = now() - interval '1 second'");
  EXPECT_EQ(MustTake().attempts, 2);
}

TEST_F(CommitStatusTest, APostponedMarkKeepsNewerStatesWaiting) {
  QueueCommit();
  ASSERT_TRUE(marks_->Postpone(MustTake(), absl::Minutes(5)).ok());
  Claim(Begin("one", "ses_1"), "ses_1");
  EXPECT_TRUE(NothingIsDue());
  LetDelaysEnd();
  EXPECT_EQ(MustTake().state, BuildState::kRunning);
}

TEST_F(CommitStatusTest, ALimitHoldsBackTheWholeConnection) {
  QueueCommit("1111111111111111111111111111111111111111");
  QueueCommit("2222222222222222222222222222222222222222");
  ASSERT_TRUE(marks_->PostponeConnection(MustTake(), absl::Minutes(5)).ok());
  EXPECT_TRUE(NothingIsDue());
  LetDelaysEnd();
  MustTake();
  MustTake();
  EXPECT_TRUE(NothingIsDue());
}

TEST_F(CommitStatusTest, ARefusalIsNotedInTheBuildsHistory) {
  const std::string id = QueueCommit();
  const int64_t revision = Get(id).revision;
  ASSERT_TRUE(marks_->Finish(MustTake(), "commit status not set: no").ok());
  const auto build = builds_->Get("a", id, BuildDetail::kFull);
  ASSERT_TRUE(build.ok()) << build.status();
  EXPECT_EQ(build->revision, revision + 1);
  ASSERT_EQ(build->transitions.size(), 2);
  EXPECT_EQ(build->transitions[1].state, BuildState::kQueued);
  EXPECT_EQ(build->transitions[1].detail, "commit status not set: no");
  EXPECT_TRUE(NothingIsDue());
}

TEST_F(CommitStatusTest, WhatWasToldLongAgoIsForgotten) {
  QueueCommit("1111111111111111111111111111111111111111");
  ASSERT_TRUE(marks_->Finish(MustTake(), "").ok());
  QueueCommit("2222222222222222222222222222222222222222");
  Sql("update commit_statuses set changed_at = now() - interval '40 days'");
  QueueCommit("3333333333333333333333333333333333333333");
  EXPECT_EQ(marks_->DeleteOld(absl::Hours(24 * 50)).value(), 0);
  EXPECT_EQ(marks_->DeleteOld(absl::Hours(24 * 30)).value(), 1);
  EXPECT_EQ(Sql("select count(*) from commit_statuses where commit_id like '1%'"), "0");
  EXPECT_EQ(Sql("select count(*) from commit_statuses"), "2") << "what was not told yet is kept, however old";
}

TEST_F(CommitStatusTest, BuildsOfOneCommitMayBeClaimedTogether) {
  NewBuild build = Describe("b");
  build.connection_id = "con_1";
  build.repository = "team/app";
  build.commit = "0123456789012345678901234567890123456789";
  ASSERT_TRUE(builds_->Create(build).ok());
  QueueCommit();
  EXPECT_EQ(Claim(Begin("one", "ses_1"), "ses_1", 2).size(), 2);
  EXPECT_EQ(MustTake().state, BuildState::kRunning);
  EXPECT_EQ(MustTake().state, BuildState::kRunning);
}

}  // namespace
}  // namespace davit::scheduler
