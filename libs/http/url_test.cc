// Tests of url.h.
#include "libs/http/url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace davit::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(UrlTest, ReadsTheParts) {
  const Url url = *Url::Parse("HTTPS://Git.Example.com:8443/team/app.git?a=b&c#frag");
  EXPECT_EQ(url.scheme, "https");
  EXPECT_EQ(url.host, "git.example.com");
  EXPECT_EQ(url.port, 8443);
  EXPECT_EQ(url.path, "/team/app.git");
  EXPECT_EQ(url.query, "a=b&c");
  EXPECT_EQ(url.ToString(), "https://git.example.com:8443/team/app.git?a=b&c");
  EXPECT_EQ(url.Redacted(), "https://git.example.com:8443/team/app.git");
}

TEST(UrlTest, DefaultsPortAndPath) {
  EXPECT_EQ(Url::Parse("http://a")->port, 80);
  EXPECT_EQ(Url::Parse("https://a")->ToString(), "https://a/");
  EXPECT_EQ(Url::Parse("https://a.:443/x")->ToString(), "https://a/x");
}

TEST(UrlTest, WritesIpv6InBrackets) {
  const Url url = *Url::Parse("http://[::1]:5000/v2/");
  EXPECT_EQ(url.host, "::1");
  EXPECT_EQ(url.Authority(), "[::1]:5000");
}

TEST(UrlTest, RefusesEverySchemeButHttpAndHttps) {
  for (const char* text : {"file:///etc/passwd", "ext::sh -c id", "ssh://-oProxyCommand=x/y", "git@github.com:a/b.git",
                           "ssh -oProxyCommand=id://x", "ftp://a/b", "javascript:1", "gopher://a", "://a", ":x"}) {
    const absl::Status status = Url::Parse(text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr("scheme not allowed")) << text;
  }
}

TEST(UrlTest, RefusesWhatIsNotAUrl) {
  for (const char* text :
       {"", "example.com/a", "https:", "https:///a", "https://", "https://a b/", "https://../", "https://a..b/",
        "https://.a/", "https://a/\n", "https://a:0/", "https://a:65536/", "https://a:x/", "https://exa%00mple.com/",
        "https://[fe80::1%25eth0]/", "https://[v1.a]/", "https://a%2fb/"}) {
    EXPECT_EQ(Url::Parse(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(UrlTest, RefusesCredentialsWithoutRepeatingThem) {
  const absl::Status status = Url::Parse("https://user:hunter2@example.com/").status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("must not contain credentials"));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("hunter2")));
}

TEST(UrlTest, ResolvesRedirects) {
  const Url base = *Url::Parse("https://a/x/y?q=1");
  EXPECT_EQ(base.Resolve("/z")->ToString(), "https://a/z");
  EXPECT_EQ(base.Resolve("z?w")->ToString(), "https://a/x/z?w");
  EXPECT_EQ(base.Resolve("//b/c")->ToString(), "https://b/c");
  EXPECT_EQ(base.Resolve("http://c:81/")->ToString(), "http://c:81/");
  EXPECT_FALSE(base.Resolve("file:///etc/passwd").ok());
  EXPECT_FALSE(base.Resolve("https://u:p@b/").ok());
}

TEST(UrlTest, PercentEncodesOneSegment) { EXPECT_EQ(PercentEncode("a/b c~é"), "a%2Fb%20c~%C3%A9"); }

}  // namespace
}  // namespace davit::http
