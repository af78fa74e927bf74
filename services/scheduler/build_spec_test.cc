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
    EXPECT_EQ(status.message(), "spec.recipe.dockerfile_path: path leaves the repository") << path;
    EXPECT_EQ(After([&](v1::BuildSpec& spec) { spec.mutable_recipe()->set_context_dir(path); }).message(),
              "spec.recipe.context_dir: path leaves the repository");
  }
}

TEST(BuildSpecTest, PathsAreWrittenInOneForm) {
  EXPECT_EQ(NormalizePath("./docker//app/Dockerfile").value(), "docker/app/Dockerfile");
  EXPECT_EQ(NormalizePath("a/../b").value(), "b");
  EXPECT_EQ(NormalizePath("./").value(), ".");
  EXPECT_FALSE(NormalizePath(std::string("a\0b", 3)).ok());
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
              StartsWith("spec.recipe.build_args:"));
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

}  // namespace
}  // namespace davit::scheduler
