// Tests of envelope.h.
#include "libs/crypto/envelope.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "libs/ids/testing/fake_random.h"

namespace davit::crypto {
namespace {

constexpr char kAad[] = "default|con_1|token";

class EnvelopeTest : public testing::Test {
 protected:
  SealedSecret MustSeal(const std::string& text, const std::string& aad = kAad) {
    return *Seal(ring_, random_, SecretString(text), aad);
  }

  FakeRandom random_;
  RingKeyWrapper ring_{*KeyRing::Parse(KeyRing::NewFileText("k1", random_)), random_};
};

TEST_F(EnvelopeTest, OpensWhatItSealed) {
  for (const std::string& text :
       {std::string("hush"), std::string(), std::string(10000, 'x'), std::string("\0\xff", 2)}) {
    const SealedSecret sealed = MustSeal(text);
    const auto opened = Open(ring_, sealed, kAad);
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ(opened->Reveal(), text);
    if (text.size() > 3) {
      EXPECT_FALSE(absl::StrContains(sealed.ciphertext, text));
    }
  }
}

TEST_F(EnvelopeTest, SealsTheSameTextDifferentlyEachTime) {
  const SealedSecret one = MustSeal("hush");
  const SealedSecret other = MustSeal("hush");
  EXPECT_NE(one.ciphertext, other.ciphertext);
  EXPECT_NE(one.wrapped_key, other.wrapped_key);
  EXPECT_NE(one.nonce, other.nonce);
}

TEST_F(EnvelopeTest, NoticesEveryFlippedBitOfEveryPart) {
  const SealedSecret sealed = MustSeal("hush");
  for (std::string SealedSecret::*part :
       {&SealedSecret::wrapped_key, &SealedSecret::nonce, &SealedSecret::ciphertext}) {
    for (size_t bit = 0; bit < (sealed.*part).size() * 8; ++bit) {
      SealedSecret changed = sealed;
      (changed.*part)[bit / 8] ^= static_cast<char>(1 << (bit % 8));
      EXPECT_EQ(Open(ring_, changed, kAad).status().code(), absl::StatusCode::kDataLoss) << "bit " << bit;
    }
  }
}

TEST_F(EnvelopeTest, NoticesMissingBytesOfEveryPart) {
  const SealedSecret sealed = MustSeal("hush");
  for (std::string SealedSecret::*part :
       {&SealedSecret::wrapped_key, &SealedSecret::nonce, &SealedSecret::ciphertext}) {
    for (size_t length = 0; length < (sealed.*part).size(); ++length) {
      SealedSecret changed = sealed;
      (changed.*part).resize(length);
      EXPECT_EQ(Open(ring_, changed, kAad).status().code(), absl::StatusCode::kDataLoss);
    }
  }
}

TEST_F(EnvelopeTest, OpensOnlyWhereTheSecretBelongs) {
  const SealedSecret sealed = MustSeal("hush");
  for (const char* aad : {"default|con_2|token", "other|con_1|token", "default|con_1|password", ""}) {
    EXPECT_EQ(Open(ring_, sealed, aad).status().code(), absl::StatusCode::kDataLoss);
  }
}

TEST_F(EnvelopeTest, DoesNotMixPartsOfTwoSecrets) {
  const SealedSecret one = MustSeal("one");
  SealedSecret mixed = MustSeal("two");
  mixed.wrapped_key = one.wrapped_key;
  EXPECT_EQ(Open(ring_, mixed, kAad).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(EnvelopeTest, SaysNothingSecretAboutAWrongKey) {
  SealedSecret sealed = MustSeal("hush");
  RingKeyWrapper other(*KeyRing::Parse(KeyRing::NewFileText("k1", random_)), random_);
  EXPECT_EQ(Open(other, sealed, kAad).status(), absl::DataLossError("sealed value is damaged or does not belong here"));
  sealed.key_id = "gone";
  EXPECT_EQ(Open(ring_, sealed, kAad).status(),
            absl::FailedPreconditionError("sealed with a key that the key file does not hold; put the old key back"));
}

TEST_F(EnvelopeTest, OpensAfterARotationWhatTheOldKeySealed) {
  const SecretString old_text = KeyRing::NewFileText("old", random_);
  const SecretString new_text = KeyRing::NewFileText("new", random_);
  RingKeyWrapper before(*KeyRing::Parse(old_text), random_);
  const auto sealed = Seal(before, random_, SecretString("hush"), kAad);
  RingKeyWrapper both(*KeyRing::Parse(SecretString(new_text.Reveal() + old_text.Reveal())), random_);
  EXPECT_EQ(Open(both, *sealed, kAad)->Reveal(), "hush");
  EXPECT_EQ(Seal(both, random_, SecretString("hush"), kAad)->key_id, "new");
}

}  // namespace
}  // namespace davit::crypto
