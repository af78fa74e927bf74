// Tests of build policies: every field's range, and the one form in which they are written.
#include "libs/recipe/policy.h"

#include <functional>
#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace davit::recipe {
namespace {

using common::v1::BuildPolicy;

// What is said of a policy after `change`.
std::string Error(const std::function<void(BuildPolicy&)>& change) {
  BuildPolicy policy;
  change(policy);
  const absl::Status status = NormalizePolicy("rule.policy", policy);
  EXPECT_TRUE(status.ok() || absl::IsInvalidArgument(status)) << status;
  return std::string(status.message());
}

TEST(PolicyTest, EveryFieldAtItsBoundsIsAccepted) {
  for (const int priority : {-100, 0, 100}) {
    EXPECT_EQ(Error([&](BuildPolicy& policy) { policy.set_priority(priority); }), "");
  }
  for (const int concurrent : {0, 1, 100}) {
    EXPECT_EQ(Error([&](BuildPolicy& policy) { policy.set_max_concurrent(concurrent); }), "");
  }
  for (const int retries : {0, 10}) {
    EXPECT_EQ(Error([&](BuildPolicy& policy) { policy.set_infrastructure_retries(retries); }), "");
  }
  EXPECT_EQ(Error([](BuildPolicy& policy) { policy.mutable_reuse_window()->set_seconds(720 * 3600); }), "");
  EXPECT_EQ(Error([](BuildPolicy& policy) {
              policy.set_supersede(common::v1::SUPERSEDE_POLICY_CANCEL_RUNNING);
              policy.set_concurrency_group("deploy/eu-1_x.y");
            }),
            "");
}

TEST(PolicyTest, WhatIsOutsideIsRefusedWithItsField) {
  const struct {
    std::string field;
    std::function<void(BuildPolicy&)> change;
  } cases[] = {
      {"priority", [](BuildPolicy& policy) { policy.set_priority(101); }},
      {"priority", [](BuildPolicy& policy) { policy.set_priority(-101); }},
      {"supersede", [](BuildPolicy& policy) { policy.set_supersede(static_cast<common::v1::SupersedePolicy>(9)); }},
      {"concurrency_group", [](BuildPolicy& policy) { policy.set_concurrency_group("a b"); }},
      {"concurrency_group", [](BuildPolicy& policy) { policy.set_concurrency_group(std::string(101, 'a')); }},
      {"max_concurrent", [](BuildPolicy& policy) { policy.set_max_concurrent(101); }},
      {"max_concurrent", [](BuildPolicy& policy) { policy.set_max_concurrent(-1); }},
      {"reuse_window", [](BuildPolicy& policy) { policy.mutable_reuse_window()->set_seconds(720 * 3600 + 1); }},
      {"reuse_window", [](BuildPolicy& policy) { policy.mutable_reuse_window()->set_seconds(-1); }},
      {"reuse_window", [](BuildPolicy& policy) { policy.mutable_reuse_window()->set_nanos(1); }},
      {"infrastructure_retries", [](BuildPolicy& policy) { policy.set_infrastructure_retries(11); }},
      {"infrastructure_retries", [](BuildPolicy& policy) { policy.set_infrastructure_retries(-1); }},
  };
  for (const auto& [field, change] : cases) {
    EXPECT_TRUE(absl::StartsWith(Error(change), "rule.policy." + field + ": ")) << field << ": " << Error(change);
  }
}

TEST(PolicyTest, WhatSaysNothingIsLeftOut) {
  BuildPolicy policy;
  policy.set_supersede(common::v1::SUPERSEDE_POLICY_OFF);
  policy.mutable_reuse_window();
  ASSERT_TRUE(NormalizePolicy("policy", policy).ok());
  EXPECT_EQ(policy.ByteSizeLong(), 0);
  policy.set_infrastructure_retries(0);
  ASSERT_TRUE(NormalizePolicy("policy", policy).ok());
  EXPECT_TRUE(policy.has_infrastructure_retries());
}

}  // namespace
}  // namespace davit::recipe
