// Tests of standard_signature.h.
#include "services/webhook_gateway/standard_signature.h"

#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "libs/crypto/hash.h"

namespace davit::webhook_gateway {
namespace {

using crypto::SecretString;

// The example of the specification's libraries.
constexpr char kKey[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr char kId[] = "msg_p5jXN8AQM9LWM0D4loKWxJek";
constexpr char kBody[] = R"({"test": 2432232314})";
constexpr char kSignature[] = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
const absl::Time kSent = absl::FromUnixSeconds(1614265330);

http::Headers Signed(const std::string& signature, const std::string& id = kId,
                     const std::string& timestamp = "1614265330") {
  return {{"webhook-id", id}, {"webhook-timestamp", timestamp}, {"webhook-signature", signature}};
}

absl::Status Verify(const http::Headers& headers, absl::Time now = kSent, const char* key = kKey,
                    const char* body = kBody) {
  return VerifyStandardSignature(headers, body, SecretString(key), now);
}

absl::Status Refusal(const char* message) { return absl::UnauthenticatedError(message); }

TEST(StandardSignatureTest, AcceptsTheSpecificationsExample) { EXPECT_TRUE(Verify(Signed(kSignature)).ok()); }

TEST(StandardSignatureTest, OneRightSignatureOfSeveralIsEnough) {
  const std::string wrong = absl::StrCat("v1,", absl::Base64Escape(std::string(32, 'x')));
  EXPECT_TRUE(Verify(Signed(absl::StrCat(wrong, " v1a,c2ln ", kSignature, " v2,x"))).ok());
  EXPECT_EQ(Verify(Signed(absl::StrCat(wrong, " ", wrong))), Refusal("signature mismatch"));
}

TEST(StandardSignatureTest, RefusesWhatWasChanged) {
  EXPECT_EQ(Verify(Signed(kSignature), kSent, kKey, "{}"), Refusal("signature mismatch"));
  EXPECT_EQ(Verify(Signed(kSignature, "msg_other")), Refusal("signature mismatch"));
  EXPECT_EQ(Verify(Signed(kSignature, kId, "1614265331")), Refusal("signature mismatch"));
  EXPECT_EQ(Verify(Signed(kSignature), kSent, "whsec_AAAA"), Refusal("signature mismatch"));
  for (const char* signature : {"", " ", "v1", "v1,", "v1,!", "v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}) {
    EXPECT_EQ(Verify(Signed(signature)), Refusal("signature mismatch")) << signature;
  }
}

TEST(StandardSignatureTest, RefusesWhatIsOlderOrNewerThanFiveMinutes) {
  EXPECT_TRUE(Verify(Signed(kSignature), kSent + absl::Minutes(5)).ok());
  EXPECT_TRUE(Verify(Signed(kSignature), kSent - absl::Minutes(5)).ok());
  EXPECT_EQ(Verify(Signed(kSignature), kSent + absl::Minutes(5) + absl::Seconds(1)),
            Refusal("timestamp outside 5 min"));
  EXPECT_EQ(Verify(Signed(kSignature), kSent - absl::Minutes(10)), Refusal("timestamp outside 5 min"));
}

TEST(StandardSignatureTest, NamesTheHeaderThatIsMissingOrWrong) {
  for (const char* header : {"webhook-id", "webhook-timestamp", "webhook-signature"}) {
    http::Headers headers = Signed(kSignature);
    headers.Remove(header);
    EXPECT_EQ(Verify(headers), Refusal(absl::StrCat("missing ", header).c_str()));
  }
  for (const char* timestamp : {"", "-1", "+1", " 1614265330", "1e9", "1614265330.5", "99999999999999999999"}) {
    EXPECT_EQ(Verify(Signed(kSignature, kId, timestamp)),
              Refusal("invalid webhook-timestamp: expected seconds since 1970"))
        << timestamp;
  }
  EXPECT_EQ(Verify(Signed(kSignature, "a.b")), Refusal("invalid webhook-id: expected no '.'"));
}

TEST(StandardSignatureTest, NobodyCanSignWithAKeyThatIsNone) {
  const std::string empty_key =
      absl::StrCat("v1,", absl::Base64Escape(crypto::HmacSha256("", absl::StrCat(kId, ".1614265330.", kBody))));
  for (const char* key : {"whsec_", "whsec_!!", ""}) {
    EXPECT_EQ(Verify(Signed(empty_key), kSent, key), Refusal("signature mismatch")) << key;
  }
}

TEST(StandardSignatureTest, KnowsSigningKeys) {
  EXPECT_TRUE(IsSigningKey(SecretString(kKey)));
  EXPECT_FALSE(IsSigningKey(SecretString("whs_token")));
  EXPECT_FALSE(IsSigningKey(SecretString()));
}

}  // namespace
}  // namespace davit::webhook_gateway
