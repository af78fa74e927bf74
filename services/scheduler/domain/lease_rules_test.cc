// Tests of lease_rules.h.
#include "services/scheduler/domain/lease_rules.h"

#include <gtest/gtest.h>

namespace davit::scheduler {
namespace {

TEST(LeaseRulesTest, TheFirstSessionBegins) {
  EXPECT_EQ(DecideSession("", "ses_a", SessionStart::kStarts, false), SessionVerdict::kBegin);
}

TEST(LeaseRulesTest, TheCurrentSessionContinuesEvenWhenItRepeatsThatItStarts) {
  EXPECT_EQ(DecideSession("ses_a", "ses_a", SessionStart::kContinues, false), SessionVerdict::kContinue);
  EXPECT_EQ(DecideSession("ses_a", "ses_a", SessionStart::kStarts, false), SessionVerdict::kContinue);
}

TEST(LeaseRulesTest, ANewerSessionReplacesTheOlder) {
  EXPECT_EQ(DecideSession("ses_a", "ses_b", SessionStart::kStarts, false), SessionVerdict::kReplace);
}

TEST(LeaseRulesTest, AReplacedSessionCannotComeBackEvenWithALateStart) {
  EXPECT_EQ(DecideSession("ses_b", "ses_a", SessionStart::kStarts, true), SessionVerdict::kSuperseded);
  EXPECT_EQ(DecideSession("ses_b", "ses_a", SessionStart::kContinues, true), SessionVerdict::kSuperseded);
}

TEST(LeaseRulesTest, AForgottenSessionIsSuperseded) {
  EXPECT_EQ(DecideSession("ses_b", "ses_x", SessionStart::kContinues, false), SessionVerdict::kSuperseded);
  EXPECT_EQ(DecideSession("", "ses_x", SessionStart::kContinues, false), SessionVerdict::kSuperseded);
}

TEST(LeaseRulesTest, AStaleHolderIsToldTheFenceThatReplacedIt) {
  EXPECT_EQ(StaleLease(3, 7).message(), "lease superseded by fence 7");
  EXPECT_EQ(StaleLease(7, 7).message(), "lease has ended");
  EXPECT_EQ(StaleLease(7, 7).code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace davit::scheduler
