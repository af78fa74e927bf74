// Tests of build_spec.h.
#include "services/scheduler/build_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace davit::scheduler {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kConnection[] = "con_01jgfjh3zdf2mvq8r6kq8c0v4x";

v1::BuildSpec Spec() {
  v1::BuildSpec spec;
  spec.mutable_git()->set_connection_id(kConnection);
  spec.mutable_git()->set_repository("team/app");
  spec.mutable_git()->set_ref("main");
  spec.mutable_destination()->set_repository("127.0.0.1:5000/team/app");
  spec.add_tags("latest");
  return spec;
}

// Normalizes the spec after `change` and returns the status.
absl::Status After(const std::function<void(v1::BuildSpec&)>& change) {
  v1::BuildSpec spec = Spec();
  change(spec);
  return NormalizeSpec(spec);
}

TEST(BuildSpecTest, FillsInDefaults) {
  v1::BuildSpec spec = Spec();
  ASSERT_TRUE(NormalizeSpec(spec).ok());
  EXPECT_EQ(spec.recipe().dockerfile_path(), "Dockerfile");
  EXPECT_EQ(spec.recipe().context_dir(), ".");
  EXPECT_EQ(spec.recipe().timeout().seconds(), 3600);
}

TEST(BuildSpecTest, PathsThatLeaveTheRepositoryAreRefusedWithTheirField) {
  for (const char* path : {"../../etc/passwd", "/etc/passwd", "a/../../b", ".."}) {
    const absl::Status status = After([&](v1::BuildSpec& spec) { spec.mutable_recipe()->set_dockerfile_path(path); });
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), StartsWith("spec.recipe.dockerfile_path: path leaves the repository"));
    const absl::Status context = After([&](v1::BuildSpec& spec) { spec.mutable_recipe()->set_context_dir(path); });
    EXPECT_THAT(std::string(context.message()), StartsWith("spec.recipe.context_dir: path leaves the repository"));
  }
}

TEST(BuildSpecTest, WhatARuleMayHoldABuildMayToo) {
  EXPECT_TRUE(After([](v1::BuildSpec& spec) { spec.mutable_recipe()->set_platform("linux/386"); }).ok());
  const std::string ref = "refs/heads/" + std::string(1013, 'a');
  EXPECT_TRUE(After([&](v1::BuildSpec& spec) { spec.mutable_git()->set_ref(ref); }).ok());
  EXPECT_EQ(After([&](v1::BuildSpec& spec) { spec.mutable_git()->set_ref(ref + "a"); }).message(),
            "spec.git.ref: invalid ref");
}

TEST(BuildSpecTest, ReferencesAndTagsAreCheckedWithTheOffendingPart) {
  const absl::Status repository =
      After([](v1::BuildSpec& spec) { spec.mutable_destination()->set_repository("127.0.0.1:5000/UPPER/..:x y"); });
  EXPECT_THAT(std::string(repository.message()), StartsWith("spec.destination.repository: invalid image reference"));
  const absl::Status tagged =
      After([](v1::BuildSpec& spec) { spec.mutable_destination()->set_repository("127.0.0.1:5000/app:v1"); });
  EXPECT_THAT(std::string(tagged.message()), HasSubstr("invalid image reference"));
  const absl::Status tag = After([](v1::BuildSpec& spec) { spec.add_tags("x y"); });
  EXPECT_THAT(std::string(tag.message()), StartsWith("spec.tags[1]: invalid image reference"));
}

TEST(BuildSpecTest, RepeatedTagsCountOnce) {
  v1::BuildSpec spec = Spec();
  spec.add_tags("latest");
  ASSERT_TRUE(NormalizeSpec(spec).ok());
  EXPECT_EQ(spec.tags_size(), 1);
}

TEST(BuildSpecTest, WrongFieldsAreNamed) {
  const auto message = [](const std::function<void(v1::BuildSpec&)>& change) {
    return std::string(After(change).message());
  };
  EXPECT_THAT(message([](v1::BuildSpec& spec) { spec.clear_source(); }), StartsWith("spec: a source is needed"));
  EXPECT_THAT(message([](v1::BuildSpec& spec) { spec.mutable_git()->set_connection_id("x"); }),
              StartsWith("spec.git.connection_id:"));
  EXPECT_THAT(message([](v1::BuildSpec& spec) { spec.mutable_git()->set_repository("../x"); }),
              StartsWith("spec.git.repository:"));
  EXPECT_EQ(message([](v1::BuildSpec& spec) { spec.mutable_git()->set_ref("refs/heads/--upload-pack=x"); }),
            "spec.git.ref: invalid ref");
  EXPECT_THAT(message([](v1::BuildSpec& spec) { spec.mutable_git()->set_commit("abc"); }),
              StartsWith("spec.git.commit:"));
  EXPECT_THAT(message([](v1::BuildSpec& spec) { spec.mutable_upload()->set_upload_id("x"); }),
              StartsWith("spec.upload.upload_id:"));
  EXPECT_THAT(message([](v1::BuildSpec& spec) { spec.mutable_recipe()->set_platform("linux"); }),
              StartsWith("spec.recipe.platform:"));
  EXPECT_THAT(message([](v1::BuildSpec& spec) { (*spec.mutable_recipe()->mutable_build_args())["1A"] = "x"; }),
              StartsWith("spec.recipe.build_args[\"1A\"]:"));
  EXPECT_THAT(message([](v1::BuildSpec& spec) { spec.mutable_recipe()->mutable_timeout()->set_seconds(86401); }),
              StartsWith("spec.recipe.timeout:"));
}

TEST(BuildSpecTest, DescribesWhatStoresFilterBy) {
  v1::BuildSpec spec = Spec();
  ASSERT_TRUE(NormalizeSpec(spec).ok());
  NewBuild build;
  DescribeSpec(spec, build);
  EXPECT_EQ(build.image_repository, "127.0.0.1:5000/team/app");
  EXPECT_EQ(build.repository, "team/app");
  EXPECT_EQ(build.timeout, absl::Hours(1));
  EXPECT_EQ(build.tags, std::vector<std::string>{"latest"});
  EXPECT_EQ(RegistryOf(spec), "127.0.0.1:5000");
}

TEST(BuildSpecTest, BuildsOfOneRuleAndRefAreAGroup) {
  const auto key = [](const char* rule, const char* ref, const char* group) {
    NewBuild build;
    build.rule_id = rule;
    build.ref = ref;
    davit::common::v1::BuildPolicy policy;
    policy.set_concurrency_group(group);
    DescribePolicy(policy, build);
    return build.concurrency_key;
  };
  EXPECT_EQ(key("rul_a", "refs/heads/main", "").size(), 32);
  EXPECT_EQ(key("rul_a", "refs/heads/main", ""), key("rul_a", "refs/heads/main", ""));
  EXPECT_NE(key("rul_a", "refs/heads/main", ""), key("rul_b", "refs/heads/main", ""));
  EXPECT_NE(key("rul_a", "refs/heads/main", ""), key("rul_a", "refs/tags/main", ""));
  EXPECT_EQ(key("rul_a", "refs/heads/main", "deploy"), key("", "", "deploy"));
  // A build without a rule, or of a bare commit, is in none.
  EXPECT_EQ(key("", "refs/heads/main", ""), "");
  EXPECT_EQ(key("rul_a", "", ""), "");
}

TEST(BuildSpecTest, APolicySaysHowTheBuildQueues) {
  davit::common::v1::BuildPolicy policy;
  policy.set_priority(7);
  policy.set_supersede(davit::common::v1::SUPERSEDE_POLICY_CANCEL_RUNNING);
  policy.set_max_concurrent(3);
  policy.set_infrastructure_retries(0);
  NewBuild build;
  DescribePolicy(policy, build);
  EXPECT_EQ(build.priority, -7);
  EXPECT_EQ(build.supersede, Supersede::kRunning);
  EXPECT_EQ(build.max_concurrent, 0);  // The limit is a rule's.
  EXPECT_EQ(build.infrastructure_retries, 0);
  build.rule_id = "rul_a";
  DescribePolicy(policy, build);
  EXPECT_EQ(build.max_concurrent, 3);
  NewBuild plain;
  DescribePolicy({}, plain);
  EXPECT_EQ(plain.policy, "");
  EXPECT_EQ(plain.infrastructure_retries, std::nullopt);
}

}  // namespace
}  // namespace davit::scheduler
