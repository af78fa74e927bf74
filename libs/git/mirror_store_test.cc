// Tests of mirror_store.h and remote_refs.h against a real git server over HTTP.
#include "libs/git/mirror_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "libs/git/remote_refs.h"
#include "libs/git/testing/git_http_server.h"
#include "libs/git/testing/git_repository.h"
#include "libs/http/client.h"

namespace davit::git {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr char kToken[] = "planted-token-4711";

// Bytes that do not compress, always the same.
std::string Noise(size_t bytes) {
  std::string noise;
  uint32_t x = 1;
  while (noise.size() < bytes) {
    x = x * 1664525 + 1013904223;
    noise += static_cast<char>(x >> 24);
  }
  return noise;
}

class MirrorStoreTest : public ::testing::Test {
 protected:
  MirrorStoreTest() : work_(scratch_.path() + "/work") { StartServer(GitHttpServerOptions::Protocol::kNewest); }

  void StartServer(GitHttpServerOptions::Protocol protocol) {
    GitHttpServerOptions options;
    options.username = "x-access-token";
    options.password = kToken;
    options.protocol = protocol;
    server_ = *GitHttpServer::Start(options);
    MakeBareRepository(server_->PathOf("team/app.git"));
    http::AddressPolicyOptions allowed;
    allowed.allowed_hosts = {server_->authority()};
    http::ClientOptions client_options;
    client_options.policy = *http::AddressPolicy::Create(allowed);
    client_ = std::make_unique<http::Client>(client_options);
    store_ = OpenStore(int64_t{1} << 30);
  }

  std::unique_ptr<MirrorStore> OpenStore(int64_t budget) {
    MirrorStoreOptions options;
    options.directory = scratch_.path() + "/mirrors";
    options.budget_bytes = budget;
    return *MirrorStore::Open(options, *client_);
  }

  std::string Push(const std::string& refspec) {
    return work_.Git({"push", "-q", "--force", server_->PathOf("team/app.git"), refspec});
  }

  FetchRequest Request(const ObjectId& commit, const std::string& ref = "refs/heads/main") {
    return {"con_1", *RepositoryUrl::Parse(server_->UrlOf("team/app.git"), client_->policy()), commit, ref};
  }

  absl::StatusOr<FetchOutcome> Fetch(const ObjectId& commit, const std::string& ref = "refs/heads/main") {
    return store_->Fetch(Request(commit, ref), Token(), FetchControl());
  }

  static Credential Token() { return Credential::GitHub(crypto::SecretString(kToken)); }

  // The pack files of the only mirror.
  std::vector<fs::path> Packs(const std::string& extension) {
    std::vector<fs::path> packs;
    for (const auto& entry : fs::recursive_directory_iterator(scratch_.path() + "/mirrors")) {
      if (entry.path().extension() == extension) packs.push_back(entry.path());
    }
    return packs;
  }

  ScratchDirectory scratch_;
  GitRepository work_;
  std::unique_ptr<GitHttpServer> server_;
  std::unique_ptr<http::Client> client_;
  std::unique_ptr<MirrorStore> store_;
};

TEST_F(MirrorStoreTest, FetchesACommitAndReadsItsFiles) {
  work_.Write("Dockerfile", "FROM scratch\n");
  const ObjectId commit = work_.CommitAll("Say hello\n\nand more");
  Push("main");
  const auto outcome = Fetch(commit);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_FALSE(outcome->already_present);
  EXPECT_GT(outcome->received_objects, 0);
  const CommitInfo& info = outcome->commit->info();
  EXPECT_EQ(info.id, commit);
  EXPECT_EQ(info.title, "Say hello");
  EXPECT_EQ(info.author_name, "Ada Author");
  EXPECT_EQ(info.author_email, "ada@example.com");
  EXPECT_EQ(info.author_time, absl::FromUnixSeconds(1700000000));
  EXPECT_EQ(info.commit_time, absl::FromUnixSeconds(1700000100));
  EXPECT_EQ(*outcome->commit->ReadFile("Dockerfile", 1000), "FROM scratch\n");
}

TEST_F(MirrorStoreTest, AsksNoServerForACommitThatIsPresent) {
  work_.Write("a", "1");
  const ObjectId commit = work_.CommitAll("one");
  Push("main");
  ASSERT_TRUE(Fetch(commit).ok());
  server_->Stop();
  const auto again = Fetch(commit);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->already_present);
  EXPECT_EQ(again->received_bytes, 0);
}

TEST_F(MirrorStoreTest, FetchesOnlyWhatIsNew) {
  for (int i = 0; i < 200; ++i) work_.Write(absl::StrCat("d", i % 10, "/f", i), absl::StrCat("content ", i));
  const ObjectId first = work_.CommitAll("one");
  Push("main");
  const auto cold = Fetch(first);
  ASSERT_TRUE(cold.ok()) << cold.status();
  work_.Write("d3/f3", "changed");
  const ObjectId second = work_.CommitAll("two");
  Push("main");
  const auto warm = Fetch(second);
  ASSERT_TRUE(warm.ok()) << warm.status();
  // The commit, two trees and a file.
  EXPECT_EQ(warm->received_objects, 4);
  EXPECT_GT(cold->received_objects, 200);
  EXPECT_EQ(*warm->commit->ReadFile("d3/f3", 100), "changed");
  EXPECT_EQ(*warm->commit->ReadFile("d3/f13", 100), "content 13");
}

TEST_F(MirrorStoreTest, FetchesNoHistoryThatABuildDoesNotNeed) {
  ObjectId commit;
  for (int i = 0; i < 20; ++i) {
    work_.Write("a", absl::StrCat(i));
    commit = work_.CommitAll("next");
  }
  Push("main");
  const auto outcome = Fetch(commit);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(outcome->received_objects, 3);
}

TEST_F(MirrorStoreTest, FetchesAnAnnotatedTagByItsOwnId) {
  work_.Write("a", "1");
  const ObjectId commit = work_.CommitAll("one");
  work_.Git({"tag", "-a", "v1", "-m", "Release"});
  const ObjectId tag = *ObjectId::FromHex(work_.Git({"rev-parse", "refs/tags/v1"}));
  Push("refs/tags/v1");
  const auto outcome = Fetch(tag, "refs/tags/v1");
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(outcome->commit->info().id, commit);
  EXPECT_TRUE(Fetch(commit, "refs/tags/v1").ok());
}

TEST_F(MirrorStoreTest, FetchesACommitBelowABranchThatMovedOn) {
  work_.Write("a", "1");
  const ObjectId older = work_.CommitAll("one");
  for (int i = 0; i < 70; ++i) work_.CommitAll("more");
  Push("main");
  const auto outcome = Fetch(older);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_TRUE(Fetch(older, "").ok());
}

TEST_F(MirrorStoreTest, FetchesACommitOfADeletedBranchThatWasMerged) {
  work_.Write("a", "1");
  const ObjectId merged = work_.CommitAll("one");
  work_.CommitAll("two");
  Push("main");
  EXPECT_TRUE(Fetch(merged, "refs/heads/topic").ok());
}

TEST_F(MirrorStoreTest, RefusesACommitThatWasForcePushedAway) {
  work_.Write("a", "1");
  work_.CommitAll("one");
  work_.Write("a", "2");
  const ObjectId lost = work_.CommitAll("two");
  Push("main");
  work_.Git({"reset", "-q", "--hard", "HEAD~1"});
  work_.Write("a", "3");
  const ObjectId kept = work_.CommitAll("three");
  Push("main");
  const auto outcome = Fetch(lost);
  EXPECT_EQ(outcome.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(outcome.status().message()),
              HasSubstr(absl::StrCat("commit ", lost.Hex(), " is no longer reachable")));
  EXPECT_TRUE(Fetch(kept).ok());
}

TEST_F(MirrorStoreTest, RefusesACommitThatTheServerNeverHad) {
  work_.CommitAll("one");
  Push("main");
  const ObjectId unknown = *ObjectId::FromHex("0123456789012345678901234567890123456789");
  EXPECT_EQ(Fetch(unknown, "").status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Fetch(unknown).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(MirrorStoreTest, NamesTheHostThatRejectsACredentialButNotTheCredential) {
  work_.CommitAll("one");
  Push("main");
  const auto outcome = store_->Fetch(Request(*ObjectId::FromHex(work_.Git({"rev-parse", "HEAD"}))),
                                     Credential::GitHub(crypto::SecretString("revoked-token-1234")), FetchControl());
  EXPECT_EQ(outcome.status().code(), absl::StatusCode::kUnauthenticated);
  const std::string message(outcome.status().message());
  EXPECT_THAT(message, HasSubstr(absl::StrCat("credential rejected by ", server_->authority(), " (401)")));
  EXPECT_THAT(message, Not(HasSubstr("revoked-token")));
}

TEST_F(MirrorStoreTest, RefusesARefThatIsNone) {
  const ObjectId commit = work_.CommitAll("one");
  EXPECT_EQ(Fetch(commit, "refs/heads/--upload-pack=x").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(MirrorStoreTest, SaysThatARepositoryIsNotThere) {
  FetchRequest request = Request(*ObjectId::FromHex("0123456789012345678901234567890123456789"));
  request.url = *RepositoryUrl::Parse(server_->UrlOf("team/absent.git"), client_->policy());
  const auto outcome = store_->Fetch(request, Token(), FetchControl());
  EXPECT_EQ(outcome.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(outcome.status().message()), HasSubstr("repository not found: http://127.0.0.1"));
}

TEST_F(MirrorStoreTest, StopsWhenCancelledAndTheMirrorStaysUsable) {
  work_.Write("big", Noise(4 << 20));
  const ObjectId first = work_.CommitAll("one");
  Push("main");
  std::atomic<bool> cancelled{false};
  FetchControl control;
  control.cancelled = &cancelled;
  int64_t received = 0;
  control.progress = [&](const FetchProgress& progress) {
    received = progress.received_bytes;
    cancelled = true;
  };
  EXPECT_EQ(store_->Fetch(Request(first), Token(), control).status().code(), absl::StatusCode::kCancelled);
  EXPECT_GT(received, 0);
  EXPECT_LT(received, 1 << 20);
  EXPECT_TRUE(Packs(".pack").empty());
  EXPECT_TRUE(Fetch(first).ok());
}

TEST_F(MirrorStoreTest, StopsAtTheLimitOfBytes) {
  work_.Write("big", Noise(300'000));
  const ObjectId commit = work_.CommitAll("one");
  Push("main");
  FetchControl control;
  control.max_received_bytes = 100'000;
  const auto outcome = store_->Fetch(Request(commit), Token(), control);
  EXPECT_EQ(outcome.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(outcome.status().message()), HasSubstr("repository over the limit"));
  EXPECT_TRUE(Fetch(commit).ok());
}

TEST_F(MirrorStoreTest, ReportsProgress) {
  work_.Write("a", "1");
  const ObjectId commit = work_.CommitAll("one");
  Push("main");
  FetchProgress last;
  FetchControl control;
  control.progress = [&last](const FetchProgress& progress) { last = progress; };
  ASSERT_TRUE(store_->Fetch(Request(commit), Token(), control).ok());
  EXPECT_EQ(last.total_objects, 3);
  EXPECT_EQ(last.received_objects, 3);
  EXPECT_GT(last.received_bytes, 0);
}

TEST_F(MirrorStoreTest, RefetchesAMirrorWhosePacksAreDamaged) {
  work_.Write("a", "1");
  const ObjectId commit = work_.CommitAll("one");
  Push("main");
  ASSERT_TRUE(Fetch(commit).ok());
  for (const fs::path& pack : Packs(".pack")) {
    fs::permissions(pack, fs::perms::owner_all);
    fs::resize_file(pack, 20);
  }
  const auto outcome = Fetch(commit);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_FALSE(outcome->already_present);
  EXPECT_EQ(*outcome->commit->ReadFile("a", 10), "1");
}

TEST_F(MirrorStoreTest, RefetchesAMirrorThatLacksWhatAThinPackBuildsOn) {
  std::string text;
  for (int i = 0; i < 500; ++i) absl::StrAppend(&text, "line ", i * 7919, "\n");
  work_.Write("a", text);
  const ObjectId first = work_.CommitAll("one");
  Push("main");
  ASSERT_TRUE(Fetch(first).ok());
  for (const std::string extension : {".pack", ".idx"}) {
    for (const fs::path& pack : Packs(extension)) fs::remove(pack);
  }
  work_.Write("a", text + "one more line\n");
  const ObjectId second = work_.CommitAll("two");
  Push("main");
  const auto outcome = Fetch(second);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(*outcome->commit->ReadFile("a", 100'000), text + "one more line\n");
}

TEST_F(MirrorStoreTest, ForgetsAMirrorThatIsDiscarded) {
  work_.Write("a", "1");
  const ObjectId commit = work_.CommitAll("one");
  Push("main");
  ASSERT_TRUE(Fetch(commit).ok());
  ASSERT_TRUE(store_->Discard("con_1", Request(commit).url).ok());
  EXPECT_FALSE(Fetch(commit)->already_present);
}

TEST_F(MirrorStoreTest, LetsConcurrentFetchesOfOneRepositoryTakeTurns) {
  std::vector<ObjectId> commits;
  for (int i = 0; i < 4; ++i) {
    work_.Write("a", absl::StrCat("content ", i));
    commits.push_back(work_.CommitAll("next"));
  }
  Push("main");
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      const auto outcome = Fetch(commits[i % 4]);
      if (outcome.ok() && *outcome->commit->ReadFile("a", 100) == absl::StrCat("content ", i % 4)) ++good;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 8);
}

TEST_F(MirrorStoreTest, KeepsWorkingOverManyFetchesAndMergesTheirPacks) {
  std::vector<ObjectId> commits;
  for (int i = 0; i < 40; ++i) {
    work_.Write("a", absl::StrCat("content ", i));
    commits.push_back(work_.CommitAll("next"));
    Push("main");
    ASSERT_TRUE(Fetch(commits.back()).ok());
  }
  EXPECT_LT(Packs(".pack").size(), 33u);
  server_->Stop();
  for (int i = 0; i < 40; ++i) {
    const auto outcome = Fetch(commits[i]);
    ASSERT_TRUE(outcome.ok()) << outcome.status();
    EXPECT_EQ(*outcome->commit->ReadFile("a", 100), absl::StrCat("content ", i));
  }
}

TEST_F(MirrorStoreTest, EvictsTheLeastRecentlyUsedButNeverOneInUse) {
  work_.Write("a", "1");
  const ObjectId commit = work_.CommitAll("one");
  Push("main");
  store_ = OpenStore(1);
  auto pinned = Fetch(commit);
  ASSERT_TRUE(pinned.ok()) << pinned.status();
  ASSERT_TRUE(store_->Evict().ok());
  EXPECT_TRUE(Fetch(commit)->already_present);
  pinned->commit.reset();
  ASSERT_TRUE(store_->Evict().ok());
  EXPECT_FALSE(Fetch(commit)->already_present);
}

TEST_F(MirrorStoreTest, KeepsMirrorsOfDifferentConnectionsApart) {
  work_.Write("a", "1");
  const ObjectId commit = work_.CommitAll("one");
  Push("main");
  ASSERT_TRUE(Fetch(commit).ok());
  FetchRequest request = Request(commit);
  request.connection = "con_2";
  const auto outcome = store_->Fetch(request, Credential::GitHub(crypto::SecretString("wrong")), FetchControl());
  EXPECT_EQ(outcome.status().code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(MirrorStoreTest, ListsBranchesAndPeeledTags) {
  work_.Write("a", "1");
  const ObjectId commit = work_.CommitAll("one");
  work_.Git({"tag", "-a", "v1", "-m", "Release"});
  Push("main");
  Push("refs/tags/v1");
  Push("main:refs/heads/topic/x");
  const auto refs = ListRemoteRefs(*client_, Request(commit).url, Token(), FetchControl());
  ASSERT_TRUE(refs.ok()) << refs.status();
  EXPECT_EQ(refs->default_branch, "refs/heads/main");
  ASSERT_EQ(refs->refs.size(), 3u);
  EXPECT_EQ(refs->refs[0].name, "refs/heads/main");
  EXPECT_EQ(refs->refs[1].name, "refs/heads/topic/x");
  EXPECT_EQ(refs->refs[2].name, "refs/tags/v1");
  for (const RemoteRef& ref : refs->refs) EXPECT_EQ(ref.commit, commit);
}

TEST_F(MirrorStoreTest, WorksWithAServerThatKnowsOnlyVersion0) {
  StartServer(GitHttpServerOptions::Protocol::kVersion0);
  work_.Write("a", "1");
  const ObjectId first = work_.CommitAll("one");
  work_.Git({"tag", "-a", "v1", "-m", "Release"});
  work_.Write("a", "2");
  const ObjectId second = work_.CommitAll("two");
  Push("main");
  Push("refs/tags/v1");
  const auto refs = ListRemoteRefs(*client_, Request(first).url, Token(), FetchControl());
  ASSERT_TRUE(refs.ok()) << refs.status();
  EXPECT_EQ(refs->default_branch, "refs/heads/main");
  ASSERT_EQ(refs->refs.size(), 2u);
  EXPECT_EQ(refs->refs[1].commit, first);
  const auto tip = Fetch(second);
  ASSERT_TRUE(tip.ok()) << tip.status();
  EXPECT_EQ(*tip->commit->ReadFile("a", 10), "2");
  const auto below = Fetch(first);
  ASSERT_TRUE(below.ok()) << below.status();
  work_.Git({"reset", "-q", "--hard", "HEAD~1"});
  work_.Write("a", "3");
  const ObjectId lost = work_.CommitAll("three");
  EXPECT_EQ(Fetch(lost).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(MirrorStoreTest, FetchesByIdFromAVersion0ServerThatAllowsIt) {
  StartServer(GitHttpServerOptions::Protocol::kVersion0);
  RunGit(server_->PathOf("team/app.git"), {"config", "uploadpack.allowAnySHA1InWant", "true"});
  RunGit(server_->PathOf("team/app.git"), {"config", "uploadpack.allowFilter", "true"});
  work_.Write("a", "1");
  const ObjectId first = work_.CommitAll("one");
  work_.Write("a", "2");
  const ObjectId second = work_.CommitAll("two");
  Push("main");
  ASSERT_TRUE(Fetch(first).ok()) << Fetch(first).status();
  const auto warm = Fetch(second);
  ASSERT_TRUE(warm.ok()) << warm.status();
  EXPECT_EQ(*warm->commit->ReadFile("a", 10), "2");
}

}  // namespace
}  // namespace davit::git
