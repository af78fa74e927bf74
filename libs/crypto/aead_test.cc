// Tests of aead.h with published vectors.
#include "libs/crypto/aead.h"

#include <gtest/gtest.h>

#include "absl/strings/escaping.h"

namespace davit::crypto {
namespace {

// Test cases 13, 14 and 16 of "The Galois/Counter Mode of Operation" (McGrew and Viega), which NIST SP 800-38D refers
// to.
struct Vector {
  const char* key;
  const char* nonce;
  const char* plaintext;
  const char* aad;
  const char* ciphertext;
  const char* tag;
};
constexpr Vector kVectors[] = {
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "", "", "",
     "530f8afbc74536b9a963b4f1c4cb738b"},
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "00000000000000000000000000000000", "", "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
     "76fc6ece0f4e1768cddf8853bb2d551b"},
};

TEST(AesGcmTest, MatchesThePublishedVectors) {
  for (const Vector& v : kVectors) {
    const std::string key = absl::HexStringToBytes(v.key);
    const std::string nonce = absl::HexStringToBytes(v.nonce);
    const std::string plaintext = absl::HexStringToBytes(v.plaintext);
    const std::string aad = absl::HexStringToBytes(v.aad);
    const std::string expected = absl::HexStringToBytes(v.ciphertext) + absl::HexStringToBytes(v.tag);
    EXPECT_EQ(absl::BytesToHexString(*AesGcmEncrypt(key, nonce, plaintext, aad)), absl::BytesToHexString(expected));
    EXPECT_EQ(*AesGcmDecrypt(key, nonce, expected, aad), plaintext);
  }
}

TEST(AesGcmTest, RefusesKeysAndNoncesOfWrongLength) {
  EXPECT_EQ(AesGcmEncrypt("short", std::string(12, 'n'), "p", "").status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(AesGcmEncrypt(std::string(32, 'k'), "n", "p", "").status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(AesGcmDecrypt(std::string(32, 'k'), std::string(12, 'n'), "short", "").status().code(),
            absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace davit::crypto
