// Tests of services/builder_agent/build_log.h.
#include "services/builder_agent/build_log.h"

#include <gtest/gtest.h>

namespace davit::builder_agent {
namespace {

class BuildLogTest : public ::testing::Test {
 protected:
  BuildLogTest() : spool_(*LogSpool::Create(::testing::TempDir() + "/build.log", 1 << 20)), log_(*spool_) {}

  buildkit::StepUpdate Update(const std::string& digest, const std::string& name) {
    buildkit::StepUpdate update;
    update.digest = digest;
    update.name = name;
    update.started = absl::FromUnixSeconds(100);
    return update;
  }

  std::string Text() { return *spool_->Read(0, 1 << 20); }

  std::unique_ptr<LogSpool> spool_;
  BuildLog log_;
};

TEST_F(BuildLogTest, StepsOutputsAndEndsReadInOrder) {
  buildkit::StepUpdate from = Update("a", "[1/2] FROM base");
  buildkit::StepUpdate run = Update("b", "[2/2] RUN make");
  buildkit::StepUpdate never = Update("c", "never begins");
  never.started = absl::InfinitePast();
  log_.OnStep(never);
  log_.OnStep(from);
  from.cached = true;
  from.completed = absl::FromUnixSeconds(100);
  log_.OnStep(from);
  log_.OnStep(run);
  log_.OnOutput("b", "one\ntw");
  log_.OnOutput("b", "o\nthree");
  run.completed = absl::FromUnixSeconds(102);
  log_.OnStep(run);
  log_.OnStep(run);
  EXPECT_EQ(Text(), "#1 [1/2] FROM base\n#1 CACHED\n#2 [2/2] RUN make\n#2 one\n#2 two\n#2 three\n#2 DONE 2.0s\n");
  EXPECT_FALSE(log_.failed_step().has_value());
}

TEST_F(BuildLogTest, TheFirstFailedStepIsRemembered) {
  buildkit::StepUpdate run = Update("b", "[2/2] RUN exit 42");
  run.completed = absl::FromUnixSeconds(101);
  run.error = "exit code: 42";
  log_.OnStep(run);
  run.digest = "c";
  run.error = "context canceled";
  log_.OnStep(run);
  EXPECT_EQ(log_.failed_step()->error, "exit code: 42");
  EXPECT_EQ(Text().substr(0, 48), "#1 [2/2] RUN exit 42\n#1 ERROR: exit code: 42\n#2 ");
}

TEST_F(BuildLogTest, SecretsAreMaskedInOutputNamesErrorsAndNotesEvenWhenOtherStepsWriteBetween) {
  std::vector<crypto::SecretString> secrets;
  secrets.emplace_back("hunter22");
  log_.SetSecrets(secrets);
  log_.OnStep(Update("a", "RUN echo hunter22"));
  log_.OnStep(Update("b", "RUN other"));
  log_.OnOutput("a", "x hun");
  log_.OnOutput("b", "between\n");
  log_.OnOutput("a", "ter22 y\nhunt");
  log_.Note("token hunter22");
  log_.Finish();
  EXPECT_EQ(Text(), "#1 RUN echo ***\n#2 RUN other\n#2 between\n#1 x *** y\ntoken ***\n#1 hunt\n");
}

}  // namespace
}  // namespace davit::builder_agent
