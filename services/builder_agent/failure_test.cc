// Tests of services/builder_agent/failure.h, with messages as BuildKit really writes them.
#include "services/builder_agent/failure.h"

#include <gtest/gtest.h>

namespace davit::builder_agent {
namespace {

using scheduler::v1::FAILURE_CLASS_INFRASTRUCTURE;
using scheduler::v1::FAILURE_CLASS_USER;

struct Case {
  const char* text;
  std::optional<FailedStep> step;
  scheduler::v1::FailureClass failure_class;
  const char* message;
};

TEST(BuildFailureTest, BuildKitsWordsBecomeWhatAUserCanActOn) {
  const Case cases[] = {
      {"executor failed running [/bin/sh -c exit 42]: exit code: 42",
       FailedStep{"[3/3] RUN exit 42", "executor failed running [/bin/sh -c exit 42]: exit code: 42"},
       FAILURE_CLASS_USER, "step 3 exited 42: [3/3] RUN exit 42"},
      {"failed to solve: process \"/bin/sh -c make\" did not complete successfully: exit code: 2",
       FailedStep{"[build 2/4] RUN make", "process \"/bin/sh -c make\" did not complete successfully: exit code: 2"},
       FAILURE_CLASS_USER, "step 2 exited 2: [build 2/4] RUN make"},
      {"failed to solve with frontend dockerfile.v0: failed to create LLB definition: 127.0.0.1:5791/nope/x:1: not "
       "found",
       FailedStep{"[internal] load metadata for 127.0.0.1:5791/nope/x:1", "127.0.0.1:5791/nope/x:1: not found"},
       FAILURE_CLASS_USER, "image not found: 127.0.0.1:5791/nope/x:1"},
      {"failed to solve: x/y:1: failed to resolve source metadata for docker.io/x/y:1: pull access denied, repository "
       "does not exist "
       "or may require authorization: server message: insufficient_scope: authorization failed",
       FailedStep{"[internal] load metadata for docker.io/x/y:1", "pull access denied, repository does not exist"},
       FAILURE_CLASS_USER, "image not found: docker.io/x/y:1"},
      {"failed to solve with frontend dockerfile.v0: failed to create LLB definition: dockerfile parse error line 2: "
       "unknown "
       "instruction: BOGUS",
       std::nullopt, FAILURE_CLASS_USER, "line 2: unknown instruction BOGUS"},
      {"failed to solve: dockerfile parse error on line 7: FROM requires either one or three arguments", std::nullopt,
       FAILURE_CLASS_USER, "line 7: FROM requires either one or three arguments"},
      {"failed to compute cache key: \"/nofile\" not found: not found",
       FailedStep{"[2/2] COPY nofile /", "\"/nofile\" not found: not found"}, FAILURE_CLASS_USER,
       "step 2 failed: \"/nofile\" not found: not found: [2/2] COPY nofile /"},
      {"failed to do request: Head \"https://r.invalid/v2/x/manifests/1\": dial tcp: lookup r.invalid: no such host",
       FailedStep{"[internal] load metadata for r.invalid/x:1", "dial tcp: lookup r.invalid: no such host"},
       FAILURE_CLASS_INFRASTRUCTURE,
       "cannot reach the registry of image r.invalid/x:1: dial tcp: lookup r.invalid: no such host"},
      {"failed to copy files: write /x: no space left on device",
       FailedStep{"[2/2] COPY . /", "no space left on device"}, FAILURE_CLASS_INFRASTRUCTURE,
       "failed to copy files: write /x: no space left on device"},
  };
  for (const Case& c : cases) {
    const scheduler::v1::Failure failure = BuildFailure(absl::FailedPreconditionError(c.text), c.step);
    EXPECT_EQ(failure.message(), c.message);
    EXPECT_EQ(failure.failure_class(), c.failure_class) << c.text;
  }
}

TEST(BuildFailureTest, ABrokenConnectionIsInfrastructureAndARefusedPushTheUsers) {
  EXPECT_EQ(BuildFailure(absl::UnavailableError("BuildKit broke off"), std::nullopt).failure_class(),
            FAILURE_CLASS_INFRASTRUCTURE);
  EXPECT_EQ(BuildFailure(absl::UnauthenticatedError("push refused"), std::nullopt).failure_class(), FAILURE_CLASS_USER);
}

TEST(FailureOfTest, TheCodeDecidesWhoseFaultItIs) {
  EXPECT_EQ(FailureOf(absl::UnauthenticatedError("credential rejected by h (401)")).failure_class(),
            FAILURE_CLASS_USER);
  EXPECT_EQ(FailureOf(absl::FailedPreconditionError("commit x is no longer reachable")).failure_class(),
            FAILURE_CLASS_USER);
  EXPECT_EQ(FailureOf(absl::ResourceExhaustedError("context over the limit")).failure_class(), FAILURE_CLASS_USER);
  EXPECT_EQ(FailureOf(absl::UnavailableError("x")).failure_class(), FAILURE_CLASS_INFRASTRUCTURE);
  EXPECT_EQ(FailureOf(absl::DataLossError("x")).failure_class(), FAILURE_CLASS_INFRASTRUCTURE);
}

TEST(TimeoutFailureTest, TheLimitIsNamed) {
  EXPECT_EQ(TimeoutFailure(absl::Seconds(90)).message(), "timed out after 1m30s");
}

}  // namespace
}  // namespace davit::builder_agent
