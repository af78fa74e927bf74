// Tests of HttpProviderClient: against a real git server and a real registry, and against servers that answer as
// GitHub's and GitLab's documentation says.
#include "services/token_registry/http_provider_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>

#include "absl/strings/str_cat.h"
#include "libs/clock/clock.h"
#include "libs/git/testing/git_http_server.h"
#include "libs/http/server.h"
#include "libs/oci/testing/test_registry.h"

namespace davit::token_registry {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

RealClock clock;

constexpr char kToken[] = "planted-token-3Wq";

// A provider's API: answers by path, remembers the headers of the last request.
class ApiServer {
 public:
  ApiServer() {
    auto server = http::Server::Start({}, [this](const http::ServerRequest& request) {
      const std::lock_guard<std::mutex> lock(mutex_);
      last_ = request.headers;
      const auto found = answers_.find(request.path);
      return found == answers_.end() ? http::ServerResponse{404, {}, "{}"} : found->second;
    });
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  void Answer(const std::string& path, http::ServerResponse response) {
    const std::lock_guard<std::mutex> lock(mutex_);
    answers_[path] = std::move(response);
  }

  std::string LastHeader(absl::string_view name) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return last_.Get(name).value_or("");
  }

  std::string authority() const { return absl::StrCat("127.0.0.1:", server_->port()); }

 private:
  std::mutex mutex_;
  std::map<std::string, http::ServerResponse> answers_;
  http::Headers last_;
  std::unique_ptr<http::Server> server_;
};

http::ClientOptions Allowing(const std::string& host) {
  http::ClientOptions options;
  options.policy = *http::AddressPolicy::Create({.allowed_hosts = {host}});
  return options;
}

Connection MakeConnection(Provider provider, const std::string& authority) {
  Connection connection;
  connection.provider = provider;
  connection.base_url = "http://" + authority;
  connection.username = "ann";
  return connection;
}

TEST(GitHubTest, TellsAccountScopesAndEndOfAToken) {
  ApiServer api;
  api.Answer("/api/v3/user", {200,
                              {{"X-OAuth-Scopes", "repo, read:user"},
                               {"GitHub-Authentication-Token-Expiration", "2027-01-31 10:20:30 UTC"}},
                              R"({"login": "octocat", "id": 1})"});
  http::Client client(Allowing(api.authority()));
  HttpProviderClient provider(client, clock);
  const auto facts =
      provider.VerifyToken(MakeConnection(Provider::kGitHub, api.authority()), crypto::SecretString(kToken));
  ASSERT_TRUE(facts.ok()) << facts.status();
  EXPECT_EQ(facts->account, "octocat");
  EXPECT_EQ(facts->scopes, (std::vector<std::string>{"repo", "read:user"}));
  EXPECT_EQ(absl::FormatTime(facts->expire_time, absl::UTCTimeZone()), "2027-01-31T10:20:30+00:00");
  EXPECT_EQ(api.LastHeader("Authorization"), absl::StrCat("Bearer ", kToken));
}

TEST(GitHubTest, SaysHowATokenWasRefused) {
  ApiServer api;
  http::Client client(Allowing(api.authority()));
  HttpProviderClient provider(client, clock);
  const auto verify = [&](int status) {
    api.Answer("/api/v3/user", {status, {}, R"({"message": "Bad credentials"})"});
    return provider.VerifyToken(MakeConnection(Provider::kGitHub, api.authority()), crypto::SecretString(kToken))
        .status();
  };
  EXPECT_EQ(verify(401),
            absl::FailedPreconditionError(absl::StrCat("credential rejected by ", api.authority(), " (401)")));
  EXPECT_EQ(verify(403), absl::FailedPreconditionError(
                             absl::StrCat("access denied by ", api.authority(), " (403): Bad credentials")));
  EXPECT_EQ(verify(404).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(verify(302).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(verify(429).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(verify(502).code(), absl::StatusCode::kUnavailable);
}

TEST(GitHubTest, AsksNothingOfAnAddressThatIsNotAllowed) {
  ApiServer api;
  http::Client client{http::ClientOptions()};
  HttpProviderClient provider(client, clock);
  const auto facts =
      provider.VerifyToken(MakeConnection(Provider::kGitHub, api.authority()), crypto::SecretString(kToken));
  EXPECT_EQ(facts.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(api.LastHeader("Authorization"), "");
  EXPECT_THAT(std::string(facts.status().message()), Not(HasSubstr(kToken)));
}

TEST(GitLabTest, TellsAccountScopesAndEndOfAToken) {
  ApiServer api;
  api.Answer("/api/v4/user", {200, {}, R"({"username": "ann", "id": 1})"});
  api.Answer("/api/v4/personal_access_tokens/self",
             {200, {}, R"({"scopes": ["api", "read_repository"], "expires_at": "2027-01-31", "active": true})"});
  http::Client client(Allowing(api.authority()));
  HttpProviderClient provider(client, clock);
  const auto facts =
      provider.VerifyToken(MakeConnection(Provider::kGitLab, api.authority()), crypto::SecretString(kToken));
  ASSERT_TRUE(facts.ok()) << facts.status();
  EXPECT_EQ(facts->account, "ann");
  EXPECT_EQ(facts->scopes, (std::vector<std::string>{"api", "read_repository"}));
  EXPECT_EQ(absl::FormatTime(facts->expire_time, absl::UTCTimeZone()), "2027-01-31T00:00:00+00:00");
  EXPECT_EQ(api.LastHeader("PRIVATE-TOKEN"), kToken);
}

TEST(GitLabTest, AcceptsATokenThatMayOnlyReadRepositories) {
  ApiServer api;
  api.Answer("/api/v4/user", {403, {}, R"({"error": "insufficient_scope", "scope": "api read_api"})"});
  http::Client client(Allowing(api.authority()));
  HttpProviderClient provider(client, clock);
  const auto facts =
      provider.VerifyToken(MakeConnection(Provider::kGitLab, api.authority()), crypto::SecretString(kToken));
  ASSERT_TRUE(facts.ok()) << facts.status();
  EXPECT_EQ(facts->account, "");
  EXPECT_EQ(facts->expire_time, absl::InfiniteFuture());
}

TEST(GitLabTest, RefusesARevokedTokenAndAnAnswerThatIsNotJson) {
  ApiServer api;
  api.Answer("/api/v4/user", {401, {}, R"({"message": "401 Unauthorized"})"});
  http::Client client(Allowing(api.authority()));
  HttpProviderClient provider(client, clock);
  const Connection connection = MakeConnection(Provider::kGitLab, api.authority());
  EXPECT_EQ(provider.VerifyToken(connection, crypto::SecretString(kToken)).status(),
            absl::FailedPreconditionError(absl::StrCat("credential rejected by ", api.authority(), " (401)")));
  api.Answer("/api/v4/user", {403, {}, "<html>"});
  EXPECT_EQ(provider.VerifyToken(connection, crypto::SecretString(kToken)).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(GenericGitTest, TriesTheTokenOnTheProbeRepository) {
  const auto server = git::GitHttpServer::Start({.username = "ann", .password = kToken});
  ASSERT_TRUE(server.ok()) << server.status();
  git::MakeBareRepository((*server)->PathOf("team/app.git"));
  http::Client client(Allowing((*server)->authority()));
  HttpProviderClient provider(client, clock);
  Connection connection = MakeConnection(Provider::kGenericGit, (*server)->authority());
  // The server's own path to its repositories is part of the base URL.
  const std::string url = (*server)->UrlOf("team/app.git");
  connection.base_url = url.substr(0, url.find("/team/app.git"));
  connection.probe_repository = "team/app";
  EXPECT_TRUE(provider.VerifyToken(connection, crypto::SecretString(kToken)).ok());
  const absl::Status wrong = provider.VerifyToken(connection, crypto::SecretString("wrong")).status();
  EXPECT_EQ(wrong.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(wrong.message()),
              HasSubstr(absl::StrCat("credential rejected by ", (*server)->authority(), " (401)")));
  connection.probe_repository = "team/gone";
  const absl::Status gone = provider.VerifyToken(connection, crypto::SecretString(kToken)).status();
  EXPECT_EQ(gone.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(gone.message()), HasSubstr("repository not found"));
  connection.probe_repository.clear();
  EXPECT_EQ(provider.VerifyToken(connection, crypto::SecretString("wrong")).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(GenericGitTest, ListsBranchesTagsAndTheDefaultBranch) {
  const auto server = git::GitHttpServer::Start({.username = "ann", .password = kToken});
  ASSERT_TRUE(server.ok()) << server.status();
  git::MakeBareRepository((*server)->PathOf("team/app.git"));
  git::ScratchDirectory scratch;
  const git::GitRepository repository(scratch.path() + "/work");
  repository.Write("Dockerfile", "FROM scratch\n");
  const std::string commit = repository.CommitAll("first").Hex();
  repository.Git({"tag", "-a", "v1", "-m", "one"});
  repository.Git({"push", "-q", (*server)->PathOf("team/app.git"), "main", "v1"});
  http::Client client(Allowing((*server)->authority()));
  HttpProviderClient provider(client, clock);
  const Connection connection = MakeConnection(Provider::kGenericGit, (*server)->authority());
  const auto refs = provider.ListRefs(connection, (*server)->UrlOf("team/app.git"), crypto::SecretString(kToken));
  ASSERT_TRUE(refs.ok()) << refs.status();
  ASSERT_EQ(refs->refs.size(), 2u);
  EXPECT_EQ(refs->refs[0].name, "refs/heads/main");
  EXPECT_EQ(refs->refs[0].commit, commit);
  EXPECT_EQ(refs->refs[1].name, "refs/tags/v1");
  EXPECT_EQ(refs->refs[1].commit, commit);
  EXPECT_EQ(refs->default_branch, "refs/heads/main");
  EXPECT_EQ(
      provider.ListRefs(connection, (*server)->UrlOf("team/app.git"), crypto::SecretString("wrong")).status().code(),
      absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(
      provider.ListRefs(connection, (*server)->UrlOf("team/gone.git"), crypto::SecretString(kToken)).status().code(),
      absl::StatusCode::kNotFound);
}

TEST(RegistryTest, TriesUserAndPassword) {
  const auto registry = oci::testing::TestRegistry::StartWithPassword("ann", kToken);
  ASSERT_TRUE(registry.ok()) << registry.status();
  http::Client client(Allowing((*registry)->address()));
  HttpProviderClient provider(client, clock);
  RegistryCredential credential;
  credential.registry = (*registry)->address();
  credential.username = "ann";
  EXPECT_TRUE(provider.VerifyRegistryCredential(credential, crypto::SecretString(kToken)).ok());
  const absl::Status wrong = provider.VerifyRegistryCredential(credential, crypto::SecretString("wrong"));
  EXPECT_EQ(wrong,
            absl::FailedPreconditionError(absl::StrCat("credential rejected by ", (*registry)->address(), " (401)")));
  http::Client strict{http::ClientOptions()};
  HttpProviderClient refusing(strict, clock);
  EXPECT_EQ(refusing.VerifyRegistryCredential(credential, crypto::SecretString(kToken)).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(RegistryTest, TakesARegistryWithoutAuthentication) {
  const auto registry = oci::testing::TestRegistry::Start();
  ASSERT_TRUE(registry.ok()) << registry.status();
  http::Client client(Allowing((*registry)->address()));
  HttpProviderClient provider(client, clock);
  RegistryCredential credential;
  credential.registry = (*registry)->address();
  EXPECT_TRUE(provider.VerifyRegistryCredential(credential, crypto::SecretString()).ok());
}

}  // namespace
}  // namespace davit::token_registry
