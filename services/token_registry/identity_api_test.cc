// Tests of API tokens through the API.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/token_registry/testing/token_registry_fixture.h"

namespace davit::token_registry {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST_F(TokenRegistryAppTest, ATokenWorksUntilItIsRevoked) {
  v1::CreateApiTokenRequest create;
  create.set_display_name("ci");
  create.set_role(v1::ROLE_DEVELOPER);
  const auto made = CallIdentity(TokenOf("admin"), &Identity::CreateApiToken, create);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_THAT(made->token(), StartsWith("dvt_"));
  EXPECT_EQ(made->api_token().project(), "default");
  const auto caller = CallIdentity(made->token(), &Identity::GetCaller, {});
  ASSERT_TRUE(caller.ok()) << caller.status();
  EXPECT_EQ(caller->api_token().id(), made->api_token().id());
  EXPECT_EQ(caller->api_token().role(), v1::ROLE_DEVELOPER);
  EXPECT_TRUE(caller->api_token().has_last_use_time());

  v1::IntrospectTokenRequest introspect;
  introspect.set_token(made->token());
  auto answer = CallIdentity(TokenOf("scheduler"), &Identity::IntrospectToken, introspect);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_TRUE(answer->active());
  EXPECT_EQ(answer->project(), "default");
  EXPECT_EQ(answer->role(), v1::ROLE_DEVELOPER);
  EXPECT_FALSE(answer->has_expire_time());

  v1::RevokeApiTokenRequest revoke;
  revoke.set_id(made->api_token().id());
  EXPECT_EQ(CallIdentity(TokenOf("stranger"), &Identity::RevokeApiToken, revoke).status().code(),
            absl::StatusCode::kNotFound);
  const auto revoked = CallIdentity(TokenOf("admin"), &Identity::RevokeApiToken, revoke);
  ASSERT_TRUE(revoked.ok()) << revoked.status();
  EXPECT_TRUE(revoked->api_token().has_revoke_time());
  EXPECT_EQ(CallIdentity(made->token(), &Identity::GetCaller, {}).status().code(), absl::StatusCode::kUnauthenticated);
  answer = CallIdentity(TokenOf("scheduler"), &Identity::IntrospectToken, introspect);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_FALSE(answer->active());
  EXPECT_EQ(answer->token_id(), "");
}

TEST_F(TokenRegistryAppTest, ATokenEndsAtItsTime) {
  v1::CreateApiTokenRequest create;
  create.set_display_name("short");
  create.set_role(v1::ROLE_VIEWER);
  create.mutable_expire_time()->set_seconds(absl::ToUnixSeconds(clock_.Now()));
  EXPECT_THAT(CallIdentity(TokenOf("admin"), &Identity::CreateApiToken, create).status(),
              Says(StartsWith("expire_time: ")));
  create.mutable_expire_time()->set_seconds(absl::ToUnixSeconds(clock_.Now() + absl::Seconds(5)));
  const auto made = CallIdentity(TokenOf("admin"), &Identity::CreateApiToken, create);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_TRUE(CallIdentity(made->token(), &Identity::GetCaller, {}).ok());
  clock_.Advance(absl::Seconds(5));
  EXPECT_EQ(CallIdentity(made->token(), &Identity::GetCaller, {}).status().code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(TokenRegistryAppTest, OnlyAnAdminOfAllProjectsMakesTokensOfServicesOrOfAllProjects) {
  v1::CreateApiTokenRequest create;
  create.set_display_name("worker");
  create.set_role(v1::ROLE_AGENT);
  EXPECT_EQ(CallIdentity(TokenOf("admin"), &Identity::CreateApiToken, create).status().code(),
            absl::StatusCode::kPermissionDenied);
  create.set_project("*");
  EXPECT_TRUE(CallIdentity(TokenOf("root"), &Identity::CreateApiToken, create).ok());
  create.set_role(v1::ROLE_VIEWER);
  EXPECT_EQ(CallIdentity(TokenOf("admin"), &Identity::CreateApiToken, create).status().code(),
            absl::StatusCode::kPermissionDenied);
  create.clear_role();
  EXPECT_THAT(CallIdentity(TokenOf("root"), &Identity::CreateApiToken, create).status(), Says(StartsWith("role: ")));
}

TEST_F(TokenRegistryAppTest, TokensAreListedByProjectNewestFirst) {
  v1::CreateApiTokenRequest create;
  create.set_role(v1::ROLE_VIEWER);
  for (const char* name : {"first", "second"}) {
    create.set_display_name(name);
    clock_.Advance(absl::Seconds(1));
    ASSERT_TRUE(CallIdentity(TokenOf("admin"), &Identity::CreateApiToken, create).ok());
  }
  v1::ListApiTokensRequest list;
  list.set_page_size(1);
  auto page = CallIdentity(TokenOf("admin"), &Identity::ListApiTokens, list);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->api_tokens(0).display_name(), "second");
  list.set_page_token(page->next_page_token());
  page = CallIdentity(TokenOf("admin"), &Identity::ListApiTokens, list);
  EXPECT_EQ(page->api_tokens(0).display_name(), "first");
  list.Clear();
  list.set_project("*");
  EXPECT_EQ(CallIdentity(TokenOf("root"), &Identity::ListApiTokens, list)->api_tokens_size(), 6);
  EXPECT_EQ(CallIdentity(TokenOf("admin"), &Identity::ListApiTokens, list).status().code(),
            absl::StatusCode::kPermissionDenied);
}

}  // namespace
}  // namespace davit::token_registry
