// Tests of key_ring.h.
#include "libs/crypto/key_ring.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/ids/testing/fake_random.h"

namespace davit::crypto {
namespace {

constexpr char kOne[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
constexpr char kOther[] = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

absl::Status ParseError(const std::string& text) { return KeyRing::Parse(SecretString(text)).status(); }

TEST(KeyRingTest, TakesTheFirstKeyForThePrimary) {
  const auto ring = KeyRing::Parse(SecretString(std::string("# keys\n\nnew ") + kOne + "\r\nold\t" + kOther + "\n"));
  ASSERT_TRUE(ring.ok()) << ring.status();
  EXPECT_EQ(ring->primary_id(), "new");
  EXPECT_EQ(ring->Find("new")->Reveal(), std::string(32, '\0'));
  EXPECT_EQ(ring->Find("old")->Reveal(), std::string(32, '\x01'));
  EXPECT_EQ(ring->Find("none"), nullptr);
}

TEST(KeyRingTest, RefusesBadLinesWithoutQuotingThem) {
  for (const std::string& text : {std::string("k hush"), std::string("k"), "k " + std::string(kOne) + " x",
                                  std::string("k AAAA"), "k/k " + std::string(kOne)}) {
    const absl::Status status = ParseError(text);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_TRUE(absl::StrContains(status.message(), "line 1")) << status;
    EXPECT_FALSE(absl::StrContains(status.message(), "hush")) << status;
  }
  EXPECT_EQ(ParseError("").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(ParseError("k " + std::string(kOne) + "\nk " + kOther).message(), "line 2 repeats"));
}

TEST(KeyRingTest, ReadsAPrivateFileAndRefusesAPublicOne) {
  const std::string path = testing::TempDir() + "/keys";
  std::ofstream(path) << "k " << kOne << "\n";
  chmod(path.c_str(), 0600);
  EXPECT_TRUE(KeyRing::FromFile(path).ok());
  chmod(path.c_str(), 0644);
  EXPECT_EQ(KeyRing::FromFile(path).status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(KeyRing::FromFile(path + ".missing").status().code(), absl::StatusCode::kNotFound);
}

TEST(KeyRingTest, ReadsAnEnvironmentVariable) {
  setenv("DAVIT_TEST_KEYS", absl::StrCat("new ", kOne, ";old ", kOther).c_str(), 1);
  const auto ring = KeyRing::FromEnvironment("DAVIT_TEST_KEYS");
  ASSERT_TRUE(ring.ok()) << ring.status();
  EXPECT_EQ(ring->primary_id(), "new");
  EXPECT_NE(ring->Find("old"), nullptr);
  setenv("DAVIT_TEST_KEYS", "k hush", 1);
  const absl::Status refused = KeyRing::FromEnvironment("DAVIT_TEST_KEYS").status();
  EXPECT_TRUE(absl::StrContains(refused.message(), "DAVIT_TEST_KEYS")) << refused;
  EXPECT_FALSE(absl::StrContains(refused.message(), "hush")) << refused;
  EXPECT_EQ(KeyRing::FromEnvironment("DAVIT_TEST_NO_KEYS").status().code(), absl::StatusCode::kNotFound);
}

TEST(KeyRingTest, WritesFilesThatItReads) {
  FakeRandom random;
  const auto ring = KeyRing::Parse(KeyRing::NewFileText("k1", random));
  ASSERT_TRUE(ring.ok()) << ring.status();
  EXPECT_EQ(ring->primary_id(), "k1");
}

}  // namespace
}  // namespace davit::crypto
