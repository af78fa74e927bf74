// Tests of url.h and object_id.h.
#include "libs/git/url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/git/object_id.h"

namespace davit::git {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

http::AddressPolicy Policy() {
  http::AddressPolicyOptions options;
  options.allowed_hosts = {"git.example.test:8080"};
  return *http::AddressPolicy::Create(options);
}

TEST(RepositoryUrlTest, AcceptsHttps) {
  const auto url = RepositoryUrl::Parse("https://GitHub.com/team/app.git/", Policy());
  ASSERT_TRUE(url.ok()) << url.status();
  EXPECT_EQ(url->text(), "https://github.com/team/app.git");
  EXPECT_EQ(url->authority(), "github.com");
  EXPECT_EQ(url->repository_path(), "team/app");
}

TEST(RepositoryUrlTest, AcceptsPlainHttpForListedHostsOnly) {
  EXPECT_EQ(RepositoryUrl::Parse("http://git.example.test:8080/a/b", Policy())->authority(), "git.example.test:8080");
  const auto refused = RepositoryUrl::Parse("http://github.com/a/b", Policy());
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("scheme not allowed"));
}

TEST(RepositoryUrlTest, RefusesEveryOtherScheme) {
  for (const char* text : {"file:///etc", "ext::sh -c id", "ssh://-oProxyCommand=id/x", "git@github.com:a/b.git",
                           "git://github.com/a/b", "/srv/git/a.git", "--upload-pack=id", "../a"}) {
    const auto url = RepositoryUrl::Parse(text, Policy());
    EXPECT_EQ(url.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(url.status().message()), HasSubstr("scheme not allowed")) << text;
  }
}

TEST(RepositoryUrlTest, RefusesInternalAddresses) {
  const auto url = RepositoryUrl::Parse("https://169.254.169.254/a/b", Policy());
  EXPECT_THAT(std::string(url.status().message()), HasSubstr("address not allowed"));
}

TEST(RepositoryUrlTest, RefusesCredentialsWithoutRepeatingThem) {
  const auto url = RepositoryUrl::Parse("https://x:hunter2@github.com/a/b", Policy());
  EXPECT_EQ(url.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(url.status().message()), Not(HasSubstr("hunter2")));
}

TEST(RepositoryUrlTest, RefusesQueriesFragmentsAndMissingPaths) {
  for (const char* text : {"https://github.com/a?b=c", "https://github.com/a#b", "https://github.com", "https://h/"}) {
    EXPECT_FALSE(RepositoryUrl::Parse(text, Policy()).ok()) << text;
  }
}

TEST(CheckRefNameTest, AcceptsWhatGitAccepts) {
  for (const char* ref : {"refs/heads/main", "refs/tags/v1.2.3", "main", "feature/über-ref", "release/1.x", "a/-b",
                          "HEAD", "0123456789012345678901234567890123456789"}) {
    EXPECT_TRUE(CheckRefName(ref).ok()) << ref;
    EXPECT_TRUE(CheckRevision(ref).ok()) << ref;
  }
}

TEST(CheckRefNameTest, RefusesWhatGitRefusesAndLeadingDashes) {
  for (const char* ref : {"refs/heads/--upload-pack=x",
                          "-x",
                          "",
                          "a..b",
                          "a b",
                          "a~1",
                          "a^",
                          "a:b",
                          "a?b",
                          "a*b",
                          "a[b",
                          "a\\b",
                          "/a",
                          "a/",
                          "a//b",
                          "a.",
                          ".a",
                          "a/.b",
                          "a.lock",
                          "a.lock/b",
                          "a@{1}",
                          "@",
                          "a\nb",
                          "a\x7f",
                          "refs/tags/-x"}) {
    const absl::Status status = CheckRefName(ref);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << ref;
    EXPECT_THAT(std::string(status.message()), HasSubstr("invalid ref: ")) << ref;
  }
}

TEST(CleanRepositoryPathTest, CleansPathsInside) {
  EXPECT_EQ(*CleanRepositoryPath(""), "");
  EXPECT_EQ(*CleanRepositoryPath("."), "");
  EXPECT_EQ(*CleanRepositoryPath("./deploy//x/"), "deploy/x");
  EXPECT_EQ(*CleanRepositoryPath("a/../b"), "b");
  EXPECT_EQ(*CleanRepositoryPath("-a/ü b"), "-a/ü b");
}

TEST(CleanRepositoryPathTest, RefusesPathsThatLeave) {
  for (const char* path : {"../../etc/passwd", "/etc/passwd", "a/../../b", ".."}) {
    const auto clean = CleanRepositoryPath(path);
    EXPECT_EQ(clean.status().code(), absl::StatusCode::kInvalidArgument) << path;
    EXPECT_THAT(std::string(clean.status().message()), HasSubstr("path leaves the repository")) << path;
  }
}

TEST(CleanRepositoryPathTest, RefusesOddities) {
  for (const char* path : {"a\\b", "a\nb", ".git/config", "a/.GIT/x"}) {
    EXPECT_FALSE(CleanRepositoryPath(path).ok()) << path;
  }
}

TEST(ObjectIdTest, ReadsAndWritesHexadecimal) {
  const auto id = ObjectId::FromHex("0123456789ABCDEF0123456789abcdef01234567");
  ASSERT_TRUE(id.ok());
  EXPECT_EQ(id->Hex(), "0123456789abcdef0123456789abcdef01234567");
  EXPECT_EQ(id->Prefix(), 0x0123456789abcdefu);
  EXPECT_FALSE(id->IsZero());
  EXPECT_TRUE(ObjectId().IsZero());
  for (const char* text :
       {"", "0123", "g123456789abcdef0123456789abcdef01234567", "0123456789abcdef0123456789abcdef012345678"}) {
    EXPECT_FALSE(ObjectId::FromHex(text).ok()) << text;
  }
}

}  // namespace
}  // namespace davit::git
