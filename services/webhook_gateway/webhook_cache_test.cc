// Tests of webhook_cache.h.
#include "services/webhook_gateway/webhook_cache.h"

#include <gtest/gtest.h>

#include "libs/clock/testing/fake_clock.h"

namespace davit::webhook_gateway {
namespace {

class FakeSource : public WebhookSource {
 public:
  absl::StatusOr<Webhook> Get(const std::string& id) override {
    ++calls;
    if (!answer.ok()) return answer;
    Webhook webhook;
    webhook.id = id;
    webhook.secret = crypto::SecretString(secret);
    return webhook;
  }

  int calls = 0;
  absl::Status answer;
  std::string secret = "one";
};

class WebhookCacheTest : public ::testing::Test {
 protected:
  FakeSource source_;
  FakeClock clock_;
  WebhookCache cache_{source_, clock_, {}};
};

TEST_F(WebhookCacheTest, AsksOnceWithinAMinute) {
  EXPECT_EQ(cache_.Get("a")->id, "a");
  clock_.Advance(absl::Seconds(59));
  EXPECT_EQ(cache_.Get("a")->secret.Reveal(), "one");
  EXPECT_EQ(source_.calls, 1);
  clock_.Advance(absl::Seconds(2));
  EXPECT_TRUE(cache_.Get("a").ok());
  EXPECT_EQ(source_.calls, 2);
}

TEST_F(WebhookCacheTest, RemembersAbsenceForLess) {
  source_.answer = absl::NotFoundError("");
  EXPECT_TRUE(absl::IsNotFound(cache_.Get("a").status()));
  EXPECT_TRUE(absl::IsNotFound(cache_.Get("a").status()));
  EXPECT_EQ(source_.calls, 1);
  clock_.Advance(absl::Seconds(11));
  source_.answer = absl::OkStatus();
  EXPECT_TRUE(cache_.Get("a").ok());
}

TEST_F(WebhookCacheTest, RefreshFindsANewSecretButNotAtAnyRate) {
  EXPECT_TRUE(cache_.Get("a").ok());
  source_.secret = "two";
  for (int i = 0; i < 100; ++i) EXPECT_EQ(cache_.Refresh("a")->secret.Reveal(), "one");
  EXPECT_EQ(source_.calls, 1);
  clock_.Advance(absl::Seconds(11));
  EXPECT_EQ(cache_.Refresh("a")->secret.Reveal(), "two");
  EXPECT_EQ(cache_.Get("a")->secret.Reveal(), "two");
  EXPECT_EQ(source_.calls, 2);
}

TEST_F(WebhookCacheTest, UsesAnOlderAnswerWhileTheSourceIsAway) {
  EXPECT_TRUE(cache_.Get("a").ok());
  source_.answer = absl::UnavailableError("down");
  clock_.Advance(absl::Minutes(9));
  EXPECT_TRUE(cache_.Get("a").ok());
  clock_.Advance(absl::Minutes(2));
  EXPECT_TRUE(absl::IsUnavailable(cache_.Get("a").status()));
  EXPECT_TRUE(absl::IsUnavailable(cache_.Get("b").status()));
}

TEST_F(WebhookCacheTest, ADeletedWebhookIsForgottenEvenIfItWasKnown) {
  EXPECT_TRUE(cache_.Get("a").ok());
  source_.answer = absl::NotFoundError("");
  clock_.Advance(absl::Seconds(61));
  EXPECT_TRUE(absl::IsNotFound(cache_.Get("a").status()));
  source_.answer = absl::UnavailableError("down");
  clock_.Advance(absl::Seconds(61));
  EXPECT_TRUE(absl::IsUnavailable(cache_.Get("a").status()));
}

TEST_F(WebhookCacheTest, IsBoundedAndTheOldestGoes) {
  WebhookCacheOptions options;
  options.max_entries = 2;
  WebhookCache cache(source_, clock_, options);
  for (const char* id : {"a", "b", "a", "c"}) {
    EXPECT_TRUE(cache.Get(id).ok());
    clock_.Advance(absl::Seconds(1));
  }
  EXPECT_EQ(source_.calls, 3);
  EXPECT_TRUE(cache.Get("b").ok());
  EXPECT_EQ(source_.calls, 3);
  EXPECT_TRUE(cache.Get("a").ok());
  EXPECT_EQ(source_.calls, 4);
}

}  // namespace
}  // namespace davit::webhook_gateway
