// Tests of the queue: making builds, claiming, limits, delays, cancelling, on a real PostgreSQL.
#include <set>

#include "services/scheduler/store/store_fixture.h"

namespace davit::scheduler {
namespace {

class QueueTest : public StoreFixture {};

TEST_F(QueueTest, ARepeatedRequestGivesTheFirstBuildAgain) {
  NewBuild build = Describe("p1");
  build.request_id = "req";
  const auto first = builds_->Create(build);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_FALSE(first->duplicate);
  NewBuild again = Describe("p1");
  again.request_id = "req";
  const auto second = builds_->Create(again);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_TRUE(second->duplicate);
  EXPECT_EQ(second->build.id, build.id);
  EXPECT_EQ(Lane("p1"), "1/0");

  NewBuild other = Describe("p1");
  other.request_id = "req";
  other.request_digest = "something else";
  EXPECT_EQ(builds_->Create(other).status().code(), absl::StatusCode::kAlreadyExists);
  NewBuild foreign = Describe("p2");
  foreign.request_id = "req";
  EXPECT_FALSE(builds_->Create(foreign).value().duplicate);
}

TEST_F(QueueTest, BuildsOfOtherProjectsAreNotFound) {
  const std::string id = Queue("p1");
  EXPECT_EQ(builds_->Get("p2", id, BuildDetail::kBrief).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(builds_->Cancel("p2", id).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(logs_->State("p2", id, 0).status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(builds_->List("p2", {}).value().empty());
}

TEST_F(QueueTest, ListsNewestFirstInPagesWithFilters) {
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(Queue("p1"));
  BuildFilter filter;
  filter.limit = 2;
  const auto page = builds_->List("p1", filter);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->size(), 2);
  EXPECT_EQ(page->at(0).id, ids[2]);
  filter.before_sequence = page->at(1).sequence;
  EXPECT_EQ(builds_->List("p1", filter).value().at(0).id, ids[0]);
  filter = {};
  filter.states = {BuildState::kRunning};
  EXPECT_TRUE(builds_->List("p1", filter).value().empty());
  filter.states = {BuildState::kQueued, BuildState::kRunning};
  EXPECT_EQ(builds_->List("p1", filter).value().size(), 3);
}

TEST_F(QueueTest, AClaimTakesTheOldestOfEachProjectWithGrowingFences) {
  const std::string a1 = Queue("a");
  const std::string a2 = Queue("a");
  const std::string b1 = Queue("b");
  const std::string agent = Begin("one", "ses_1");
  const auto first = Claim(agent, "ses_1", 4);
  ASSERT_EQ(first.size(), 2);
  EXPECT_EQ((std::set<std::string>{first[0].build_id, first[1].build_id}), (std::set<std::string>{a1, b1}));
  const auto second = Claim(agent, "ses_1", 4);
  ASSERT_EQ(second.size(), 1);
  EXPECT_EQ(second[0].build_id, a2);
  EXPECT_GT(second[0].fence, std::max(first[0].fence, first[1].fence));
  EXPECT_EQ(Lane("a"), "0/2");
  const BuildRecord build = Get(a1);
  EXPECT_EQ(build.state, BuildState::kRunning);
  ASSERT_EQ(build.attempts.size(), 1);
  EXPECT_EQ(build.attempts[0].agent_name, "one");
  EXPECT_TRUE(build.start_time.has_value());
  ASSERT_EQ(build.transitions.size(), 2);
  EXPECT_EQ(build.transitions[1].state, BuildState::kRunning);
}

TEST_F(QueueTest, AProjectRunsAtMostAsManyBuildsAsItMay) {
  Sql("insert into project_limits (project, max_running) values ('a', 1)");
  Queue("a");
  const std::string waiting = Queue("a");
  const std::string agent = Begin("one", "ses_1");
  EXPECT_EQ(Claim(agent, "ses_1", 4).size(), 1);
  EXPECT_TRUE(Claim(agent, "ses_1", 4).empty());
  const auto explanation = queue_->Explain("a", waiting, absl::Minutes(1));
  ASSERT_TRUE(explanation.ok()) << explanation.status();
  EXPECT_EQ(explanation->reason, WaitReason::kProjectLimit);
  EXPECT_EQ(explanation->position, 1);
}

TEST_F(QueueTest, AnAgentOfOneProjectGetsOnlyItsBuilds) {
  Queue("a");
  const std::string own = Queue("b");
  const std::string agent = Begin("one", "ses_1");
  const auto leases = queue_->Claim(kDefaultPool, "b", {{agent, "ses_1"}, {agent, "ses_1"}});
  ASSERT_TRUE(leases.ok()) << leases.status();
  ASSERT_EQ(leases->size(), 1);
  EXPECT_EQ(leases->at(0).build_id, own);
}

TEST_F(QueueTest, ADrainedAgentAndAReplacedSessionGetNothing) {
  Queue("a");
  const std::string agent = Begin("one", "ses_1");
  ASSERT_TRUE(agents_->SetDrain(kEveryProject, agent, DrainWish::kDrain).ok());
  EXPECT_TRUE(Claim(agent, "ses_1").empty());
  ASSERT_TRUE(agents_->SetDrain(kEveryProject, agent, DrainWish::kUndrain).ok());
  EXPECT_TRUE(Claim(agent, "ses_0").empty());
  EXPECT_EQ(Claim(agent, "ses_1").size(), 1);
}

TEST_F(QueueTest, ExplainsThatNoAgentIsThere) {
  const std::string id = Queue("a");
  EXPECT_EQ(queue_->Explain("a", id, absl::Minutes(1)).value().reason, WaitReason::kNoAgent);
  Begin("one", "ses_1");
  Queue("a");
  EXPECT_EQ(queue_->Explain("a", id, absl::Minutes(1)).value().reason, WaitReason::kWaitingForSlot);
  EXPECT_EQ(queue_->Explain("b", id, absl::Minutes(1)).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(QueueTest, AQueuedBuildIsCancelledAtOnceAndStaysCancelled) {
  const std::string id = Queue("a");
  const auto cancelled = builds_->Cancel("a", id);
  ASSERT_TRUE(cancelled.ok()) << cancelled.status();
  EXPECT_EQ(cancelled->state, BuildState::kCancelled);
  EXPECT_EQ(Lane("a"), "0/0");
  EXPECT_TRUE(builds_->Cancel("a", id).ok());
  EXPECT_TRUE(Claim(Begin("one", "ses_1"), "ses_1").empty());
  EXPECT_EQ(queue_->Explain("a", id, absl::Minutes(1)).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(QueueTest, LaneCountersAreSetRightWhenTheyAreWrong) {
  Queue("a");
  Queue("a");
  Claim(Begin("one", "ses_1"), "ses_1");
  Sql("update queue_lanes set queued = 17, running = 5");
  EXPECT_EQ(queue_->ReconcileLanes().value(), 1);
  EXPECT_EQ(Lane("a"), "1/1");
  EXPECT_EQ(queue_->ReconcileLanes().value(), 0);
  Sql("insert into project_limits (project, max_running, weight) values ('a', 3, 2)");
  EXPECT_EQ(queue_->ReconcileLanes().value(), 0);
  EXPECT_EQ(Sql("select max_running || '/' || weight from queue_lanes"), "3/2");
}

TEST_F(QueueTest, DepthsCountWhatWaitsAndRuns) {
  Queue("a");
  Queue("b");
  Claim(Begin("one", "ses_1"), "ses_1");
  const auto depths = queue_->Depths();
  ASSERT_TRUE(depths.ok()) << depths.status();
  ASSERT_EQ(depths->size(), 1);
  EXPECT_EQ(depths->at(0).queued, 1);
  EXPECT_EQ(depths->at(0).running, 1);
}

TEST_F(QueueTest, VersionsTellHowFarBuildsAre) {
  const std::string id = Queue("a");
  const auto before = builds_->Versions({id, "bld_gone"});
  ASSERT_TRUE(before.ok()) << before.status();
  ASSERT_EQ(before->size(), 1);
  Claim(Begin("one", "ses_1"), "ses_1");
  EXPECT_GT(builds_->Versions({id}).value()[0].revision, before->at(0).revision);
}

}  // namespace
}  // namespace davit::scheduler
