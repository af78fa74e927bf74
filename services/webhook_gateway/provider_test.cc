// Tests of provider.h.
#include "services/webhook_gateway/provider.h"

#include <gtest/gtest.h>

#include "libs/crypto/hash.h"

namespace davit::webhook_gateway {
namespace {

using crypto::SecretString;
using registry::v1::PROVIDER_GENERIC_GIT;
using registry::v1::PROVIDER_GITHUB;
using registry::v1::PROVIDER_GITLAB;

absl::Status Verify(registry::v1::Provider provider, const http::Headers& headers, const char* body,
                    const SecretString& secret) {
  return VerifySender(ProofOf(provider, headers, secret), headers, body, secret, absl::FromUnixSeconds(1614265330));
}

absl::Status Refusal(const char* message) { return absl::UnauthenticatedError(message); }

// The example of GitHub's documentation.
TEST(ProviderTest, AcceptsGithubsDocumentedSignature) {
  const http::Headers headers = {
      {"X-Hub-Signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}};
  const SecretString secret("It's a Secret to Everybody");
  EXPECT_TRUE(Verify(PROVIDER_GITHUB, headers, "Hello, World!", secret).ok());
  EXPECT_TRUE(Verify(PROVIDER_GENERIC_GIT, headers, "Hello, World!", secret).ok());
  EXPECT_EQ(Verify(PROVIDER_GITHUB, headers, "Hello, World?", secret), Refusal("signature mismatch"));
  EXPECT_EQ(Verify(PROVIDER_GITHUB, headers, "Hello, World!", SecretString("other")), Refusal("signature mismatch"));
}

TEST(ProviderTest, SaysWhatIsWrongWithASignature) {
  const SecretString secret("s");
  EXPECT_EQ(Verify(PROVIDER_GITHUB, {}, "x", secret), Refusal("missing X-Hub-Signature-256"));
  EXPECT_EQ(Verify(PROVIDER_GITHUB, {{"X-Hub-Signature", "sha1=0"}}, "x", secret),
            Refusal("sha256 signature required"));
  for (const char* value : {"", "sha256=", "sha256=00", "sha1=0"}) {
    EXPECT_EQ(Verify(PROVIDER_GITHUB, {{"X-Hub-Signature-256", value}}, "x", secret), Refusal("signature mismatch"));
  }
}

TEST(ProviderTest, NobodyCanSignWithoutASecret) {
  const http::Headers headers = {
      {"X-Hub-Signature-256",
       "sha256=b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"}};  // of "" with key ""
  EXPECT_EQ(Verify(PROVIDER_GITHUB, headers, "", SecretString()), Refusal("signature mismatch"));
  EXPECT_EQ(Verify(PROVIDER_GITLAB, {{"X-Gitlab-Token", ""}}, "", SecretString()), Refusal("token mismatch"));
}

TEST(ProviderTest, ComparesGitlabsToken) {
  const SecretString secret("hunter2");
  EXPECT_TRUE(Verify(PROVIDER_GITLAB, {{"x-gitlab-token", "hunter2"}}, "x", secret).ok());
  EXPECT_EQ(Verify(PROVIDER_GITLAB, {{"X-Gitlab-Token", "hunter"}}, "x", secret), Refusal("token mismatch"));
  EXPECT_EQ(Verify(PROVIDER_GITLAB, {}, "x", secret), Refusal("missing X-Gitlab-Token"));
}

TEST(ProviderTest, ASigningKeyOfGitlabMayBeUsedAsATokenToo) {
  const SecretString key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  EXPECT_EQ(Verify(PROVIDER_GITLAB, {}, "x", key), Refusal("missing webhook-signature"));
  EXPECT_TRUE(Verify(PROVIDER_GITLAB, {{"X-Gitlab-Token", key.Reveal()}}, "x", key).ok());
  EXPECT_EQ(Verify(PROVIDER_GITLAB, {{"X-Gitlab-Token", "whsec_x"}}, "x", key), Refusal("token mismatch"));
}

TEST(ProviderTest, ASignedDeliveryOfGitlabIsJudgedByItsSignatureAlone) {
  const SecretString key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  http::Headers headers = {
      {"X-Gitlab-Token", key.Reveal()}, {"Idempotency-Key", "other"}, {"webhook-signature", "v1,x"}};
  EXPECT_EQ(Verify(PROVIDER_GITLAB, headers, R"({"test": 2432232314})", key), Refusal("missing webhook-id"));
  headers.Set("X-Gitlab-Token", "not the key");
  headers.Set("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek");
  headers.Set("webhook-timestamp", "1614265330");
  headers.Set("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  EXPECT_TRUE(Verify(PROVIDER_GITLAB, headers, R"({"test": 2432232314})", key).ok());
  EXPECT_EQ(*DeliveryId(ProofOf(PROVIDER_GITLAB, headers, key), headers, "x"), "msg_p5jXN8AQM9LWM0D4loKWxJek");
}

TEST(ProviderTest, ATokenOfGitlabIsComparedWhateverElseIsSigned) {
  const http::Headers headers = {{"X-Gitlab-Token", "whs_x"}, {"webhook-signature", "v1,of another secret"}};
  EXPECT_TRUE(Verify(PROVIDER_GITLAB, headers, "x", SecretString("whs_x")).ok());
}

TEST(ProviderTest, ASecretOfGithubMayLookLikeASigningKey) {
  EXPECT_EQ(ProofOf(PROVIDER_GITHUB, {}, SecretString("whsec_x")), Proof::kGithubSignature);
}

TEST(ProviderTest, KnowsPushes) {
  EXPECT_TRUE(IsPush(PROVIDER_GITHUB, *EventName(PROVIDER_GITHUB, {{"X-GitHub-Event", "push"}})));
  for (const char* other : {"ping", "create", "delete", "Push Hook", ""}) EXPECT_FALSE(IsPush(PROVIDER_GITHUB, other));
  EXPECT_TRUE(IsPush(PROVIDER_GITLAB, *EventName(PROVIDER_GITLAB, {{"X-Gitlab-Event", "Push Hook"}})));
  EXPECT_TRUE(IsPush(PROVIDER_GITLAB, "Tag Push Hook"));
  EXPECT_FALSE(IsPush(PROVIDER_GITLAB, "Issue Hook"));
  EXPECT_FALSE(IsPush(PROVIDER_GITLAB, "push"));
  EXPECT_EQ(EventName(PROVIDER_GITHUB, {}).status(), absl::InvalidArgumentError("missing X-GitHub-Event"));
  EXPECT_EQ(EventName(PROVIDER_GITLAB, {}).status(), absl::InvalidArgumentError("missing X-Gitlab-Event"));
}

TEST(ProviderTest, AGithubDeliveryIsNamedByItsHeader) {
  EXPECT_EQ(*DeliveryId(Proof::kGithubSignature, {{"X-GitHub-Delivery", "72d3162e"}}, "x"), "72d3162e");
  EXPECT_FALSE(DeliveryId(Proof::kGithubSignature, {}, "x").ok());
  EXPECT_FALSE(DeliveryId(Proof::kGithubSignature, {{"X-GitHub-Delivery", ""}}, "x").ok());
  EXPECT_FALSE(DeliveryId(Proof::kGithubSignature, {{"X-GitHub-Delivery", std::string(101, 'x')}}, "x").ok());
  EXPECT_FALSE(DeliveryId(Proof::kGithubSignature, {{"X-GitHub-Delivery", "\xff"}}, "x").ok());
}

TEST(ProviderTest, AGitlabDeliveryIsNamedByWhatIsStableAcrossRetries) {
  const http::Headers both = {{"Idempotency-Key", "key"}, {"X-Gitlab-Event-UUID", "uuid"}};
  EXPECT_EQ(*DeliveryId(Proof::kGitlabToken, both, "x"), "key");
  const http::Headers older = {{"X-Gitlab-Event-UUID", "uuid"}};
  EXPECT_EQ(*DeliveryId(Proof::kGitlabToken, older, "x"), *DeliveryId(Proof::kGitlabToken, older, "x"));
  EXPECT_NE(*DeliveryId(Proof::kGitlabToken, older, "x"), *DeliveryId(Proof::kGitlabToken, older, "y"));
  EXPECT_EQ(*DeliveryId(Proof::kGitlabToken, {}, "x"), crypto::Sha256Hex("x"));
}

TEST(ProviderTest, KeepsHeadersThatProveNothing) {
  const http::Headers headers = {{"X-GitHub-Event", "push"},
                                 {"X-Hub-Signature-256", "sha256=1"},
                                 {"X-Hub-Signature", "sha1=1"},
                                 {"X-Gitlab-Token", "hunter2"},
                                 {"webhook-signature", "v1,x"},
                                 {"Authorization", "Bearer x"},
                                 {"Cookie", "c"},
                                 {"user-agent", "GitHub-Hookshot/\xc3\xa9" + std::string(2000, 'x')}};
  const std::map<std::string, std::string> kept = KeptHeaders(headers);
  EXPECT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept.at("X-GitHub-Event"), "push");
  EXPECT_EQ(kept.at("User-Agent").size(), 1024u);
  EXPECT_EQ(kept.at("User-Agent").substr(0, 18), "GitHub-Hookshot/??");
}

}  // namespace
}  // namespace davit::webhook_gateway
