// Tests of tree_reader.h and commit_tree.h on real repositories.
#include "libs/git/tree_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "libs/git/commit_tree.h"
#include "libs/git/object_store.h"
#include "libs/git/testing/git_repository.h"

namespace davit::git {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class TreeReaderTest : public ::testing::Test {
 protected:
  TreeReaderTest() : work_(scratch_.path() + "/work") {}

  std::unique_ptr<CommitTree> Commit() {
    const ObjectId id = work_.CommitAll("test");
    std::shared_ptr<ObjectStore> store = *ObjectStore::Open(
        work_.objects_directory(), *FileLock::Acquire(scratch_.path() + "/pin", LockMode::kShared), sizes_);
    const CommitInfo info = *store->ReadCommit(id);
    return std::make_unique<CommitTree>(std::move(store), info);
  }

  std::vector<std::string> Paths(const CommitTree& commit, const std::string& directory = "",
                                 const WalkFilter& filter = nullptr) {
    std::vector<std::string> paths;
    const auto entries = *(*commit.OpenContext(directory, TreeLimits()))->Walk(filter);
    for (const TreeEntry& entry : entries) {
      paths.push_back(entry.path);
    }
    return paths;
  }

  ScratchDirectory scratch_;
  GitRepository work_;
  std::shared_ptr<SizeCache> sizes_ = std::make_shared<SizeCache>();
};

TEST_F(TreeReaderTest, ListsInTheOrderOfBuildKitNotOfGit) {
  for (const char* file : {"a.b", "a/x", "a-b", "a/y/z", "a0"}) work_.Write(file, "1");
  EXPECT_THAT(Paths(*Commit()), ElementsAre("a", "a/x", "a/y", "a/y/z", "a-b", "a.b", "a0"));
}

TEST_F(TreeReaderTest, TellsKindsSizesAndTargets) {
  work_.Write("file", "12345");
  work_.Write("run", "#!");
  std::filesystem::permissions(work_.path() + "/run", std::filesystem::perms::owner_all);
  work_.Link("link", "dir/../file");
  work_.Write("dir/inner", "");
  const auto commit = Commit();
  for (int round = 0; round < 2; ++round) {
    const auto entries = *(*commit->OpenContext("", TreeLimits()))->Walk(nullptr);
    ASSERT_EQ(entries.size(), 5u);
    EXPECT_EQ(entries[0].kind, EntryKind::kDirectory);
    EXPECT_EQ(entries[1].size, 0);
    EXPECT_EQ(entries[2].kind, EntryKind::kFile);
    EXPECT_EQ(entries[2].size, 5);
    EXPECT_EQ(entries[3].kind, EntryKind::kSymlink);
    EXPECT_EQ(entries[3].symlink_target, "dir/../file");
    EXPECT_EQ(entries[3].size, 11);
    EXPECT_EQ(entries[4].kind, EntryKind::kExecutable);
  }
}

TEST_F(TreeReaderTest, TakesAnyNameThatGitTakes) {
  for (const char* file : {"-rf", "with space", "\xc3\xbc\xe2\x82\xac", "quote'\"", "new\nline", "latin\xe9"}) {
    work_.Write(file, file);
  }
  const auto commit = Commit();
  const auto context = *commit->OpenContext("", TreeLimits());
  const auto entries = *context->Walk(nullptr);
  ASSERT_EQ(entries.size(), 6u);
  for (const TreeEntry& entry : entries) EXPECT_EQ(*context->ReadBlob(entry.id), entry.path);
}

TEST_F(TreeReaderTest, LeavesOutWhatTheFilterSkips) {
  for (const char* file : {"keep/a", "skip/a", "prune/a"}) work_.Write(file, "1");
  const auto filter = [](absl::string_view path, EntryKind) {
    if (path == "skip") return WalkDecision::kSkip;
    return path == "prune" ? WalkDecision::kSkipSubtree : WalkDecision::kInclude;
  };
  EXPECT_THAT(Paths(*Commit(), "", filter), ElementsAre("keep", "keep/a", "skip/a"));
}

TEST_F(TreeReaderTest, OpensADirectoryAlsoThroughSymlinksInside) {
  work_.Write("real/app/Dockerfile", "FROM scratch");
  work_.Link("alias", "real");
  work_.Link("real/again", "../alias/app");
  const auto commit = Commit();
  for (const char* directory : {"real/app", "alias/app", "real/again", "./real//again/"}) {
    EXPECT_THAT(Paths(*commit, directory), ElementsAre("Dockerfile")) << directory;
  }
  EXPECT_EQ(*commit->ReadFile("real/again/Dockerfile", 100), "FROM scratch");
}

TEST_F(TreeReaderTest, RefusesToLeaveTheRepository) {
  work_.Write("a/file", "1");
  work_.Link("root", "/");
  work_.Link("up", "..");
  work_.Link("a/upup", "../../x");
  work_.Link("secret", "../../etc/passwd");
  work_.Link("loop", "loop");
  const auto commit = Commit();
  for (const char* directory : {"root", "up", "a/upup", "root/etc"}) {
    const auto context = commit->OpenContext(directory, TreeLimits());
    EXPECT_EQ(context.status().code(), absl::StatusCode::kInvalidArgument) << directory;
    EXPECT_THAT(std::string(context.status().message()), HasSubstr("context resolves outside the repository"));
  }
  const auto climbed = commit->OpenContext("../x", TreeLimits());
  EXPECT_THAT(std::string(climbed.status().message()), HasSubstr("path leaves the repository"));
  EXPECT_EQ(commit->OpenContext("loop", TreeLimits()).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(commit->ReadFile("secret", 100).status().message()), HasSubstr("path leaves the repository"));
}

TEST_F(TreeReaderTest, SaysWhatIsNotThere) {
  work_.Write("file", "1");
  work_.Link("dangling", "nowhere");
  const auto commit = Commit();
  for (const char* directory : {"absent", "file", "dangling", "file/x"}) {
    const auto context = commit->OpenContext(directory, TreeLimits());
    EXPECT_EQ(context.status().code(), absl::StatusCode::kNotFound) << directory;
    EXPECT_THAT(std::string(context.status().message()), HasSubstr("context directory not found"));
  }
  const auto file = commit->ReadFile("x/Dockerfile", 100);
  EXPECT_EQ(file.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(file.status().message(), absl::StrCat("x/Dockerfile not found in ", commit->info().id.Hex()));
}

TEST_F(TreeReaderTest, ReportsSubmodulesWithoutTheirContent) {
  work_.Write("a", "1");
  work_.Git({"update-index", "--add", "--cacheinfo", "160000,0123456789012345678901234567890123456789,lib"});
  work_.Git({"commit", "-q", "-m", "submodule"});
  std::filesystem::create_directory(work_.path() + "/lib");
  const auto commit = Commit();
  const auto entries = *(*commit->OpenContext("", TreeLimits()))->Walk(nullptr);
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[1].kind, EntryKind::kSubmodule);
  EXPECT_EQ(entries[1].id.Hex(), "0123456789012345678901234567890123456789");
}

TEST_F(TreeReaderTest, RefusesTreesOverALimit) {
  for (int i = 0; i < 5; ++i) work_.Write(absl::StrCat("f", i), "0123456789");
  work_.Write("d/e/f/g", "1");
  const auto commit = Commit();
  const auto walk = [&](auto change) {
    TreeLimits limits;
    change(limits);
    return (*commit->OpenContext("", limits))->Walk(nullptr).status();
  };
  for (const absl::Status& status :
       {walk([](TreeLimits& l) { l.max_entries = 8; }), walk([](TreeLimits& l) { l.max_depth = 3; }),
        walk([](TreeLimits& l) { l.max_path_bytes = 6; }), walk([](TreeLimits& l) { l.max_blob_bytes = 9; }),
        walk([](TreeLimits& l) { l.max_total_bytes = 50; })}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_THAT(std::string(status.message()), HasSubstr("context over the limit"));
  }
  EXPECT_TRUE(walk([](TreeLimits& l) { l.max_entries = 9, l.max_depth = 4, l.max_path_bytes = 7; }).ok());
}

TEST_F(TreeReaderTest, StreamsABlobInPieces) {
  work_.Write("file", "0123456789");
  const auto commit = Commit();
  const auto context = *commit->OpenContext("", TreeLimits());
  std::vector<std::string> pieces;
  const auto collect = [&pieces](absl::string_view piece) {
    pieces.emplace_back(piece);
    return absl::OkStatus();
  };
  ASSERT_TRUE(context->StreamBlob(context->Find("file")->id, 4, collect).ok());
  EXPECT_THAT(pieces, ElementsAre("0123", "4567", "89"));
}

TEST_F(TreeReaderTest, WalksABigTree) {
  constexpr int kFiles = 4000;
  for (int i = 0; i < kFiles; ++i) work_.Write(absl::StrCat("d", i % 40, "/e", i % 400, "/f", i), absl::StrCat(i));
  const auto commit = Commit();
  const auto context = *commit->OpenContext("", TreeLimits());
  EXPECT_EQ(context->Walk(nullptr)->size(), kFiles + 440u);
}

TEST(IsLfsPointerTest, KnowsPointers) {
  EXPECT_TRUE(IsLfsPointer("version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 12\n"));
  EXPECT_FALSE(IsLfsPointer("version https://git-lfs.github.com/spec/v1\n"));
  EXPECT_FALSE(IsLfsPointer("FROM scratch"));
  EXPECT_FALSE(IsLfsPointer(std::string(2000, 'x')));
}

}  // namespace
}  // namespace davit::git
