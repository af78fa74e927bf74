// Tests of key_wrapper.h: the ring's wrapping, and envelopes over another implementation, as a key management service
// would be one.
#include "libs/crypto/key_wrapper.h"

#include <gtest/gtest.h>

#include <map>

#include "absl/strings/str_cat.h"
#include "libs/crypto/envelope.h"
#include "libs/ids/testing/fake_random.h"

namespace davit::crypto {
namespace {

// A service that keeps the data keys itself and gives out handles, and that can be away.
class RemoteKeyWrapper : public KeyWrapper {
 public:
  std::string primary_id() const override { return absl::StrCat("kms-v", version); }

  absl::StatusOr<std::string> Wrap(const SecretString& data_key, absl::string_view aad) override {
    if (away) return absl::UnavailableError("the key service is away");
    const std::string handle = absl::StrCat(primary_id(), ":", ++handles_);
    held_[handle] = {data_key, std::string(aad)};
    return handle;
  }

  absl::StatusOr<SecretString> Unwrap(absl::string_view key_id, absl::string_view wrapped,
                                      absl::string_view aad) override {
    if (away) return absl::UnavailableError("the key service is away");
    const auto found = held_.find(std::string(wrapped));
    if (found == held_.end() || found->second.second != aad || wrapped.substr(0, key_id.size()) != key_id) {
      return absl::DataLossError("sealed value is damaged or does not belong here");
    }
    return found->second.first;
  }

  bool away = false;
  int version = 1;

 private:
  int handles_ = 0;
  std::map<std::string, std::pair<SecretString, std::string>> held_;
};

TEST(KeyWrapperTest, AnEnvelopeDoesNotCareWhoWraps) {
  FakeRandom random;
  RemoteKeyWrapper service;
  const SealedSecret sealed = *Seal(service, random, SecretString("hush"), "default|con_1|token");
  EXPECT_EQ(sealed.key_id, "kms-v1");
  EXPECT_EQ(Open(service, sealed, "default|con_1|token")->Reveal(), "hush");
  EXPECT_EQ(Open(service, sealed, "other|con_1|token").status().code(), absl::StatusCode::kDataLoss);
  service.version = 2;
  const SealedSecret rewrapped = *Rewrap(service, sealed, "default|con_1|token");
  EXPECT_EQ(rewrapped.key_id, "kms-v2");
  EXPECT_EQ(rewrapped.ciphertext, sealed.ciphertext);
  EXPECT_EQ(Open(service, rewrapped, "default|con_1|token")->Reveal(), "hush");
}

TEST(KeyWrapperTest, AServiceThatIsAwayIsAskedAgainLater) {
  FakeRandom random;
  RemoteKeyWrapper service;
  const SealedSecret sealed = *Seal(service, random, SecretString("hush"), "aad");
  service.away = true;
  EXPECT_EQ(Open(service, sealed, "aad").status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Seal(service, random, SecretString("hush"), "aad").status().code(), absl::StatusCode::kUnavailable);
  service.away = false;
  EXPECT_EQ(Open(service, sealed, "aad")->Reveal(), "hush");
}

TEST(KeyWrapperTest, ARingUnwrapsWhatAnyOfItsKeysWrapped) {
  FakeRandom random;
  const std::string old_text = KeyRing::NewFileText("k1", random).Reveal();
  const std::string new_text = KeyRing::NewFileText("k2", random).Reveal();
  RingKeyWrapper before(*KeyRing::Parse(SecretString(old_text)), random);
  RingKeyWrapper after(*KeyRing::Parse(SecretString(new_text + old_text)), random);
  const SecretString data_key(std::string(32, 'd'));
  const std::string wrapped = *before.Wrap(data_key, "aad");
  EXPECT_EQ(wrapped.size(), 61u);
  EXPECT_EQ(after.primary_id(), "k2");
  EXPECT_EQ(after.Unwrap("k1", wrapped, "aad")->Reveal(), data_key.Reveal());
  EXPECT_EQ(after.Unwrap("k2", wrapped, "aad").status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(after.Unwrap("k3", wrapped, "aad").status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace davit::crypto
