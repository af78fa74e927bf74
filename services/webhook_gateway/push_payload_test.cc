// Tests of push_payload.h with payloads of the shapes that GitHub and GitLab document.
#include "services/webhook_gateway/push_payload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace davit::webhook_gateway {
namespace {

using nlohmann::json;
using registry::v1::PROVIDER_GENERIC_GIT;
using registry::v1::PROVIDER_GITHUB;
using registry::v1::PROVIDER_GITLAB;
using rules::v1::PushEvent;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string kBefore(40, 'a');
const std::string kAfter(40, 'b');
const std::string kZero(40, '0');

absl::StatusOr<PushEvent> NormalizeText(registry::v1::Provider provider, absl::string_view payload) {
  const absl::StatusOr<JsonDocument> document = JsonDocument::Parse(payload);
  return document.ok() ? NormalizePush(provider, *document) : document.status();
}

absl::StatusOr<PushEvent> Normalize(registry::v1::Provider provider, const json& payload) {
  return NormalizeText(provider, payload.dump());
}

json GithubPush() {
  return json::parse(R"({
    "ref": "refs/heads/main", "before": ")" +
                     kBefore + R"(", "after": ")" + kAfter + R"(",
    "repository": {"id": 1296269, "full_name": "octocat/hello-world", "private": false,
                   "owner": {"name": "octocat", "login": "octocat"}, "default_branch": "main"},
    "pusher": {"name": "octocat", "email": "octocat@example.com"}, "sender": {"login": "octo-bot", "id": 1},
    "created": false, "deleted": false, "forced": true, "base_ref": null,
    "compare": "https://github.example/octocat/hello-world/compare/aaa...bbb",
    "commits": [
      {"id": "cccccccccccccccccccccccccccccccccccccccc", "tree_id": "x", "distinct": true, "message": "First",
       "timestamp": "2026-01-02T03:04:05Z", "author": {"name": "A", "email": "a@example.com", "username": "a"},
       "committer": {"name": "A"}, "added": ["new.txt"], "removed": [], "modified": []},
      {"id": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "message": "Second", "author": {"name": "B", "email": null},
       "added": [], "removed": ["old.txt"], "modified": ["Dockerfile", "main.c"]}],
    "head_commit": {"id": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}})");
}

json GitlabPush() {
  return json::parse(R"({
    "object_kind": "push", "event_name": "push", "before": ")" +
                     kBefore + R"(", "after": ")" + kAfter + R"(",
    "ref": "refs/heads/master", "ref_protected": true, "checkout_sha": ")" +
                     kAfter + R"(",
    "user_id": 4, "user_name": "John Smith", "user_username": "jsmith", "user_email": "john@example.com", "project_id": 15,
    "project": {"id": 15, "name": "Diaspora", "web_url": "http://gitlab.example/mike/diaspora", "namespace": "Mike",
                "path_with_namespace": "group/sub/diaspora", "default_branch": "master"},
    "commits": [{"id": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "message": "fixed readme", "title": "fixed readme",
                 "author": {"name": "GitLab dev user", "email": "dev@example.com"},
                 "added": ["CHANGELOG"], "modified": ["app/controller/application.rb"], "removed": []}],
    "total_commits_count": 4, "push_options": {}})");
}

TEST(PushPayloadTest, ReadsGithubs) {
  const PushEvent push = *Normalize(PROVIDER_GITHUB, GithubPush());
  EXPECT_EQ(push.repository(), "octocat/hello-world");
  EXPECT_EQ(push.ref(), "refs/heads/main");
  EXPECT_EQ(push.before(), kBefore);
  EXPECT_EQ(push.after(), kAfter);
  EXPECT_TRUE(push.forced());
  EXPECT_EQ(push.pusher(), "octocat");
  ASSERT_EQ(push.commits_size(), 2);
  EXPECT_EQ(push.commits(0).message(), "First");
  EXPECT_EQ(push.commits(0).author_email(), "a@example.com");
  EXPECT_THAT(push.commits(0).added(), ElementsAre("new.txt"));
  EXPECT_THAT(push.commits(1).modified(), ElementsAre("Dockerfile", "main.c"));
  EXPECT_THAT(push.commits(1).removed(), ElementsAre("old.txt"));
  EXPECT_FALSE(push.commits_truncated());
  EXPECT_FALSE(IsDeletion(push));
  EXPECT_TRUE(IsBranchOrTag(push));
}

TEST(PushPayloadTest, ReadsGitlabsAndKnowsThatCommitsAreMissing) {
  const PushEvent push = *Normalize(PROVIDER_GITLAB, GitlabPush());
  EXPECT_EQ(push.repository(), "group/sub/diaspora");
  EXPECT_EQ(push.ref(), "refs/heads/master");
  EXPECT_EQ(push.after(), kAfter);
  EXPECT_EQ(push.pusher(), "jsmith");
  ASSERT_EQ(push.commits_size(), 1);
  EXPECT_THAT(push.commits(0).added(), ElementsAre("CHANGELOG"));
  EXPECT_TRUE(push.commits_truncated());
}

TEST(PushPayloadTest, NeedsOnlyRepositoryRefAndCommit) {
  const json smallest = {{"ref", "refs/heads/x"}, {"after", kAfter}, {"repository", {{"full_name", "a/b"}}}};
  const PushEvent push = *Normalize(PROVIDER_GENERIC_GIT, smallest);
  EXPECT_EQ(push.before(), kZero);
  EXPECT_EQ(push.commits_size(), 0);
  EXPECT_EQ(push.pusher(), "");
}

TEST(PushPayloadTest, LeavesOutOptionalFieldsOfTheWrongForm) {
  json payload = GithubPush();
  payload["pusher"] = 5;
  payload["forced"] = "yes";
  payload["head_commit"] = nullptr;
  payload["commits"] = {1, nullptr, {{"id", 7}}, {{"id", kAfter}, {"added", {1, "a"}}, {"author", "x"}}};
  const PushEvent push = *Normalize(PROVIDER_GITHUB, payload);
  EXPECT_EQ(push.pusher(), "octo-bot");
  EXPECT_FALSE(push.forced());
  ASSERT_EQ(push.commits_size(), 1);
  EXPECT_THAT(push.commits(0).added(), ElementsAre("a"));
}

TEST(PushPayloadTest, OfAKeyThatIsThereTwiceTheLastOneCounts) {
  const std::string text =
      absl::StrCat(R"({"ref": "refs/heads/a", "ref": 5, "ref": "refs/heads/b", "after": ")", kAfter,
                   R"(", "repository": {"full_name": "a/b"}, "repository": {"full_name": "c/d"},)",
                   R"("pusher": {"name": "p"}, "pusher": null})");
  const PushEvent push = *NormalizeText(PROVIDER_GITHUB, text);
  EXPECT_EQ(push.ref(), "refs/heads/b");
  EXPECT_EQ(push.repository(), "c/d");
  EXPECT_EQ(push.pusher(), "");
}

TEST(PushPayloadTest, KeysAreComparedAsTheyAreMeant) {
  const std::string text = absl::StrCat(R"({"r\u0065f": "refs/heads/a", "ref\u0000": "refs/heads/b", "after": ")",
                                        kAfter, R"(", "repository": {"full_name": "a/b"}})");
  EXPECT_EQ(NormalizeText(PROVIDER_GITHUB, text)->ref(), "refs/heads/a");
}

TEST(PushPayloadTest, NulNeverPasses) {
  json payload = GithubPush();
  payload["pusher"]["name"] = std::string("a\0b", 3);
  payload["commits"][0]["added"] = {std::string("a\0b", 3)};
  const PushEvent push = *Normalize(PROVIDER_GITHUB, payload);
  EXPECT_EQ(push.pusher(), "a b");
  EXPECT_THAT(push.commits(0).added(), ElementsAre("a b"));
  for (const char* key : {"ref", "before", "after"}) {
    json with_nul = GithubPush();
    with_nul[key] = with_nul[key].get<std::string>() + std::string(1, '\0');
    EXPECT_EQ(Normalize(PROVIDER_GITHUB, with_nul).status().code(), absl::StatusCode::kInvalidArgument) << key;
  }
}

TEST(PushPayloadTest, AnAnnotatedTagMeansItsCommit) {
  json github = GithubPush();
  github["ref"] = "refs/tags/v1";
  github["after"] = std::string(40, 'd');
  EXPECT_EQ(Normalize(PROVIDER_GITHUB, github)->after(), kAfter);
  json gitlab = GitlabPush();
  gitlab["ref"] = "refs/tags/v1";
  gitlab["after"] = std::string(40, 'd');
  EXPECT_EQ(Normalize(PROVIDER_GITLAB, gitlab)->after(), kAfter);
  gitlab["checkout_sha"] = nullptr;
  EXPECT_EQ(Normalize(PROVIDER_GITLAB, gitlab)->after(), std::string(40, 'd'));
}

TEST(PushPayloadTest, KnowsADeletedRef) {
  json payload = GithubPush();
  payload["after"] = kZero;
  payload["deleted"] = true;
  payload["head_commit"] = nullptr;
  EXPECT_TRUE(IsDeletion(*Normalize(PROVIDER_GITHUB, payload)));
}

TEST(PushPayloadTest, RefusesRefsThatGitRefuses) {
  for (const char* ref :
       {"refs/heads/--upload-pack=x", "refs/heads/a..b", "refs/heads/a b", "refs/heads/", "refs/heads/a.lock", "",
        "refs/heads/a:b", "refs/heads/a\x01", "refs/heads/.a", "refs/heads/a//b", "refs/heads/a@{b"}) {
    json payload = GithubPush();
    payload["ref"] = ref;
    const absl::Status status = Normalize(PROVIDER_GITHUB, payload).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << ref;
    EXPECT_THAT(std::string(status.message()), StartsWith("invalid ref")) << ref;
  }
}

TEST(PushPayloadTest, OtherRefsAreNeitherBranchesNorTags) {
  json payload = GithubPush();
  payload["ref"] = "refs/notes/commits";
  EXPECT_FALSE(IsBranchOrTag(*Normalize(PROVIDER_GITHUB, payload)));
}

TEST(PushPayloadTest, NamesTheRequiredFieldThatIsWrong) {
  const std::tuple<registry::v1::Provider, const char*, json, const char*> cases[] = {
      {PROVIDER_GITHUB, "repository", nullptr, "payload.repository.full_name"},
      {PROVIDER_GITHUB, "repository", {{"full_name", "a\nb"}}, "payload.repository.full_name"},
      {PROVIDER_GITLAB, "project", json::object(), "payload.project.path_with_namespace"},
      {PROVIDER_GITHUB, "after", "xyz", "payload.after"},
      {PROVIDER_GITHUB, "after", nullptr, "payload.after"},
      {PROVIDER_GITLAB, "before", std::string(40, 'G'), "payload.before"},
  };
  for (const auto& [provider, key, value, field] : cases) {
    json payload = provider == PROVIDER_GITLAB ? GitlabPush() : GithubPush();
    payload[key] = value;
    EXPECT_THAT(std::string(Normalize(provider, payload).status().message()), HasSubstr(field));
  }
  EXPECT_EQ(Normalize(PROVIDER_GITHUB, json::array()).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(PushPayloadTest, CutsWhatIsTooLarge) {
  json payload = GithubPush();
  json& commit = payload["commits"][0];
  commit["message"] = std::string(4095, 'x') + "é" + std::string(10, 'y') + std::string(1, '\0');
  for (int i = 0; i < 3500; ++i) commit["added"].push_back("file" + std::to_string(i));
  const PushEvent push = *Normalize(PROVIDER_GITHUB, payload);
  EXPECT_EQ(push.commits(0).message(), std::string(4095, 'x'));
  EXPECT_EQ(push.commits(0).added_size(), 3000 - 3);  // the newer commit's three come first
  EXPECT_TRUE(push.commits_truncated());
}

TEST(PushPayloadTest, AFullListOfGithubsCommitsMayBeCut) {
  json payload = GithubPush();
  payload["commits"] = json::array_t(2047, payload["commits"][0]);
  EXPECT_FALSE(Normalize(PROVIDER_GITHUB, payload)->commits_truncated());
  payload["commits"].push_back(payload["commits"][0]);
  EXPECT_TRUE(Normalize(PROVIDER_GITHUB, payload)->commits_truncated());
}

TEST(PushPayloadTest, TellsWhenGitlabLeftCommitsOut) {
  json payload = GitlabPush();
  payload["commits"] = json::array_t(20, payload["commits"][0]);
  payload["total_commits_count"] = 20;
  EXPECT_FALSE(Normalize(PROVIDER_GITLAB, payload)->commits_truncated());
  payload["total_commits_count"] = 21;
  EXPECT_TRUE(Normalize(PROVIDER_GITLAB, payload)->commits_truncated());
  for (const json& other : {json(nullptr), json("21"), json(21.5), json(-1), json::object()}) {
    payload["total_commits_count"] = other;
    EXPECT_FALSE(Normalize(PROVIDER_GITLAB, payload)->commits_truncated()) << other;
  }
}

TEST(PushPayloadTest, KeepsTheNewestOfVeryManyCommits) {
  json payload = GithubPush();
  const json commit = payload["commits"][0];
  payload["commits"] = json::array();
  for (int i = 0; i < 3000; ++i) {
    payload["commits"].push_back(commit);
    payload["commits"].back()["message"] = std::to_string(i);
  }
  const PushEvent push = *Normalize(PROVIDER_GITHUB, payload);
  EXPECT_EQ(push.commits_size(), 2048);
  EXPECT_EQ(push.commits(2047).message(), "2999");
  EXPECT_TRUE(push.commits_truncated());
}

TEST(PushPayloadTest, StaysFarBelowTheLargestMessage) {
  json payload = GithubPush();
  json commit = payload["commits"][0];
  commit["message"] = std::string(4096, 'm');
  payload["commits"] = json::array();
  for (int i = 0; i < 2000; ++i) payload["commits"].push_back(commit);
  const PushEvent push = *Normalize(PROVIDER_GITHUB, payload);
  EXPECT_LT(push.ByteSizeLong(), size_t{5} << 20);
  EXPECT_TRUE(push.commits_truncated());
}

}  // namespace
}  // namespace davit::webhook_gateway
