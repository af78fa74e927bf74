// Tests of git_context.h on a real repository.
#include "services/builder_agent/git_context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/git/commit_tree.h"
#include "libs/git/object_store.h"
#include "libs/git/testing/git_repository.h"

namespace davit::builder_agent {
namespace {

using buildkit::EntryKind;
using buildkit::WalkDecision;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class GitContextTest : public ::testing::Test {
 protected:
  GitContextTest() : work_(scratch_.path() + "/work") {
    for (const char* file : {"a/b/1", "a/b/2", "a/c", "a.txt", "ab/3", "z"}) work_.Write(file, file);
    work_.Link("link", "a/c");
  }

  std::unique_ptr<GitContext> Open(GitContext::Listing listing, git::TreeLimits limits = {}) {
    const git::ObjectId id = work_.CommitAll(absl::StrCat("test ", ++commits_));
    std::shared_ptr<git::ObjectStore> store = *git::ObjectStore::Open(
        work_.objects_directory(), *git::FileLock::Acquire(scratch_.path() + "/pin", git::LockMode::kShared), sizes_);
    const git::CommitInfo info = *store->ReadCommit(id);
    const git::CommitTree commit(std::move(store), info);
    auto context = std::make_unique<GitContext>(*commit.OpenContext("", limits), listing);
    context->WaitUntilListed();
    return context;
  }

  // Each entry as a line: path, kind, permissions, size, target, content.
  static std::vector<std::string> Lines(const GitContext& context, const buildkit::WalkFilter& filter) {
    std::vector<std::string> lines;
    const std::vector<buildkit::ContextEntry> entries = *context.Walk(filter);
    for (const buildkit::ContextEntry& entry : entries) {
      lines.push_back(absl::StrCat(entry.path, " ", static_cast<int>(entry.kind), " ", entry.permissions, " ",
                                   entry.size, " ", entry.link_target, " ", entry.content_id));
    }
    return lines;
  }

  static std::vector<std::string> Paths(const GitContext& context, const buildkit::WalkFilter& filter) {
    std::vector<std::string> paths;
    const std::vector<buildkit::ContextEntry> entries = *context.Walk(filter);
    for (const buildkit::ContextEntry& entry : entries) paths.push_back(entry.path);
    return paths;
  }

  git::ScratchDirectory scratch_;
  git::GitRepository work_;
  std::shared_ptr<git::SizeCache> sizes_ = std::make_shared<git::SizeCache>();
  int commits_ = 0;
};

WalkDecision Everything(absl::string_view, EntryKind) { return WalkDecision::kInclude; }

TEST_F(GitContextTest, ListedAheadIsTheSameAsListedWhenAsked) {
  const auto ahead = Open(GitContext::Listing::kAhead);
  const auto asked = Open(GitContext::Listing::kWhenAsked);
  const std::vector<buildkit::WalkFilter> filters = {
      &Everything,
      [](absl::string_view, EntryKind kind) {
        return kind == EntryKind::kDirectory ? WalkDecision::kSkip : WalkDecision::kInclude;
      },
      [](absl::string_view path, EntryKind) {
        return path == "a/b" ? WalkDecision::kSkipSubtree : WalkDecision::kInclude;
      },
      [](absl::string_view path, EntryKind) { return path == "z" ? WalkDecision::kInclude : WalkDecision::kSkip; },
      [](absl::string_view path, EntryKind) {
        return absl::StartsWith(path, "a") ? WalkDecision::kSkipSubtree : WalkDecision::kInclude;
      },
  };
  for (const buildkit::WalkFilter& filter : filters) EXPECT_EQ(Lines(*ahead, filter), Lines(*asked, filter));
  EXPECT_THAT(Paths(*ahead, &Everything),
              ElementsAre("a", "a/b", "a/b/1", "a/b/2", "a/c", "a.txt", "ab", "ab/3", "link", "z"));
}

TEST_F(GitContextTest, AFilterSeesNothingBelowWhatItSkips) {
  const auto ahead = Open(GitContext::Listing::kAhead);
  std::vector<std::string> seen;
  EXPECT_THAT(Paths(*ahead,
                    [&](absl::string_view path, EntryKind) {
                      seen.emplace_back(path);
                      return WalkDecision::kSkipSubtree;
                    }),
              IsEmpty());
  EXPECT_THAT(seen, ElementsAre("a", "a.txt", "ab", "link", "z"));
}

TEST_F(GitContextTest, WhatIsLeftOutMayBeOverALimit) {
  work_.Write("large", std::string(1000, 'x'));
  git::TreeLimits limits;
  limits.max_blob_bytes = 100;
  const auto ahead = Open(GitContext::Listing::kAhead, limits);
  EXPECT_EQ(ahead->Walk(&Everything).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(Paths(*ahead, [](absl::string_view path,
                               EntryKind) { return path == "z" ? WalkDecision::kInclude : WalkDecision::kSkip; }),
              ElementsAre("z"));
}

}  // namespace
}  // namespace davit::builder_agent
