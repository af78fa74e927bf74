// Tests of the commands that reach through the token-registry, against a fake one on an in-process channel.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "davit/registry/v1/token_registry.grpc.pb.h"
#include "libs/clock/testing/fake_clock.h"
#include "libs/ids/testing/fake_random.h"
#include "libs/logging/logger.h"
#include "libs/metrics/metrics.h"
#include "libs/rpc/server.h"
#include "services/cli/cli.h"
#include "services/cli/docker_config.h"
#include "services/cli/exit_code.h"

namespace davit::cli {
namespace {

namespace v1 = ::davit::registry::v1;
using ::testing::HasSubstr;
using ::testing::Not;

// Three repositories, two a page; two batches of secrets to re-wrap.
class FakeRegistry : public v1::TokenRegistry::Service {
 public:
  grpc::Status ListRepositories(grpc::ServerContext*, const v1::ListRepositoriesRequest* request,
                                v1::ListRepositoriesResponse* response) override {
    listed = *request;
    const bool first = request->page_token().empty();
    for (const char* path : first ? std::vector<const char*>{"team/a", "team/b"} : std::vector<const char*>{"team/c"}) {
      v1::Repository* const repository = response->add_repositories();
      repository->set_path(path);
      repository->set_default_branch("main");
      repository->set_private_(true);
    }
    if (first) response->set_next_page_token("more");
    return grpc::Status::OK;
  }

  grpc::Status EnsureWebhook(grpc::ServerContext*, const v1::EnsureWebhookRequest* request,
                             v1::EnsureWebhookResponse* response) override {
    response->mutable_webhook()->set_id("whk_1");
    response->mutable_webhook()->set_repository(request->repository());
    response->set_url("https://hooks.example.com/hooks/whk_1");
    response->set_change(v1::EnsureWebhookResponse::CHANGE_REPAIRED);
    return grpc::Status::OK;
  }

  grpc::Status RotateKeys(grpc::ServerContext*, const v1::RotateKeysRequest*,
                          v1::RotateKeysResponse* response) override {
    response->set_key_id("k2");
    response->set_rewrapped(stuck ? 0 : 2);
    response->set_remaining(stuck ? 2 : remaining);
    remaining = 0;
    return grpc::Status::OK;
  }

  grpc::Status CreateRegistryCredential(grpc::ServerContext*, const v1::CreateRegistryCredentialRequest* request,
                                        v1::CreateRegistryCredentialResponse* response) override {
    created.push_back(*request);
    if (request->registry_credential().registry() == "refused.example.com") {
      return {grpc::StatusCode::FAILED_PRECONDITION, "credential rejected by refused.example.com (401)"};
    }
    *response->mutable_registry_credential() = request->registry_credential();
    response->mutable_registry_credential()->set_id("rcr_1");
    return grpc::Status::OK;
  }

  v1::ListRepositoriesRequest listed;
  std::vector<v1::CreateRegistryCredentialRequest> created;
  int remaining = 2;
  bool stuck = false;
};

class ProviderCommandsTest : public ::testing::Test {
 protected:
  ProviderCommandsTest() {
    auto started = rpc::Server::Start(rpc::ServerOptions(), {&registry_}, Logger::Discarding(), metrics_);
    EXPECT_TRUE(started.ok()) << started.status();
    server_ = *std::move(started);
  }

  int Run(std::vector<std::string> arguments) {
    out_.str("");
    err_.str("");
    return cli::Run(arguments, environment_);
  }

  FakeRegistry registry_;
  metrics::Registry metrics_;
  std::unique_ptr<rpc::Server> server_;
  FakeClock clock_;
  FakeRandom random_;
  std::istringstream in_;
  std::ostringstream out_;
  std::ostringstream err_;
  Environment environment_{
      [](const std::string& name) -> std::optional<std::string> {
        if (name == "DAVIT_TOKEN") return "dvt_mine";
        if (name == "DOCKER_CONFIG") return std::getenv("TEST_TMPDIR");
        return std::nullopt;
      },
      in_,
      out_,
      err_,
      nullptr,
      [this](const std::string&, const rpc::ClientOptions& options) { return server_->InProcessChannel(options); },
      clock_,
      random_};
};

TEST_F(ProviderCommandsTest, RepositoriesAreListedPageByPageUpToTheLimit) {
  ASSERT_EQ(Run({"connect", "repositories", "con_1", "--search", "app", "--organization", "team"}), kExitOk)
      << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("team/c"));
  EXPECT_EQ(registry_.listed.query(), "app");
  EXPECT_EQ(registry_.listed.organization(), "team");
  ASSERT_EQ(Run({"connect", "repositories", "con_1", "--limit", "1"}), kExitOk);
  EXPECT_THAT(out_.str(), Not(HasSubstr("team/b")));
}

TEST_F(ProviderCommandsTest, AnEnsuredWebhookSaysWhatChanged) {
  ASSERT_EQ(Run({"webhook", "ensure", "con_1", "--repository", "team/app"}), kExitOk) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("repaired"));
  EXPECT_EQ(Run({"webhook", "ensure", "con_1"}), kExitUsage);
}

TEST_F(ProviderCommandsTest, KeysAreRotatedUntilNothingRemains) {
  ASSERT_EQ(Run({"keys", "rotate"}), kExitOk) << err_.str();
  EXPECT_THAT(err_.str(), HasSubstr("re-wrapped 2, 2 to go"));
  EXPECT_THAT(out_.str(), HasSubstr("every secret is wrapped by k2 (4 were changed)"));
  registry_.stuck = true;
  EXPECT_NE(Run({"keys", "rotate"}), kExitOk);
  EXPECT_THAT(err_.str(), HasSubstr("no progress"));
}

TEST_F(ProviderCommandsTest, DockersCredentialsAreImported) {
  // ann:hush and bob:wrong in base64.
  std::ofstream(std::string(std::getenv("TEST_TMPDIR")) + "/config.json")
      << R"({"auths": {"https://index.docker.io/v1/": {"auth": "YW5uOmh1c2g="}, "refused.example.com": {"auth": "Ym9iOndyb25n"},
             "helped.example.com": {}}})";
  EXPECT_EQ(Run({"registry-credential", "import", "--registry", "docker.io"}), kExitOk) << err_.str();
  ASSERT_EQ(registry_.created.size(), 1u);
  EXPECT_EQ(registry_.created[0].registry_credential().username(), "ann");
  EXPECT_EQ(registry_.created[0].password(), "hush");
  EXPECT_THAT(out_.str(), HasSubstr("imported as rcr_1"));
  EXPECT_EQ(Run({"registry-credential", "import"}), kExitServer);
  EXPECT_THAT(out_.str(), HasSubstr("credential helper"));
  EXPECT_THAT(out_.str(), HasSubstr("refused: credential rejected by refused.example.com (401)"));
  EXPECT_THAT(out_.str() + err_.str(), Not(HasSubstr("hush")));
}

TEST(DockerConfigTest, ReadsEveryFormOfAnEntry) {
  const auto credentials = ReadDockerConfig(crypto::SecretString(
      R"({"auths": {"http://127.0.0.1:5000": {"username": "ann", "password": "hush"}, "a.example.com": {"auth": "%%"},
                    "b.example.com": {"identitytoken": "t"}}, "credHelpers": {"c.example.com": "pass"}})"));
  ASSERT_TRUE(credentials.ok()) << credentials.status();
  ASSERT_EQ(credentials->size(), 4u);
  EXPECT_EQ((*credentials)[0].registry, "127.0.0.1:5000");
  EXPECT_EQ((*credentials)[0].password.Reveal(), "hush");
  EXPECT_THAT((*credentials)[1].problem, HasSubstr("base64"));
  EXPECT_THAT((*credentials)[2].problem, HasSubstr("identity token"));
  EXPECT_THAT((*credentials)[3].problem, HasSubstr("credential helper"));
  EXPECT_FALSE(ReadDockerConfig(crypto::SecretString("hush")).ok());
}

}  // namespace
}  // namespace davit::cli
