// Tests of what HttpProviderClient asks of GitHub's and GitLab's APIs, against servers that answer as their
// documentation says: statuses, listings, hooks, limits, refusals.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "libs/clock/testing/fake_clock.h"
#include "libs/http/server.h"
#include "services/token_registry/http_provider_client.h"

namespace davit::token_registry {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kToken[] = "planted-token-3Wq";
constexpr char kCommit[] = "0123456789012345678901234567890123456789";

// A provider that answers by "METHOD /path?query" and remembers what it was asked.
class ProviderApiTest : public testing::Test {
 protected:
  ProviderApiTest() {
    auto server = http::Server::Start({}, [this](const http::ServerRequest& request) {
      const std::lock_guard<std::mutex> lock(mutex_);
      const std::string line =
          absl::StrCat(request.method, " ", request.path, request.query.empty() ? "" : "?", request.query);
      asked_.push_back(line);
      bodies_.push_back(request.body);
      headers_ = request.headers;
      const auto found = answers_.find(line);
      return found == answers_.end() ? http::ServerResponse{404, {}, R"({"message": "Not Found"})"} : found->second;
    });
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    http::ClientOptions options;
    options.policy = *http::AddressPolicy::Create({.allowed_hosts = {authority()}});
    client_.emplace(options);
    provider_.emplace(*client_, clock_);
    github_.provider = Provider::kGitHub;
    github_.account = "ann";
    gitlab_.provider = Provider::kGitLab;
    github_.base_url = gitlab_.base_url = "http://" + authority();
  }

  std::string authority() const { return absl::StrCat("127.0.0.1:", server_->port()); }

  void Answer(const std::string& line, int status, const std::string& body, http::Headers headers = {}) {
    const std::lock_guard<std::mutex> lock(mutex_);
    answers_[line] = {status, std::move(headers), body};
  }

  CommitStatus Status(CommitState state = CommitState::kSuccess) {
    CommitStatus status;
    status.repository = "team/app";
    status.commit = kCommit;
    status.ref = "refs/heads/main";
    status.context = "davit/main";
    status.state = state;
    status.description = "done";
    status.target_url = "https://davit.example.com/builds/bld_1";
    return status;
  }

  StatusOutcome Mark(const Connection& connection, const CommitStatus& status) {
    const auto outcome = provider_->SetCommitStatus(connection, crypto::SecretString(kToken), status);
    EXPECT_TRUE(outcome.ok()) << outcome.status();
    return outcome.value_or(StatusOutcome());
  }

  HookSpec Hook(const std::string& known_id = "") {
    return {"team/app", known_id, "https://hooks.example.com/hooks/whk_1", crypto::SecretString("hush")};
  }

  const std::string kGitHubStatus = absl::StrCat("POST /api/v3/repos/team/app/statuses/", kCommit);
  const std::string kGitLabStatus = absl::StrCat("POST /api/v4/projects/team%2Fapp/statuses/", kCommit);
  const crypto::SecretString token_{kToken};
  FakeClock clock_;
  std::mutex mutex_;
  std::map<std::string, http::ServerResponse> answers_;
  std::vector<std::string> asked_;
  std::vector<std::string> bodies_;
  http::Headers headers_;
  std::unique_ptr<http::Server> server_;
  std::optional<http::Client> client_;
  std::optional<HttpProviderClient> provider_;
  Connection github_;
  Connection gitlab_;
};

TEST_F(ProviderApiTest, GitHubIsToldAStatus) {
  Answer(kGitHubStatus, 201, "{}");
  CommitStatus status = Status();
  status.description = std::string(150, 'x');
  EXPECT_EQ(Mark(github_, status).kind, StatusOutcome::Kind::kSet);
  const json body = json::parse(bodies_.back());
  EXPECT_EQ(body["state"], "success");
  EXPECT_EQ(body["context"], "davit/main");
  EXPECT_EQ(body["description"], std::string(139, 'x') + "…");
  EXPECT_EQ(body["target_url"], status.target_url);
  EXPECT_EQ(headers_.Get("Authorization"), absl::StrCat("Bearer ", kToken));
  status.target_url.clear();
  Mark(github_, status);
  EXPECT_FALSE(json::parse(bodies_.back()).contains("target_url"));
}

TEST_F(ProviderApiTest, EachProviderHasItsWordForAState) {
  Answer(kGitHubStatus, 201, "{}");
  Answer(kGitLabStatus, 201, "{}");
  std::vector<std::string> github;
  std::vector<std::string> gitlab;
  for (const CommitState state : {CommitState::kPending, CommitState::kRunning, CommitState::kSuccess,
                                  CommitState::kFailure, CommitState::kError, CommitState::kCancelled}) {
    Mark(github_, Status(state));
    github.push_back(json::parse(bodies_.back())["state"]);
    Mark(gitlab_, Status(state));
    gitlab.push_back(json::parse(bodies_.back())["state"]);
  }
  EXPECT_THAT(github, ElementsAre("pending", "pending", "success", "failure", "error", "error"));
  EXPECT_THAT(gitlab, ElementsAre("pending", "running", "success", "failed", "failed", "canceled"));
}

TEST_F(ProviderApiTest, GitLabIsToldAStatusWithTheShortRef) {
  Answer(kGitLabStatus, 201, "{}");
  EXPECT_EQ(Mark(gitlab_, Status()).kind, StatusOutcome::Kind::kSet);
  const json body = json::parse(bodies_.back());
  EXPECT_EQ(body["name"], "davit/main");
  EXPECT_EQ(body["ref"], "main");
  EXPECT_EQ(headers_.Get("PRIVATE-TOKEN"), kToken);
}

TEST_F(ProviderApiTest, WhatGitLabShowsAlreadyIsSet) {
  Answer(kGitLabStatus, 400,
         R"json({"message": "Cannot transition status via :enqueue from :pending (Reason(s): …)"})json");
  EXPECT_EQ(Mark(gitlab_, Status(CommitState::kPending)).kind, StatusOutcome::Kind::kSet);
  Answer(kGitLabStatus, 400, R"({"message": {"target_url": ["is blocked"]}})");
  const StatusOutcome refused = Mark(gitlab_, Status());
  EXPECT_EQ(refused.kind, StatusOutcome::Kind::kRefused);
  EXPECT_THAT(refused.reason, HasSubstr("target_url is blocked"));
}

TEST_F(ProviderApiTest, ARefusalSaysWhatTheProviderSaid) {
  const auto reason = [&](int status, const std::string& body) {
    Answer(kGitHubStatus, status, body);
    const StatusOutcome outcome = Mark(github_, Status());
    EXPECT_EQ(outcome.kind, StatusOutcome::Kind::kRefused);
    EXPECT_THAT(outcome.reason, Not(HasSubstr(kToken)));
    return outcome.reason;
  };
  EXPECT_EQ(reason(401, "{}"), absl::StrCat("credential rejected by ", authority(), " (401)"));
  EXPECT_EQ(reason(403, R"({"message": "Resource not accessible by personal access token"})"),
            absl::StrCat("access denied by ", authority(), " (403): Resource not accessible by personal access token"));
  EXPECT_THAT(reason(404, R"({"message": "Not Found"})"), HasSubstr("not found"));
  EXPECT_THAT(reason(422, R"({"message": "Validation Failed", "errors": [{"message": "No commit found for SHA: 0"}]})"),
              HasSubstr("Validation Failed: No commit found for SHA: 0"));
  Answer(kGitHubStatus, 503, "");
  EXPECT_EQ(provider_->SetCommitStatus(github_, token_, Status()).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(ProviderApiTest, ALimitIsHonouredUntilItIsOver) {
  Answer(kGitHubStatus, 403, R"({"message": "You have exceeded a secondary rate limit"})", {{"Retry-After", "30"}});
  StatusOutcome outcome = Mark(github_, Status());
  EXPECT_EQ(outcome.kind, StatusOutcome::Kind::kLimited);
  EXPECT_EQ(outcome.retry_after, absl::Seconds(30));
  Answer(kGitHubStatus, 201, "{}");
  clock_.Advance(absl::Seconds(10));
  outcome = Mark(github_, Status());
  EXPECT_EQ(outcome.kind, StatusOutcome::Kind::kLimited);
  EXPECT_EQ(outcome.retry_after, absl::Seconds(20));
  EXPECT_EQ(asked_.size(), 1u);
  EXPECT_EQ(provider_->SetCommitStatus(github_, crypto::SecretString("another"), Status())->kind,
            StatusOutcome::Kind::kSet);
  clock_.Advance(absl::Seconds(21));
  EXPECT_EQ(Mark(github_, Status()).kind, StatusOutcome::Kind::kSet);
}

TEST_F(ProviderApiTest, TheEndOfALimitIsReadFromEitherProvidersHeaders) {
  const std::string reset = absl::StrCat(absl::ToUnixSeconds(clock_.Now()) + 120);
  Answer(kGitHubStatus, 403, "{}", {{"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", reset}});
  EXPECT_LE(absl::AbsDuration(Mark(github_, Status()).retry_after - absl::Seconds(120)), absl::Seconds(1));
  Answer(kGitLabStatus, 429, "Retry later", {{"RateLimit-Reset", reset}});
  EXPECT_LE(absl::AbsDuration(Mark(gitlab_, Status()).retry_after - absl::Seconds(120)), absl::Seconds(1));
  clock_.Advance(absl::Minutes(5));
  Answer(kGitLabStatus, 429, "");
  EXPECT_EQ(Mark(gitlab_, Status()).retry_after, absl::Minutes(1));
  clock_.Advance(absl::Minutes(5));
  Answer(kGitLabStatus, 429, "", {{"Retry-After", "99999999"}});
  EXPECT_EQ(Mark(gitlab_, Status()).retry_after, absl::Hours(1));
}

TEST_F(ProviderApiTest, GitHubNamesWhatAPushChanged) {
  const std::string before(40, 'a');
  const std::string compare = "GET /api/v3/repos/team/app/compare/";
  const std::string forward = absl::StrCat(compare, before, "...", kCommit, "?per_page=1&page=1");
  Answer(forward, 200, R"({"status": "ahead", "files": [
      {"filename": "src/new.c", "status": "renamed", "previous_filename": "src/old.c"}, {"filename": "README"}]})");
  auto changed = provider_->ListChangedPaths(github_, token_, "team/app", before, kCommit);
  ASSERT_TRUE(changed.ok()) << changed.status();
  EXPECT_THAT(changed->paths, ElementsAre("README", "src/new.c", "src/old.c"));
  EXPECT_EQ(changed->incomplete, "");
  EXPECT_THAT(asked_, ElementsAre(forward));
  // History was rewritten: what the other side had changed is gone now, and so has changed.
  Answer(forward, 200, R"({"status": "diverged", "files": [{"filename": "ours"}]})");
  Answer(absl::StrCat(compare, kCommit, "...", before, "?per_page=1&page=1"), 200,
         R"({"status": "diverged", "files": [{"filename": "theirs"}]})");
  changed = provider_->ListChangedPaths(github_, token_, "team/app", before, kCommit);
  ASSERT_TRUE(changed.ok()) << changed.status();
  EXPECT_THAT(changed->paths, ElementsAre("ours", "theirs"));
  EXPECT_EQ(changed->incomplete, "");
}

TEST_F(ProviderApiTest, AComparisonThatWasCutShortIsKnownAsSuch) {
  const std::string before(40, 'a');
  const std::string github =
      absl::StrCat("GET /api/v3/repos/team/app/compare/", before, "...", kCommit, "?per_page=1&page=1");
  const std::string gitlab = absl::StrCat("GET /api/v4/projects/team%2Fapp/repository/compare?from=", before,
                                          "&to=", kCommit, "&straight=true");
  json body = {{"status", "ahead"}, {"files", json::array()}};
  for (int i = 0; i < 300; ++i) body["files"].push_back({{"filename", absl::StrCat("file", i)}});
  Answer(github, 200, body.dump());
  EXPECT_THAT(provider_->ListChangedPaths(github_, token_, "team/app", before, kCommit)->incomplete,
              HasSubstr("at most 300 files"));
  Answer(github, 200, absl::StrCat(R"({"status": "ahead", "files": [{"patch": ")", std::string(5 << 20, 'x'), "\"}]}"));
  EXPECT_THAT(provider_->ListChangedPaths(github_, token_, "team/app", before, kCommit)->incomplete,
              HasSubstr("too large"));
  Answer(github, 404, R"({"message": "Not Found"})");
  EXPECT_TRUE(absl::IsNotFound(provider_->ListChangedPaths(github_, token_, "team/app", before, kCommit).status()));
  Answer(gitlab, 200, R"({"diffs": [{"old_path": "a", "new_path": "b"}], "compare_timeout": true})");
  const auto changed = provider_->ListChangedPaths(gitlab_, token_, "team/app", before, kCommit);
  ASSERT_TRUE(changed.ok()) << changed.status();
  EXPECT_THAT(changed->paths, ElementsAre("a", "b"));
  EXPECT_THAT(changed->incomplete, HasSubstr("cut"));
  Answer(gitlab, 200, R"({"diffs": [{"old_path": "a", "new_path": "a"}], "compare_timeout": false})");
  EXPECT_EQ(provider_->ListChangedPaths(gitlab_, token_, "team/app", before, kCommit)->incomplete, "");
}

TEST_F(ProviderApiTest, AMovedRepositoryIsFollowedWithinTheOriginOnly) {
  Answer(kGitHubStatus, 307, "", {{"Location", absl::StrCat("/api/v3/repositories/7/statuses/", kCommit)}});
  Answer(absl::StrCat("POST /api/v3/repositories/7/statuses/", kCommit), 201, "{}");
  EXPECT_EQ(Mark(github_, Status()).kind, StatusOutcome::Kind::kSet);
  EXPECT_EQ(json::parse(bodies_.back())["context"], "davit/main");
  Answer(kGitHubStatus, 307, "", {{"Location", "http://127.0.0.1:1/elsewhere"}});
  EXPECT_EQ(Mark(github_, Status()).kind, StatusOutcome::Kind::kRefused);
}

TEST_F(ProviderApiTest, GitHubsRepositoriesComeInPages) {
  Answer("GET /api/v3/user/repos?sort=full_name&per_page=2&page=1", 200,
         R"([{"full_name": "ann/a", "default_branch": "main", "private": true, "archived": false, "html_url": "u"},
             {"full_name": "ann/b", "private": false, "archived": true}])",
         {{"Link", "<http://x/user/repos?page=2>; rel=\"next\", <http://x/user/repos?page=2>; rel=\"last\""}});
  Answer("GET /api/v3/user/repos?sort=full_name&per_page=2&page=2", 200, "[]");
  const auto first = provider_->ListRepositories(github_, token_, {}, {1, 2});
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_EQ(first->items.size(), 2u);
  EXPECT_EQ(first->items[0].path, "ann/a");
  EXPECT_EQ(first->items[0].default_branch, "main");
  EXPECT_TRUE(first->items[0].is_private);
  EXPECT_TRUE(first->items[1].is_archived);
  EXPECT_TRUE(first->more);
  const auto second = provider_->ListRepositories(github_, token_, {}, {2, 2});
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_TRUE(second->items.empty());
  EXPECT_FALSE(second->more);
}

TEST_F(ProviderApiTest, GitHubIsSearchedWithinTheAccountsOwnersOnly) {
  Answer("GET /api/v3/user/orgs?per_page=100&page=1", 200, R"([{"login": "team"}])");
  Answer(
      "GET /api/v3/search/repositories?q=app%20user%20evil%20in%3Aname%20fork%3Atrue%20user%3Aann%20org%3Ateam"
      "&per_page=50&page=1",
      200, R"({"total_count": 1, "items": [{"full_name": "team/app"}]})");
  const auto found = provider_->ListRepositories(github_, token_, {"app user:evil", ""}, {});
  ASSERT_TRUE(found.ok()) << found.status() << " " << asked_.back();
  ASSERT_EQ(found->items.size(), 1u);
  EXPECT_EQ(found->items[0].path, "team/app");
}

TEST_F(ProviderApiTest, WhatHasNotChangedIsAskedForConditionally) {
  const std::string line = "GET /api/v3/user/orgs?per_page=50&page=1";
  Answer(line, 200, R"([{"login": "team"}])", {{"ETag", "\"v1\""}});
  ASSERT_TRUE(provider_->ListOrganizations(github_, token_, {}).ok());
  EXPECT_FALSE(headers_.Has("If-None-Match"));
  Answer(line, 304, "");
  const auto again = provider_->ListOrganizations(github_, token_, {});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(headers_.Get("If-None-Match"), "\"v1\"");
  EXPECT_EQ(again->items[0].path, "team");
  // What one token was shown is not shown to another.
  provider_->ListOrganizations(github_, crypto::SecretString("another"), {}).IgnoreError();
  EXPECT_FALSE(headers_.Has("If-None-Match"));
}

TEST_F(ProviderApiTest, GitLabsProjectsAreThoseOfTheAccountOrOfAGroup) {
  Answer("GET /api/v4/projects?membership=true&order_by=path&sort=asc&per_page=50&page=1&search=a%20b", 200,
         R"([{"path_with_namespace": "team/sub/app", "default_branch": "main", "visibility": "internal"}])",
         {{"X-Next-Page", "2"}});
  const auto found = provider_->ListRepositories(gitlab_, token_, {"a b", ""}, {});
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->items[0].path, "team/sub/app");
  EXPECT_TRUE(found->items[0].is_private);
  EXPECT_TRUE(found->more);
  Answer("GET /api/v4/groups/team%2Fsub/projects?include_subgroups=true&order_by=path&sort=asc&per_page=50&page=1", 200,
         R"([{"path_with_namespace": "team/sub/lib", "visibility": "public"}])", {{"X-Next-Page", ""}});
  const auto group = provider_->ListRepositories(gitlab_, token_, {"", "team/sub"}, {});
  ASSERT_TRUE(group.ok()) << group.status();
  EXPECT_FALSE(group->items[0].is_private);
  EXPECT_FALSE(group->more);
  EXPECT_EQ(provider_->ListRepositories(gitlab_, token_, {"", "gone"}, {}).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(ProviderApiTest, AGenericServerHasNoApi) {
  Connection generic;
  EXPECT_EQ(Mark(generic, Status()).kind, StatusOutcome::Kind::kNotSupported);
  EXPECT_EQ(provider_->ListRepositories(generic, token_, {}, {}).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(provider_->EnsureHook(generic, token_, Hook()).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(asked_.empty());
}

TEST_F(ProviderApiTest, AGitHubHookIsInstalledThenLeftThenRepaired) {
  Answer("GET /api/v3/repos/team/app/hooks?per_page=100&page=1", 200, "[]");
  Answer("POST /api/v3/repos/team/app/hooks", 201, R"({"id": 7})");
  auto hook = provider_->EnsureHook(github_, token_, Hook());
  ASSERT_TRUE(hook.ok()) << hook.status();
  EXPECT_EQ(hook->id, "7");
  EXPECT_EQ(hook->change, HookChange::kInstalled);
  json body = json::parse(bodies_.back());
  EXPECT_EQ(body["config"]["secret"], "hush");
  EXPECT_EQ(body["config"]["content_type"], "json");
  EXPECT_EQ(body["events"], json({"push"}));

  body["id"] = 7;
  body["config"]["secret"] = "********";
  Answer("GET /api/v3/repos/team/app/hooks/7", 200, body.dump());
  Answer("PATCH /api/v3/repos/team/app/hooks/7", 200, body.dump());
  EXPECT_EQ(provider_->EnsureHook(github_, token_, Hook("7"))->change, HookChange::kNone);
  EXPECT_EQ(json::parse(bodies_.back())["config"]["secret"], "hush");

  body["active"] = false;
  Answer("GET /api/v3/repos/team/app/hooks/7", 200, body.dump());
  EXPECT_EQ(provider_->EnsureHook(github_, token_, Hook("7"))->change, HookChange::kRepaired);
  EXPECT_EQ(json::parse(bodies_.back())["active"], true);
}

TEST_F(ProviderApiTest, AHookWhoseIdIsNotKnownIsFoundByItsAddress) {
  Answer("GET /api/v4/projects/team%2Fapp/hooks?per_page=100&page=1", 200, R"([{"id": 1, "url": "https://other"}])",
         {{"X-Next-Page", "2"}});
  Answer("GET /api/v4/projects/team%2Fapp/hooks?per_page=100&page=2", 200,
         R"([{"id": 9, "url": "https://hooks.example.com/hooks/whk_1", "push_events": true, "tag_push_events": true,
              "enable_ssl_verification": true}])");
  Answer("PUT /api/v4/projects/team%2Fapp/hooks/9", 200, "{}");
  const auto hook = provider_->EnsureHook(gitlab_, token_, Hook("8"));
  ASSERT_TRUE(hook.ok()) << hook.status();
  EXPECT_EQ(hook->id, "9");
  EXPECT_EQ(hook->change, HookChange::kNone);
  const json body = json::parse(bodies_.back());
  EXPECT_EQ(body["token"], "hush");
  EXPECT_EQ(body["tag_push_events"], true);
}

TEST_F(ProviderApiTest, AHookThatIsGoneIsRemoved) {
  Answer("DELETE /api/v3/repos/team/app/hooks/7", 204, "");
  EXPECT_TRUE(provider_->RemoveHook(github_, token_, "team/app", "7").ok());
  EXPECT_TRUE(provider_->RemoveHook(gitlab_, token_, "team/app", "7").ok());
  Answer("DELETE /api/v3/repos/team/app/hooks/7", 403, "{}");
  EXPECT_EQ(provider_->RemoveHook(github_, token_, "team/app", "7").code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(ProviderApiTest, AHookForARepositoryThatIsNotThereIsNotFound) {
  const absl::Status status = provider_->EnsureHook(github_, token_, Hook()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("team/app not found"));
}

TEST_F(ProviderApiTest, AClassicTokensMissingScopesAreNamed) {
  const auto missing = [&](const std::string& scopes) {
    Answer("GET /api/v3/user", 200, R"({"login": "ann"})", {{"X-OAuth-Scopes", scopes}});
    return provider_->VerifyToken(github_, token_)->missing_scopes;
  };
  EXPECT_THAT(missing("repo, read:org"), ElementsAre());
  EXPECT_THAT(missing("repo:status, write:repo_hook, read:org"), ElementsAre("repo: reading private repositories"));
  EXPECT_EQ(missing("").size(), 3u);
  Answer("GET /api/v3/user", 200, R"({"login": "ann"})");
  EXPECT_THAT(provider_->VerifyToken(github_, token_)->missing_scopes, ElementsAre());
}

TEST_F(ProviderApiTest, AGitLabTokenNeedsApi) {
  const auto missing = [&](const std::string& scopes) {
    Answer("GET /api/v4/user", 200, R"({"username": "ann"})");
    Answer("GET /api/v4/personal_access_tokens/self", 200, absl::StrCat(R"({"scopes": )", scopes, "}"));
    return provider_->VerifyToken(gitlab_, token_)->missing_scopes;
  };
  EXPECT_THAT(missing(R"(["api"])"), ElementsAre());
  EXPECT_THAT(missing(R"(["read_api"])"),
              ElementsAre("api: marking commits and installing webhooks", "read_repository: fetching commits"));
}

TEST_F(ProviderApiTest, AnExpiryWithAnOffsetIsUnderstood) {
  Answer("GET /api/v3/user", 200, "{}", {{"GitHub-Authentication-Token-Expiration", "2027-01-31 10:20:30 +0200"}});
  EXPECT_EQ(absl::FormatTime(provider_->VerifyToken(github_, token_)->expire_time, absl::UTCTimeZone()),
            "2027-01-31T08:20:30+00:00");
}

TEST(ProviderHttpTest, AProviderThatDoesNotAnswerIsGivenUp) {
  absl::Notification over;
  const auto server = http::Server::Start({}, [&over](const http::ServerRequest&) {
    over.WaitForNotification();
    return http::ServerResponse{200, {}, "{}"};
  });
  ASSERT_TRUE(server.ok()) << server.status();
  const std::string authority = absl::StrCat("127.0.0.1:", (*server)->port());
  http::ClientOptions options;
  options.policy = *http::AddressPolicy::Create({.allowed_hosts = {authority}});
  http::Client client(options);
  FakeClock clock;
  ProviderHttp provider(client, clock, absl::Milliseconds(200));
  ApiCall call;
  call.url = "http://" + authority + "/api/v4/user";
  call.headers = {{"PRIVATE-TOKEN", kToken}};
  const absl::Status late = provider.Send(call).status();
  EXPECT_EQ(late.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(late.message()), HasSubstr(authority));
  EXPECT_THAT(std::string(late.message()), Not(HasSubstr(kToken)));
  over.Notify();
}

TEST(OneLineTest, CutsBetweenCharacters) {
  EXPECT_EQ(OneLine("äöü", 3), "äöü");
  EXPECT_EQ(OneLine("äöüß", 3), "äö…");
  EXPECT_EQ(OneLine("a\nb", 3), "a b");
}

}  // namespace
}  // namespace davit::token_registry
