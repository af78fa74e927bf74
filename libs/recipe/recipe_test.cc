// Tests of the checks of recipes and destinations.
#include "libs/recipe/recipe.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace davit::recipe {
namespace {

using common::v1::ImageDestination;
using common::v1::Recipe;

std::string ErrorOf(Recipe recipe) {
  const absl::Status status = Normalize("recipe", recipe);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << recipe.ShortDebugString();
  return std::string(status.message());
}

TEST(RecipeTest, DefaultsAreFilledIn) {
  Recipe recipe;
  ASSERT_TRUE(Normalize("recipe", recipe).ok());
  EXPECT_EQ(recipe.dockerfile_path(), "Dockerfile");
  EXPECT_EQ(recipe.context_dir(), ".");
  EXPECT_EQ(recipe.timeout().seconds(), 3600);
}

TEST(RecipeTest, PathsBecomeCanonical) {
  Recipe recipe;
  recipe.set_dockerfile_path("./a//b/../Dockerfile.dev");
  recipe.set_context_dir("./services/api/");
  ASSERT_TRUE(Normalize("recipe", recipe).ok());
  EXPECT_EQ(recipe.dockerfile_path(), "a/Dockerfile.dev");
  EXPECT_EQ(recipe.context_dir(), "services/api");
}

TEST(RecipeTest, APathThatLeavesTheRepositoryIsRefused) {
  for (const std::string path : {"../../etc/passwd", "/etc/passwd", "a/../../b", ".."}) {
    Recipe recipe;
    recipe.set_dockerfile_path(path);
    EXPECT_TRUE(absl::StartsWith(ErrorOf(recipe), "recipe.dockerfile_path: path leaves the repository")) << path;
    recipe.set_dockerfile_path("");
    recipe.set_context_dir(path);
    EXPECT_TRUE(absl::StartsWith(ErrorOf(recipe), "recipe.context_dir: path leaves the repository")) << path;
  }
}

TEST(RecipeTest, ADockerfilePathNamesAFile) {
  for (const std::string path : {".", "./", "a/.."}) {
    Recipe recipe;
    recipe.set_dockerfile_path(path);
    EXPECT_TRUE(absl::StartsWith(ErrorOf(recipe), "recipe.dockerfile_path: names a directory")) << path;
  }
  Recipe recipe;
  recipe.set_dockerfile_path("a\nb");
  EXPECT_TRUE(absl::StrContains(ErrorOf(recipe), "control character"));
  recipe.set_dockerfile_path(std::string(2000, 'a'));
  EXPECT_TRUE(absl::StrContains(ErrorOf(recipe), "1024"));
}

TEST(RecipeTest, BuildArgumentsAreNamedLikeVariables) {
  for (const std::string name : {"", "1A", "A-B", "A B", "A=B", "Ä"}) {
    Recipe recipe;
    (*recipe.mutable_build_args())[name] = "x";
    EXPECT_TRUE(absl::StartsWith(ErrorOf(recipe), absl::StrCat("recipe.build_args[\"", name, "\"]: "))) << name;
  }
  Recipe recipe;
  (*recipe.mutable_build_args())["_VERSION_2"] = std::string(4096, 'x');
  EXPECT_TRUE(Normalize("recipe", recipe).ok());
  (*recipe.mutable_build_args())["BIG"] = std::string(4097, 'x');
  EXPECT_TRUE(absl::StrContains(ErrorOf(recipe), "4096"));
  recipe.Clear();
  for (int i = 0; i < 101; ++i) (*recipe.mutable_build_args())[absl::StrCat("A", i)] = "";
  EXPECT_TRUE(absl::StartsWith(ErrorOf(recipe), "recipe.build_args: more than 100"));
}

TEST(RecipeTest, LabelsTargetAndPlatformAreChecked) {
  Recipe recipe;
  recipe.set_target("final-1.0");
  recipe.set_platform("linux/arm64/v8");
  (*recipe.mutable_labels())["org.example.team"] = "a b = c";
  EXPECT_TRUE(Normalize("recipe", recipe).ok());
  recipe.set_target("-x");
  EXPECT_TRUE(absl::StartsWith(ErrorOf(recipe), "recipe.target: "));
  recipe.set_target("");
  for (const std::string platform : {"linux", "linux/", "Linux/amd64", "a/b/c/d"}) {
    recipe.set_platform(platform);
    EXPECT_TRUE(absl::StartsWith(ErrorOf(recipe), "recipe.platform: ")) << platform;
  }
  recipe.set_platform("");
  (*recipe.mutable_labels())["a b"] = "";
  EXPECT_TRUE(absl::StartsWith(ErrorOf(recipe), "recipe.labels[\"a b\"]: "));
}

TEST(RecipeTest, ATimeoutLiesBetweenOneSecondAndADay) {
  Recipe recipe;
  recipe.mutable_timeout()->set_seconds(86400);
  EXPECT_TRUE(Normalize("recipe", recipe).ok());
  recipe.mutable_timeout()->set_nanos(1);
  EXPECT_TRUE(absl::StartsWith(ErrorOf(recipe), "recipe.timeout: outside 1 second to 24 hours"));
  recipe.mutable_timeout()->set_seconds(0);
  ErrorOf(recipe);
  recipe.mutable_timeout()->set_seconds(-5);
  ErrorOf(recipe);
}

TEST(RecipeTest, ASecretIsNamedByItsIdUnlessSaidOtherwise) {
  Recipe recipe;
  recipe.add_secrets()->set_id("npm");
  recipe.add_secrets()->set_id("pip.conf");
  recipe.mutable_secrets(1)->set_secret("pip-of-team");
  ASSERT_TRUE(Normalize("recipe", recipe).ok());
  EXPECT_EQ(recipe.secrets(0).secret(), "npm");
  EXPECT_EQ(recipe.secrets(1).secret(), "pip-of-team");
  recipe.mutable_secrets(1)->set_secret("-x");
  EXPECT_TRUE(absl::StartsWith(ErrorOf(recipe), "recipe.secrets[1].secret: "));
  recipe.mutable_secrets(1)->set_id("a/b");
  EXPECT_TRUE(absl::StartsWith(ErrorOf(recipe), "recipe.secrets[1].id: "));
  recipe.mutable_secrets(1)->set_id("npm");
  recipe.mutable_secrets(1)->set_secret("other");
  EXPECT_EQ(ErrorOf(recipe), "recipe.secrets[1].id: \"npm\" is there twice");
  for (int i = 0; i < 20; ++i) recipe.add_secrets()->set_id("s" + std::to_string(i));
  EXPECT_EQ(ErrorOf(recipe), "recipe.secrets: more than 20 secrets");
}

TEST(DestinationTest, ARepositoryWithoutTagIsAccepted) {
  ImageDestination destination;
  destination.set_repository("127.0.0.1:5000/team/app");
  EXPECT_TRUE(NormalizeDestination("destination", destination).ok());
}

TEST(DestinationTest, AShortNameIsWrittenInFull) {
  ImageDestination destination;
  destination.set_repository("busybox");
  ASSERT_TRUE(NormalizeDestination("destination", destination).ok());
  EXPECT_EQ(destination.repository(), "docker.io/library/busybox");
}

TEST(DestinationTest, AnythingElseIsAnInvalidImageReference) {
  for (const std::string repository :
       {"", "UPPER/..:x y", "127.0.0.1:5000/Team/app", "127.0.0.1:5000/team/app:v1", "127.0.0.1:5000/../app",
        "127.0.0.1:5000/app@sha256:0123456789012345678901234567890123456789012345678901234567890123"}) {
    ImageDestination destination;
    destination.set_repository(repository);
    const absl::Status status = NormalizeDestination("destination", destination);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << repository;
    EXPECT_TRUE(absl::StartsWith(status.message(), "destination.repository: invalid image reference")) << status;
  }
}

TEST(DestinationTest, ACredentialIsNamedByItsId) {
  ImageDestination destination;
  destination.set_repository("127.0.0.1:5000/team/app");
  destination.set_registry_credential_id("my-registry");
  EXPECT_TRUE(absl::StartsWith(NormalizeDestination("destination", destination).message(),
                               "destination.registry_credential_id: "));
}

}  // namespace
}  // namespace davit::recipe
