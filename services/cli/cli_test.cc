// Tests of the commands against fake services on an in-process channel.
#include "services/cli/cli.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "libs/clock/testing/fake_clock.h"
#include "libs/ids/testing/fake_random.h"
#include "libs/logging/logger.h"
#include "libs/metrics/metrics.h"
#include "libs/rpc/server.h"
#include "services/cli/command.h"
#include "services/cli/exit_code.h"
#include "services/cli/testing/fake_services.h"

namespace davit::cli {
namespace {

namespace registry_v1 = ::davit::registry::v1;
namespace rules_v1 = ::davit::rules::v1;
namespace scheduler_v1 = ::davit::scheduler::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const grpc::Status kLost(grpc::StatusCode::UNAVAILABLE, "connection reset");

class CliTest : public ::testing::Test {
 protected:
  CliTest() {
    auto started = rpc::Server::Start(rpc::ServerOptions(), {&identity_, &registry_, &secrets_, &rules_, &scheduler_},
                                      Logger::Discarding(), metrics_);
    EXPECT_TRUE(started.ok()) << started.status();
    server_ = *std::move(started);
  }

  int Run(std::vector<std::string> arguments) {
    out_.str("");
    err_.str("");
    return cli::Run(arguments, environment_);
  }

  static std::string WriteFile(const std::string& name, const std::string& text) {
    const std::string path = std::string(std::getenv("TEST_TMPDIR")) + "/" + name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  FakeIdentity identity_;
  FakeRegistry registry_;
  FakeSecrets secrets_;
  FakeRules rules_;
  FakeScheduler scheduler_;
  metrics::Registry metrics_;
  std::unique_ptr<rpc::Server> server_;
  FakeClock clock_;
  FakeRandom random_;
  std::map<std::string, std::string> variables_ = {{"DAVIT_TOKEN", "dvt_mine"}};
  std::istringstream in_;
  std::ostringstream out_;
  std::ostringstream err_;
  std::vector<std::string> targets_;
  Environment environment_{[this](const std::string& name) -> std::optional<std::string> {
                             const auto found = variables_.find(name);
                             if (found == variables_.end()) return std::nullopt;
                             return found->second;
                           },
                           in_,
                           out_,
                           err_,
                           nullptr,
                           [this](const std::string& target, const rpc::ClientOptions& options) {
                             targets_.push_back(target);
                             return server_->InProcessChannel(options);
                           },
                           clock_,
                           random_};
};

TEST_F(CliTest, EveryCommandHasAHelpAndParsesItsOwnExamples) {
  for (const Command& command : AllCommands()) {
    EXPECT_EQ(Run({"help", command.name.substr(0, command.name.find(' '))}), kExitOk) << command.name;
    EXPECT_THAT(command.summary, testing::EndsWith(".")) << command.name;
  }
  EXPECT_EQ(Run({"rule", "create", "--help"}), kExitOk);
  EXPECT_THAT(out_.str(), HasSubstr("--image-tag TEMPLATE"));
  EXPECT_EQ(Run({"rule", "-h"}), kExitOk);
  EXPECT_THAT(out_.str(), HasSubstr("rule preview-tags"));
  EXPECT_EQ(Run({"help"}), kExitOk);
  EXPECT_THAT(out_.str(), HasSubstr("Exit codes:"));
  EXPECT_EQ(Run({}), kExitUsage);
  EXPECT_EQ(Run({"version"}), kExitOk);
}

TEST_F(CliTest, MistakesOnTheCommandLineAreUsageErrors) {
  EXPECT_EQ(Run({"biulds"}), kExitUsage);
  EXPECT_EQ(err_.str(), "davit: unknown command \"biulds\"; did you mean \"builds\"?\n");
  EXPECT_EQ(Run({"rule", "creat"}), kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("did you mean \"rule create\"?"));
  EXPECT_EQ(Run({"logs"}), kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("missing argument BUILD"));
  EXPECT_EQ(Run({"builds", "-o", "yaml"}), kExitUsage);
  EXPECT_EQ(Run({"logs", "bld_1", "-o", "json"}), kExitUsage);
}

TEST_F(CliTest, WithoutAnApiTokenNothingIsCalled) {
  variables_.clear();
  EXPECT_EQ(Run({"builds"}), kExitDenied);
  EXPECT_THAT(err_.str(), HasSubstr("--api-token-file"));
  EXPECT_TRUE(targets_.empty());
}

TEST_F(CliTest, TheConfigurationIsCheckedWithoutACall) {
  EXPECT_EQ(Run({"--check-config"}), kExitOk);
  EXPECT_EQ(out_.str(), "The configuration is valid.\n");
  variables_ = {{"DAVIT_SERVER", "http://davit"}, {"DAVIT_TOKEN_FILE", "/nowhere/token"}};
  out_.str("");
  EXPECT_EQ(Run({"builds", "--check-config", "--scheduler", "a:1"}), kExitBadConfig);
  EXPECT_THAT(out_.str(), HasSubstr("--token-registry: \"http://davit\" is no address of a service"));
  EXPECT_THAT(out_.str(), HasSubstr("--api-token-file: cannot read the secret file /nowhere/token"));
  EXPECT_THAT(out_.str(), testing::Not(HasSubstr("--scheduler")));
  EXPECT_TRUE(targets_.empty());
}

TEST_F(CliTest, TheServerAndTheTokenComeFromOptionsOrTheEnvironment) {
  in_.str("ghp_secret\n");
  ASSERT_EQ(Run({"--server", "a:1", "connect", "create", "--name", "work", "--provider", "github"}), kExitOk)
      << err_.str();
  EXPECT_EQ(registry_.authorization, "Bearer dvt_mine");
  variables_ = {{"DAVIT_TOKEN_FILE", WriteFile("token", "dvt_file\n")}, {"DAVIT_SERVER", "b:2"}};
  in_.clear();
  in_.str("ghp_secret\n");
  ASSERT_EQ(Run({"connect", "create", "--name", "work", "--provider", "github"}), kExitOk) << err_.str();
  EXPECT_EQ(registry_.authorization, "Bearer dvt_file");
  ASSERT_EQ(Run({"builds", "--scheduler=c:3"}), kExitOk);
  variables_.erase("DAVIT_SERVER");
  ASSERT_EQ(Run({"builds"}), kExitOk);
  EXPECT_THAT(targets_, ElementsAre("a:1", "b:2", "c:3", "127.0.0.1:7080"));
}

TEST_F(CliTest, AnAccessTokenIsReadFromAFileStandardInputOrAPromptAndNotShown) {
  const std::vector<std::string> create = {"connect",    "create", "--name",    "lab",
                                           "--provider", "gitlab", "--project", "team"};
  in_.str("glpat-stdin\n");
  ASSERT_EQ(Run(create), kExitOk) << err_.str();
  EXPECT_EQ(registry_.created.token(), "glpat-stdin");
  EXPECT_EQ(registry_.created.project(), "team");
  EXPECT_EQ(registry_.created.connection().provider(), registry_v1::PROVIDER_GITLAB);
  EXPECT_THAT(out_.str(), HasSubstr("state:    active"));
  EXPECT_THAT(out_.str() + err_.str(), Not(HasSubstr("glpat")));

  std::vector<std::string> with_file = create;
  with_file.insert(with_file.end(), {"--token-file", WriteFile("access", "glpat-file\n")});
  ASSERT_EQ(Run(with_file), kExitOk);
  EXPECT_EQ(registry_.created.token(), "glpat-file");

  environment_.ask_hidden = [](const std::string& prompt) -> absl::StatusOr<std::string> {
    EXPECT_EQ(prompt, "Access token: ");
    return std::string("glpat-typed");
  };
  ASSERT_EQ(Run(create), kExitOk);
  EXPECT_EQ(registry_.created.token(), "glpat-typed");
}

TEST_F(CliTest, AListFetchesItsPagesUpToTheLimit) {
  ASSERT_EQ(Run({"connect", "list"}), kExitOk);
  EXPECT_THAT(out_.str(), HasSubstr("con_2"));
  ASSERT_EQ(Run({"connect", "list", "--limit", "1"}), kExitOk);
  EXPECT_THAT(out_.str(), Not(HasSubstr("con_1")));
  ASSERT_EQ(Run({"connect", "list", "-o", "json"}), kExitOk);
  EXPECT_THAT(out_.str(), StartsWith("{\n \"connections\": ["));
  EXPECT_THAT(out_.str(), HasSubstr("\"next_page_token\": \"\""));
}

TEST_F(CliTest, AServersErrorsHaveTheirExitCodes) {
  EXPECT_EQ(Run({"connect", "verify", "con_1"}), kExitServer);
  EXPECT_THAT(out_.str(), HasSubstr("credential rejected by github.com (401)"));
  EXPECT_EQ(Run({"connect", "verify", "con_9"}), kExitNotFound);
  EXPECT_EQ(err_.str(), "davit: NOT_FOUND: no such connection\n");
  EXPECT_EQ(Run({"cancel", "bld_1"}), kExitServer);
  EXPECT_EQ(ExitCodeOf(absl::UnavailableError("")), kExitUnavailable);
  EXPECT_EQ(ExitCodeOf(absl::PermissionDeniedError("")), kExitDenied);
}

TEST_F(CliTest, AWebhooksSecretAndATokensTextAreShownOnce) {
  ASSERT_EQ(Run({"webhook", "create", "con_1"}), kExitOk);
  EXPECT_THAT(out_.str(), HasSubstr("path:       /hooks/whk_1\nsecret:     the-secret\n"));
  ASSERT_EQ(Run({"tokens", "create", "--name", "a", "--role", "agent", "--all-projects", "--expires-in", "24h"}),
            kExitOk);
  EXPECT_THAT(out_.str(), HasSubstr("dvt_new"));
  EXPECT_EQ(identity_.created.project(), "*");
  EXPECT_EQ(identity_.created.role(), registry_v1::ROLE_AGENT);
  EXPECT_EQ(identity_.created.expire_time().seconds(), absl::ToUnixSeconds(clock_.Now()) + 86400);
  EXPECT_EQ(Run({"tokens", "create", "--name", "a", "--role", "root"}), kExitUsage);
}

TEST_F(CliTest, ARuleIsMadeOfItsOptions) {
  ASSERT_EQ(Run({"rule", "create", "--name=app", "--connection=con_1", "--repository=team/app", "--branch=main",
                 "--branch=release/*", "--tag=v*", "--image=127.0.0.1:5000/team/app:latest", "-t", "{branch}", "-f",
                 "docker/Dockerfile", "--build-arg", "A=1", "--timeout", "90s"}),
            kExitOk)
      << err_.str();
  const auto& rule = rules_.created.rule();
  EXPECT_THAT(rule.trigger().branches(), ElementsAre("main", "release/*"));
  EXPECT_THAT(rule.trigger().tags(), ElementsAre("v*"));
  EXPECT_THAT(rule.tag_templates(), ElementsAre("{branch}", "latest"));
  EXPECT_EQ(rule.destination().repository(), "127.0.0.1:5000/team/app");
  EXPECT_EQ(rule.recipe().dockerfile_path(), "docker/Dockerfile");
  EXPECT_EQ(rule.recipe().build_args().at("A"), "1");
  EXPECT_EQ(rule.recipe().timeout().seconds(), 90);
  EXPECT_EQ(Run({"rule", "create", "--name=app"}), kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("option --connection is required"));
}

TEST_F(CliTest, APolicyAndSecretsAreOptionsOfRulesAndBuilds) {
  ASSERT_EQ(Run({"rule",
                 "create",
                 "--name=app",
                 "--connection=con_1",
                 "--repository=team/app",
                 "--image=r/app:latest",
                 "--priority",
                 "-5",
                 "--supersede",
                 "queued",
                 "--concurrency-group",
                 "deploy",
                 "--max-concurrent",
                 "2",
                 "--reuse-window",
                 "36h",
                 "--retries",
                 "0",
                 "--secret",
                 "npm",
                 "--secret",
                 "pip=pip-token"}),
            kExitOk)
      << err_.str();
  const auto& rule = rules_.created.rule();
  EXPECT_EQ(rule.policy().priority(), -5);
  EXPECT_EQ(rule.policy().supersede(), common::v1::SUPERSEDE_POLICY_SKIP_QUEUED);
  EXPECT_EQ(rule.policy().concurrency_group(), "deploy");
  EXPECT_EQ(rule.policy().max_concurrent(), 2);
  EXPECT_EQ(rule.policy().reuse_window().seconds(), 36 * 3600);
  EXPECT_TRUE(rule.policy().has_infrastructure_retries());
  EXPECT_EQ(rule.recipe().secrets(0).id(), "npm");
  EXPECT_EQ(rule.recipe().secrets(1).secret(), "pip-token");
  EXPECT_THAT(out_.str(), HasSubstr("supersede:      queued"));
  EXPECT_THAT(out_.str(), HasSubstr("pip=pip-token"));

  ASSERT_EQ(Run({"rule", "update", "rul_1", "--priority", "3", "--clear", "retries", "--clear", "secret"}), kExitOk);
  EXPECT_THAT(rules_.updated.update_mask().paths(),
              ElementsAre("policy.priority", "policy.infrastructure_retries", "recipe.secrets"));
  EXPECT_FALSE(rules_.updated.rule().policy().has_infrastructure_retries());
  EXPECT_EQ(Run({"rule", "update", "rul_1", "--supersede", "all"}), kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("off, queued or running"));

  ASSERT_EQ(Run({"build", "--connection=con_1", "--repository=team/app", "--image=r/app", "--priority=7",
                 "--supersede=running", "--secret=npm"}),
            kExitOk);
  EXPECT_EQ(scheduler_.created.policy().priority(), 7);
  EXPECT_EQ(scheduler_.created.policy().supersede(), common::v1::SUPERSEDE_POLICY_CANCEL_RUNNING);
  EXPECT_EQ(scheduler_.created.spec().recipe().secrets(0).id(), "npm");
  ASSERT_EQ(Run({"build", "--connection=con_1", "--repository=team/app", "--image=r/app"}), kExitOk);
  EXPECT_FALSE(scheduler_.created.has_policy());
}

TEST_F(CliTest, ASecretsValueIsReadAsItIsAndNotShown) {
  const std::string value = std::string("two\nlines\0\n", 11);
  ASSERT_EQ(Run({"secret", "create", "npm", "--from-file", WriteFile("npmrc", value)}), kExitOk) << err_.str();
  EXPECT_EQ(secrets_.created.value(), value);
  EXPECT_EQ(secrets_.created.secret().name(), "npm");
  EXPECT_THAT(out_.str() + err_.str(), Not(HasSubstr("lines")));
  in_.str("piped\n");
  ASSERT_EQ(Run({"secret", "update", "npm"}), kExitOk) << err_.str();
  EXPECT_EQ(secrets_.updated.value(), "piped\n");
  ASSERT_EQ(Run({"secret", "update", "npm", "--description", "new"}), kExitOk) << err_.str();
  EXPECT_FALSE(secrets_.updated.has_value());
  EXPECT_EQ(secrets_.updated.description(), "new");
  ASSERT_EQ(Run({"secret", "list"}), kExitOk);
  EXPECT_THAT(out_.str(), HasSubstr("npm"));
  EXPECT_EQ(Run({"secret", "create", "npm", "--from-file", "/nowhere"}), kExitUsage);
}

TEST_F(CliTest, AnUpdateChangesOnlyWhatIsGiven) {
  ASSERT_EQ(Run({"rule", "update", "rul_1", "--branch", "dev", "--clear", "target", "--etag", "7"}), kExitOk)
      << err_.str();
  EXPECT_THAT(rules_.updated.update_mask().paths(), ElementsAre("trigger.branches", "recipe.target"));
  EXPECT_EQ(rules_.updated.rule().etag(), "7");
  EXPECT_EQ(Run({"rule", "update", "rul_1"}), kExitUsage);
  EXPECT_EQ(Run({"rule", "update", "rul_1", "--clear", "name"}), kExitUsage);
}

TEST_F(CliTest, AnEventExplainsItself) {
  ASSERT_EQ(Run({"events", "get", "evt_1"}), kExitOk);
  EXPECT_THAT(out_.str(), HasSubstr("1 of 2 rules matched"));
  EXPECT_THAT(out_.str(), HasSubstr("branch-not-matched"));
  EXPECT_THAT(out_.str(), HasSubstr("refs/heads/dev matches none of main"));
}

TEST_F(CliTest, ABuildOfARepositoryNamesItsRevision) {
  ASSERT_EQ(Run({"build", "--connection=con_1", "--repository=team/app", "--branch=main", "--image=r/team/app:try"}),
            kExitOk)
      << err_.str();
  EXPECT_EQ(scheduler_.created.spec().git().ref(), "refs/heads/main");
  EXPECT_THAT(scheduler_.created.spec().tags(), ElementsAre("try"));
  EXPECT_THAT(scheduler_.created.request_id(), StartsWith("cli_"));
  EXPECT_THAT(out_.str(), HasSubstr("bld_1"));
  EXPECT_EQ(Run({"build", "--connection=con_1", "--repository=a/b", "--branch=x", "--tag=y", "--image=r/a"}),
            kExitUsage);
  EXPECT_EQ(Run({"build", "--image=r/a"}), kExitUsage);
  EXPECT_EQ(Run({"build", "--branch=x", "-f", "D", "--image=r/a"}), kExitUsage);
}

TEST_F(CliTest, ADockerfileAloneIsUploadedAndBuilt) {
  const std::string path = WriteFile("Dockerfile.tool", "FROM scratch\n");
  ASSERT_EQ(Run({"build", "-f", path, "--image=r/tool", "-t", "v1", "-o", "json"}), kExitOk) << err_.str();
  EXPECT_EQ(scheduler_.uploaded, "FROM scratch\n");
  EXPECT_EQ(scheduler_.upload_header.format(), scheduler_v1::UPLOAD_FORMAT_DOCKERFILE);
  EXPECT_EQ(scheduler_.upload_header.file_name(), "Dockerfile.tool");
  EXPECT_EQ(scheduler_.created.spec().upload().upload_id(), "upl_1");
  EXPECT_EQ(scheduler_.created.spec().recipe().dockerfile_path(), "");
  EXPECT_THAT(out_.str(), HasSubstr("\"upload_id\": \"upl_1\""));
}

TEST_F(CliTest, AnUploadOverTheLimitSaysSo) {
  scheduler_.upload_limit = 1 << 20;
  const std::string path = WriteFile("context.zip", "PK\x03\x04" + std::string(8 << 20, 'x'));
  EXPECT_EQ(Run({"build", path, "--image=r/tool"}), kExitServer);
  EXPECT_EQ(err_.str(), "davit: RESOURCE_EXHAUSTED: context over the limit 1 MiB\n");
}

TEST_F(CliTest, WaitingFollowsTheLogAndEndsWithTheOutcome) {
  scheduler_.logs = {{{LogPiece(1, 0, "step 1\n"), LogEnd(1, 7)}, grpc::Status::OK}};
  const std::vector<std::string> build = {"build", "--connection=con_1", "--repository=a/b", "--image=r/a", "--wait"};
  ASSERT_EQ(Run(build), kExitOk) << err_.str();
  EXPECT_EQ(out_.str(), "step 1\n");
  EXPECT_THAT(err_.str(), HasSubstr("-- bld_1 is queued\n-- bld_1 is running\n"));
  EXPECT_THAT(err_.str(), HasSubstr("-- bld_1 is succeeded\n"));
  scheduler_.states.back() = scheduler_v1::BUILD_STATE_FAILED;
  EXPECT_EQ(Run(build), kExitBuildFailed);
}

TEST_F(CliTest, WaitingWithJsonPrintsOneDocument) {
  scheduler_.logs = {{{LogPiece(1, 0, "step 1\n"), LogEnd(1, 7)}, grpc::Status::OK}};
  ASSERT_EQ(Run({"build", "--connection=con_1", "--repository=a/b", "--image=r/a", "-w", "-o", "json"}), kExitOk);
  EXPECT_THAT(out_.str(), StartsWith("{"));
  EXPECT_THAT(out_.str(), Not(HasSubstr("step 1")));
  EXPECT_THAT(err_.str(), HasSubstr("step 1\n"));
}

TEST_F(CliTest, ATriggeredRuleIsFollowedToItsBuild) {
  scheduler_.logs = {{{LogPiece(1, 0, "step 1\n"), LogEnd(1, 7)}, grpc::Status::OK}};
  ASSERT_EQ(Run({"rule", "trigger", "rul_1", "--revision", "main", "--wait"}), kExitOk) << err_.str();
  EXPECT_EQ(rules_.triggered.revision(), "main");
  EXPECT_EQ(out_.str(), "step 1\n");
}

TEST_F(CliTest, AFollowedLogGoesOnAtTheNextByteAfterALostConnection) {
  scheduler_.logs = {{{LogPiece(1, 0, "one "), LogPiece(1, 4, "two ")}, kLost},
                     {{}, kLost},
                     {{LogPiece(1, 4, "two three"), LogEnd(1, 13)}, grpc::Status::OK},
                     {{LogPiece(1, 0, "one two three"), LogEnd(1, 13)}, grpc::Status::OK}};
  ASSERT_EQ(Run({"logs", "-f", "bld_1"}), kExitOk) << err_.str();
  EXPECT_EQ(out_.str(), "one two three");
  ASSERT_EQ(scheduler_.reads.size(), 4u);
  EXPECT_EQ(scheduler_.reads[0].attempt(), 0);
  EXPECT_EQ(scheduler_.reads[2].attempt(), 1);
  EXPECT_EQ(scheduler_.reads[2].offset(), 8);
  EXPECT_EQ(scheduler_.reads[3].attempt(), 0);
  EXPECT_GT(clock_.slept(), absl::ZeroDuration());
}

TEST_F(CliTest, AFollowedLogGoesOnWithTheNextAttempt) {
  scheduler_.logs = {{{LogPiece(1, 0, "a"), LogEnd(1, 1), LogPiece(2, 0, "b")}, kLost},
                     {{LogPiece(2, 1, "c"), LogEnd(2, 2)}, grpc::Status::OK},
                     {{LogPiece(2, 0, "bc"), LogEnd(2, 2)}, grpc::Status::OK}};
  ASSERT_EQ(Run({"logs", "bld_1", "--follow"}), kExitOk) << err_.str();
  EXPECT_EQ(out_.str(), "abc");
  EXPECT_EQ(err_.str(), "-- attempt 2 begins\n");
}

TEST_F(CliTest, ALogThatStaysAwayIsGivenUp) {
  scheduler_.logs = {{{}, kLost}};
  EXPECT_EQ(Run({"logs", "bld_1"}), kExitUnavailable);
  EXPECT_EQ(scheduler_.reads.size(), 11u);
}

TEST_F(CliTest, AnIncompleteLogIsSaidToBeOne) {
  scheduler_v1::ReadLogResponse end = LogEnd(1, 1);
  end.set_complete(false);
  scheduler_.logs = {{{LogPiece(1, 0, "a"), end}, grpc::Status::OK}};
  ASSERT_EQ(Run({"logs", "bld_1", "--attempt", "1", "--offset", "0"}), kExitOk);
  EXPECT_THAT(err_.str(), HasSubstr("not complete"));
}

TEST_F(CliTest, BuildsAreFilteredByState) {
  ASSERT_EQ(Run({"builds", "list", "--state", "timed-out", "--state=failed", "--repository", "a/b"}), kExitOk);
  EXPECT_THAT(scheduler_.listed.states(),
              ElementsAre(scheduler_v1::BUILD_STATE_TIMED_OUT, scheduler_v1::BUILD_STATE_FAILED));
  EXPECT_EQ(scheduler_.listed.repository(), "a/b");
  EXPECT_THAT(out_.str(), HasSubstr("step 2 exited 42"));
  EXPECT_EQ(Run({"builds", "--state", "broken"}), kExitUsage);
}

constexpr char kRuleFile[] = R"(rules:
  - display_name: app
    connection_id: con_1
    repository: team/app
    trigger: {branches: [main], paths: [src/]}
    destination: {repository: 127.0.0.1:5000/team/app}
    tag_templates: [latest]
)";

TEST_F(CliTest, ARuleFileIsShownFirstAppliedOnceAndThenNothingIsLeftToChange) {
  const std::string file = WriteFile("rules.yaml", kRuleFile);
  ASSERT_EQ(Run({"rule", "apply", "-f", file}), kExitOk) << err_.str();
  EXPECT_THAT(out_.str(), StartsWith("create rule \"app\"\n+ display_name: app\n"));
  EXPECT_THAT(out_.str(), HasSubstr("nothing was changed: add --yes to make 1 change"));
  EXPECT_EQ(rules_.created.rule().display_name(), "");
  ASSERT_EQ(Run({"rule", "apply", "-f", file, "--yes"}), kExitOk) << err_.str();
  EXPECT_EQ(rules_.created.rule().trigger().paths(0), "src/");
  EXPECT_EQ(rules_.created.rule().recipe().dockerfile_path(), "Dockerfile");

  rules_.stored = {rules_.created.rule()};
  rules_.stored[0].set_id("rul_1");
  rules_.stored[0].set_etag("v7");
  ASSERT_EQ(Run({"rule", "apply", "-f", file, "--yes"}), kExitOk) << err_.str();
  EXPECT_EQ(out_.str(), "nothing to change\n");

  ASSERT_EQ(Run({"rule", "export"}), kExitOk) << err_.str();
  const std::string exported = WriteFile("exported.yaml", out_.str());
  ASSERT_EQ(Run({"rule", "apply", "-f", exported}), kExitOk) << err_.str();
  EXPECT_EQ(out_.str(), "nothing to change\n");
}

TEST_F(CliTest, AChangedRuleFileUpdatesOnlyWhatDiffers) {
  rules_v1::Rule& stored = rules_.stored.emplace_back();
  stored.set_id("rul_1");
  stored.set_etag("v7");
  stored.set_display_name("app");
  stored.set_enabled(true);
  stored.set_connection_id("con_1");
  stored.set_repository("team/app");
  stored.mutable_trigger()->add_branches("main");
  stored.mutable_destination()->set_repository("127.0.0.1:5000/team/app");
  stored.add_tag_templates("latest");
  const std::string file = WriteFile("rules.yaml", std::string(kRuleFile) + "    enabled: false\n");
  ASSERT_EQ(Run({"rule", "apply", "-f", file, "--yes"}), kExitOk) << err_.str();
  EXPECT_EQ(rules_.updated.rule().etag(), "v7");
  EXPECT_THAT(rules_.updated.update_mask().paths(), ElementsAre("trigger", "recipe"));
  EXPECT_EQ(rules_.disabled.id(), "rul_1");
  stored.set_repository("team/other");
  EXPECT_NE(Run({"rule", "apply", "-f", file}), kExitOk);
  EXPECT_THAT(err_.str(), HasSubstr("repository cannot be changed"));
}

TEST_F(CliTest, ARuleOfAFileIsSimulatedBeforeItIsApplied) {
  const std::string file = WriteFile("rules.yaml", kRuleFile);
  ASSERT_EQ(Run({"rule", "simulate", "-f", file, "--ref", "refs/heads/main", "--path", "src/a"}), kExitOk)
      << err_.str();
  EXPECT_EQ(rules_.simulated.rule().display_name(), "app");
  EXPECT_EQ(rules_.simulated.paths(0), "src/a");
  EXPECT_THAT(out_.str(), HasSubstr("latest"));
}

}  // namespace
}  // namespace davit::cli
