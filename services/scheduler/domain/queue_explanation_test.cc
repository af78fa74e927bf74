// Tests of queue_explanation.h.
#include "services/scheduler/domain/queue_explanation.h"

#include <gtest/gtest.h>

namespace davit::scheduler {
namespace {

TEST(QueueExplanationTest, ABackoffNamesItsTime) {
  const QueueExplanation explanation =
      ExplainWait({.ready_agents = 1, .not_before = absl::FromUnixSeconds(1000), .failures = 2});
  EXPECT_EQ(explanation.reason, WaitReason::kBackoff);
  EXPECT_EQ(explanation.detail, "tried again after 2 infrastructure failure(s), not before 1970-01-01T00:16:40+00:00");
}

TEST(QueueExplanationTest, WithoutAgentsNothingElseMatters) {
  EXPECT_EQ(ExplainWait({.running = 5, .max_running = 5}).reason, WaitReason::kNoAgent);
}

TEST(QueueExplanationTest, ALimitIsGivenWithItsNumbers) {
  const QueueExplanation explanation = ExplainWait({.ahead = 3, .running = 5, .max_running = 5, .ready_agents = 1});
  EXPECT_EQ(explanation.reason, WaitReason::kProjectLimit);
  EXPECT_EQ(explanation.detail, "the project runs 5 of at most 5 builds at a time");
  EXPECT_EQ(explanation.position, 4);
}

TEST(QueueExplanationTest, ARulesLimitComesBeforeThoseOfTheProjectAndTheAgents) {
  const QueueExplanation explanation =
      ExplainWait({.ahead = 2, .running = 5, .max_running = 5, .rule_running = 1, .rule_max_running = 1});
  EXPECT_EQ(explanation.reason, WaitReason::kRuleLimit);
  EXPECT_EQ(explanation.detail, "the rule has 1 of at most 1 builds at a time; position 3 of those that wait");
}

TEST(QueueExplanationTest, ElseTheSlotsAreTaken) {
  const QueueExplanation explanation =
      ExplainWait({.ahead = 1, .running = 1, .max_running = 5, .ready_agents = 2, .leases = 4});
  EXPECT_EQ(explanation.reason, WaitReason::kWaitingForSlot);
  EXPECT_EQ(explanation.detail, "2 agent(s) run 4 build(s) and have 0 free slot(s); position 2 in the project");
}

}  // namespace
}  // namespace davit::scheduler
