// Tests of build_state.h.
#include "services/scheduler/domain/build_state.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>

namespace davit::scheduler {
namespace {

using S = BuildState;

TEST(BuildStateTest, ExactlyTheDesignedTransitionsAreAllowed) {
  const std::set<std::pair<S, S>> designed = {
      {S::kHeld, S::kQueued},       {S::kHeld, S::kCancelled},       {S::kQueued, S::kRunning},
      {S::kQueued, S::kCancelled},  {S::kRunning, S::kQueued},       {S::kRunning, S::kPublishing},
      {S::kRunning, S::kFailed},    {S::kRunning, S::kCancelled},    {S::kRunning, S::kTimedOut},
      {S::kPublishing, S::kFailed}, {S::kPublishing, S::kSucceeded}, {S::kPublishing, S::kSuperseded},
      {S::kQueued, S::kSuperseded}, {S::kRunning, S::kSuperseded}};
  for (const S from : AllBuildStates()) {
    for (const S to : AllBuildStates()) {
      EXPECT_EQ(MayFollow(from, to), designed.contains({from, to}))
          << BuildStateName(from) << " → " << BuildStateName(to);
    }
  }
}

TEST(BuildStateTest, NothingFollowsATerminalState) {
  const std::set<S> terminal = {S::kSucceeded, S::kFailed, S::kCancelled, S::kTimedOut, S::kSuperseded};
  for (const S state : AllBuildStates())
    EXPECT_EQ(IsTerminal(state), terminal.contains(state)) << BuildStateName(state);
}

TEST(BuildStateTest, EveryStateHasAName) {
  std::set<absl::string_view> names;
  for (const S state : AllBuildStates()) names.insert(BuildStateName(state));
  EXPECT_EQ(names.size(), AllBuildStates().size());
  EXPECT_FALSE(names.contains("UNKNOWN"));
}

}  // namespace
}  // namespace davit::scheduler
