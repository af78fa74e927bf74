// Tests of reference.h.
#include "libs/oci/reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace davit::oci {
namespace {

using ::testing::HasSubstr;

const std::string kDigest = "sha256:" + std::string(64, 'a');

TEST(ReferenceTest, ReadsEveryPart) {
  const Reference reference = *Reference::Parse("127.0.0.1:5000/team/app:v1.0@" + kDigest);
  EXPECT_EQ(reference.registry, "127.0.0.1:5000");
  EXPECT_EQ(reference.repository, "team/app");
  EXPECT_EQ(reference.tag, "v1.0");
  EXPECT_EQ(reference.digest, kDigest);
  EXPECT_EQ(reference.Name(), "127.0.0.1:5000/team/app");
  EXPECT_EQ(reference.ToString(), "127.0.0.1:5000/team/app:v1.0@" + kDigest);
  EXPECT_EQ(reference.WithTag("latest").ToString(), "127.0.0.1:5000/team/app:latest");
  EXPECT_EQ(reference.WithDigest(kDigest).ToString(), "127.0.0.1:5000/team/app@" + kDigest);
}

TEST(ReferenceTest, NamesWithoutARegistryAreDockerHubs) {
  EXPECT_EQ(Reference::Parse("busybox")->ToString(), "docker.io/library/busybox");
  EXPECT_EQ(Reference::Parse("team/app:1")->ToString(), "docker.io/team/app:1");
  EXPECT_EQ(Reference::Parse("localhost/app")->registry, "localhost");
  EXPECT_EQ(Reference::Parse("localhost:5000/app")->registry, "localhost:5000");
  EXPECT_EQ(Reference::Parse("[::1]:5000/app")->registry, "[::1]:5000");
  EXPECT_EQ(Reference::Parse("ghcr.io/a/b-c__d.e---f")->repository, "a/b-c__d.e---f");
}

TEST(ReferenceTest, CountsThePrefixOfDockerHubsOwnImages) {
  const auto longest = Reference::Parse(std::string(255 - 8, 'a'));
  ASSERT_TRUE(longest.ok()) << longest.status();
  EXPECT_EQ(Reference::Parse(longest->ToString()), longest);
  EXPECT_TRUE(absl::IsInvalidArgument(Reference::Parse(std::string(255 - 7, 'a')).status()));
}

TEST(ReferenceTest, NamesTheOffendingPart) {
  const std::pair<std::string, std::string> cases[] = {
      {"UPPER/..:x y", "repository \"UPPER/..\""},
      {"a.b/c:x y", "tag \"x y\""},
      {"a.b/c:", "tag \"\""},
      {"a.b/c:-x", "tag \"-x\""},
      {"a.b/c:" + std::string(129, 'x'), "tag"},
      {"a.b/", "repository \"\""},
      {"a.b//c", "repository \"/c\""},
      {"a.b/c..d", "repository \"c..d\""},
      {"a.b/c___d", "repository"},
      {"a.b/_c", "repository"},
      {"a.b/c@sha256:abc", "digest \"sha256:abc\""},
      {"a.b/c@" + kDigest + "0", "digest"},
      {"a.b:0/c", "registry \"a.b:0\""},
      {"a.b:x/c", "registry \"a.b:x\""},
      {"a_b.c/d", "registry \"a_b.c\""},
      {"https://a.b/c", "registry \"https:\""},
      {"", "it is empty"},
  };
  for (const auto& [text, part] : cases) {
    const absl::Status status = Reference::Parse(text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr("invalid image reference: ")) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr(part)) << text;
  }
}

}  // namespace
}  // namespace davit::oci
