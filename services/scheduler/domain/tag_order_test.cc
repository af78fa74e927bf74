// Tests of tag_order.h.
#include "services/scheduler/domain/tag_order.h"

#include <gtest/gtest.h>

namespace davit::scheduler {
namespace {

TEST(TagOrderTest, ATagNeverMovesToAnOlderBuild) {
  EXPECT_EQ(DecideTag(5, 0), TagOutcome::kSet);
  EXPECT_EQ(DecideTag(5, 4), TagOutcome::kSet);
  EXPECT_EQ(DecideTag(5, 5), TagOutcome::kSet);
  EXPECT_EQ(DecideTag(5, 6), TagOutcome::kNewerOwnsIt);
}

TEST(TagOrderTest, ABuildIsSupersededOnlyWhenNewerBuildsOwnAllOfItsTags) {
  EXPECT_EQ(EndOfPublishing({}), BuildState::kSucceeded);
  EXPECT_EQ(EndOfPublishing({TagOutcome::kSet, TagOutcome::kNewerOwnsIt}), BuildState::kSucceeded);
  EXPECT_EQ(EndOfPublishing({TagOutcome::kNewerOwnsIt, TagOutcome::kNewerOwnsIt}), BuildState::kSuperseded);
}

}  // namespace
}  // namespace davit::scheduler
