// Tests of validation.h.
#include "services/token_registry/validation.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"

namespace davit::token_registry {
namespace {

bool SaysOfField(const absl::Status& status, absl::string_view start) {
  return absl::IsInvalidArgument(status) && absl::StartsWith(status.message(), start);
}

TEST(BaseUrlTest, FillsInTheProvidersOwnServer) {
  const http::AddressPolicy policy;
  EXPECT_EQ(*NormalizeBaseUrl(Provider::kGitHub, "", policy), "https://github.com");
  EXPECT_EQ(*NormalizeBaseUrl(Provider::kGitLab, "", policy), "https://gitlab.com");
  EXPECT_TRUE(SaysOfField(NormalizeBaseUrl(Provider::kGenericGit, "", policy).status(), "base_url: required"));
}

TEST(BaseUrlTest, StoresOneFormOfAUrl) {
  const http::AddressPolicy policy;
  EXPECT_EQ(*NormalizeBaseUrl(Provider::kGitLab, "https://Git.Example.com:443/sub/", policy),
            "https://git.example.com/sub");
}

TEST(BaseUrlTest, RefusesWhatMustNotBeReached) {
  const http::AddressPolicy policy;
  for (const char* url : {"http://169.254.169.254", "http://10.0.0.1", "http://127.0.0.1:80", "http://100.64.0.1",
                          "http://[fd00::1]", "http://[::ffff:10.0.0.1]"}) {
    const absl::Status status = NormalizeBaseUrl(Provider::kGenericGit, url, policy).status();
    EXPECT_TRUE(SaysOfField(status, "base_url: ")) << url << " " << status;
  }
  for (const char* url : {"https://169.254.169.254", "https://10.1.2.3", "https://127.0.0.1", "https://100.64.0.1",
                          "https://[fd00::1]", "https://[::ffff:10.0.0.1]"}) {
    const absl::Status status = NormalizeBaseUrl(Provider::kGenericGit, url, policy).status();
    EXPECT_TRUE(SaysOfField(status, "base_url: address not allowed")) << url << " " << status;
  }
  for (const char* url :
       {"file:///etc/passwd", "ext::sh -c x", "ssh://-oProxyCommand=x/y", "git@host:x", "http://example.com"}) {
    const absl::Status status = NormalizeBaseUrl(Provider::kGenericGit, url, policy).status();
    EXPECT_TRUE(SaysOfField(status, "base_url: scheme not allowed")) << url << " " << status;
  }
  const absl::Status status = NormalizeBaseUrl(Provider::kGenericGit, "https://user:hush@example.com", policy).status();
  EXPECT_TRUE(SaysOfField(status, "base_url: ")) << status;
  EXPECT_FALSE(absl::StrContains(status.message(), "hush"));
}

TEST(BaseUrlTest, AdmitsPlainHttpToListedHosts) {
  const auto policy = http::AddressPolicy::Create({.allowed_hosts = {"127.0.0.1:8080"}});
  EXPECT_EQ(*NormalizeBaseUrl(Provider::kGenericGit, "http://127.0.0.1:8080/", *policy), "http://127.0.0.1:8080");
}

TEST(RepositoryPathTest, TakesNamesBelowTheServerOnly) {
  for (const char* good : {"owner/name", "name", "group/sub/name", "o-1/n_2.x"}) {
    EXPECT_TRUE(CheckRepositoryPath("repository", good).ok()) << good;
  }
  for (const char* bad : {"", "/owner/name", "owner//name", "owner/name/", "../name", "owner/..", "owner/na me",
                          "-x/name", "owner/name.git", "owner/.git", "owner/name?x=y", "https://x/y", "a\nb"}) {
    EXPECT_TRUE(SaysOfField(CheckRepositoryPath("repository", bad), "repository: ")) << bad;
  }
}

TEST(DisplayNameTest, CountsCharactersNotBytes) {
  EXPECT_TRUE(CheckDisplayName("a").ok());
  std::string umlauts;
  for (int i = 0; i < 100; ++i) umlauts += "ü";
  EXPECT_TRUE(CheckDisplayName(umlauts).ok());
  EXPECT_TRUE(SaysOfField(CheckDisplayName(umlauts + "ü"), "display_name: "));
  EXPECT_TRUE(SaysOfField(CheckDisplayName(""), "display_name: "));
  EXPECT_TRUE(SaysOfField(CheckDisplayName("a\nb"), "display_name: "));
}

TEST(TokenTest, RefusesWhatWouldBreakAHeaderWithoutQuotingIt) {
  EXPECT_TRUE(CheckToken("token", crypto::SecretString("glpat-abc"), 10).ok());
  for (const char* bad : {"", "hush\r\nX: y", "hu sh", "hüsh", "hush-but-too-long"}) {
    const absl::Status status = CheckToken("token", crypto::SecretString(bad), 10);
    EXPECT_TRUE(SaysOfField(status, "token: ")) << status;
    EXPECT_FALSE(absl::StrContains(status.message(), "hu")) << status;
  }
}

TEST(ImageRepositoryTest, MustBeOnTheCredentialsRegistryWithoutATag) {
  EXPECT_TRUE(CheckImageRepository("f", "127.0.0.1:5000/team/app", "127.0.0.1:5000").ok());
  EXPECT_TRUE(CheckImageRepository("f", "127.0.0.1:5000/team/app", "").ok());
  EXPECT_TRUE(SaysOfField(CheckImageRepository("f", "ghcr.io/team/app", "127.0.0.1:5000"), "f: is not on"));
  EXPECT_TRUE(SaysOfField(CheckImageRepository("f", "ghcr.io/team/app:tag", "ghcr.io"), "f: must be given without"));
  EXPECT_TRUE(SaysOfField(CheckImageRepository("f", "ghcr.io/UPPER/..", "ghcr.io"), "f: invalid image reference"));
}

TEST(CloneUrlTest, AppendsTheRepository) {
  Connection connection;
  connection.base_url = "https://git.example.com/sub";
  EXPECT_EQ(CloneUrl(connection, "owner/name"), "https://git.example.com/sub/owner/name.git");
}

}  // namespace
}  // namespace davit::token_registry
