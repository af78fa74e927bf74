// Tests of libs/buildkit/context_walk.h and context_source.h.
#include "libs/buildkit/context_walk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "libs/buildkit/testing/memory_context.h"

namespace davit::buildkit {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Paths(const ContextSource& source, const ContextPatterns& patterns) {
  const auto entries = SelectEntries(source, patterns);
  EXPECT_TRUE(entries.ok()) << entries.status();
  std::vector<std::string> paths;
  if (entries.ok()) {
    for (const ContextEntry& entry : *entries) paths.push_back(entry.path);
  }
  return paths;
}

ContextPatterns Following(std::vector<std::string> follow, std::vector<std::string> exclude = {}) {
  return ContextPatterns{{}, std::move(exclude), std::move(follow)};
}

MemoryContext Sample() {
  MemoryContext context;
  context.AddFile("Dockerfile", "FROM scratch")
      .AddFile("a/x.txt", "1")
      .AddFile("a/y.md", "2")
      .AddFile("a-b", "3")
      .AddFile("node/deep/keep", "4")
      .AddFile("node/deep/drop", "5")
      .AddLink("current", "releases/2")
      .AddFile("releases/1/app", "6")
      .AddFile("releases/2/app", "7");
  return context;
}

TEST(SelectEntriesTest, WithoutPatternsEverythingComesInPathOrder) {
  EXPECT_THAT(Paths(Sample(), {}), ElementsAre("Dockerfile", "a", "a/x.txt", "a/y.md", "a-b", "current", "node",
                                               "node/deep", "node/deep/drop", "node/deep/keep", "releases",
                                               "releases/1", "releases/1/app", "releases/2", "releases/2/app"));
}

TEST(SelectEntriesTest, AFollowedPathBringsItsParentsAndWhatIsBelow) {
  EXPECT_THAT(Paths(Sample(), Following({"node/deep/keep", "a"})),
              ElementsAre("a", "a/x.txt", "a/y.md", "node", "node/deep", "node/deep/keep"));
}

TEST(SelectEntriesTest, AFollowedLinkBringsItsTarget) {
  EXPECT_THAT(Paths(Sample(), Following({"current/app"})),
              ElementsAre("current", "releases", "releases/2", "releases/2/app"));
}

TEST(SelectEntriesTest, AFollowedRootLeavesNothingOutButWhatIsExcluded) {
  EXPECT_THAT(Paths(Sample(), Following({"/"}, {"releases", "node/deep", "!node/deep/keep", "**/*.md"})),
              ElementsAre("Dockerfile", "a", "a/x.txt", "a-b", "current", "node", "node/deep", "node/deep/keep"));
}

TEST(SelectEntriesTest, AWildcardIsFollowedAmongTheNamesOfItsDirectory) {
  EXPECT_THAT(Paths(Sample(), Following({"a/*.md", "cur*"})),
              ElementsAre("a", "a/y.md", "current", "releases", "releases/2", "releases/2/app"));
}

TEST(SelectEntriesTest, AnAbsentPathSelectsNothing) {
  EXPECT_THAT(Paths(Sample(), Following({"nothing"})), ElementsAre());
}

TEST(FollowLinksTest, ALinkThatClimbsOutEndsAtTheRootOfTheContext) {
  MemoryContext context;
  context.AddLink("out", "../../../etc/passwd").AddFile("etc/passwd", "ours");
  EXPECT_THAT(*FollowLinks(context, {"out"}), ElementsAre("etc/passwd", "out"));
}

TEST(FollowLinksTest, ALoopOfLinksEnds) {
  MemoryContext context;
  context.AddLink("a", "b").AddLink("b", "a");
  EXPECT_THAT(*FollowLinks(context, {"a"}), ElementsAre("a", "b"));
  EXPECT_TRUE(FollowLinks(context, {"a/x"}).ok());
}

TEST(ModificationTimeTest, ContentsDifferInNanosecondsOnly) {
  EXPECT_NE(ModificationTime("a"), ModificationTime("b"));
  EXPECT_EQ(ModificationTime("a"), ModificationTime("a"));
  EXPECT_EQ(ModificationTime("a") / 1'000'000'000, ModificationTime("another") / 1'000'000'000);
}

}  // namespace
}  // namespace davit::buildkit
