// Tests of services/builder_agent/masker.h.
#include "services/builder_agent/masker.h"

#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace davit::builder_agent {
namespace {

constexpr char kSecret[] = "s3cr3t/tok+en=Value";

std::vector<crypto::SecretString> Secrets(const std::string& text) {
  std::vector<crypto::SecretString> secrets;
  secrets.emplace_back(text);
  return secrets;
}

std::string Mask(const std::string& text, size_t piece) {
  const SecretForms forms(Secrets(kSecret));
  Masker masker(forms);
  std::string out;
  for (size_t at = 0; at < text.size(); at += piece) out += masker.Feed(absl::string_view(text).substr(at, piece));
  return out + masker.Flush();
}

TEST(MaskerTest, ASecretIsFoundHoweverTheStreamIsCut) {
  const std::string text = absl::StrCat("before ", kSecret, " between ", kSecret, kSecret, " s3cr3t/to after");
  for (size_t piece = 1; piece <= text.size(); ++piece) {
    EXPECT_EQ(Mask(text, piece), "before *** between ****** s3cr3t/to after") << piece;
  }
}

TEST(MaskerTest, EncodedFormsAreFoundHoweverTheyAreAligned) {
  const std::string hex = absl::BytesToHexString(kSecret);
  for (const std::string& text : {hex, absl::AsciiStrToUpper(hex), std::string("s3cr3t%2Ftok%2Ben%3DValue"),
                                  std::string("s3cr3t%2ftok%2ben%3dValue")}) {
    EXPECT_EQ(Mask(absl::StrCat("x ", text, " y"), 5), "x *** y") << text;
  }
  for (const char* before_text : {"", "u", "us", "user:"}) {
    for (const char* after_text : {"", "x", "xy"}) {
      const std::string before = before_text;
      const std::string after = after_text;
      const std::string encoded = absl::Base64Escape(absl::StrCat(before, kSecret, after));
      const std::string masked = Mask(absl::StrCat("Basic ", encoded), 3);
      EXPECT_TRUE(absl::StrContains(masked, "***")) << masked;
      // Only the characters that neighbouring bytes decide too may remain.
      EXPECT_LE(masked.size(), std::string("Basic ***").size() + before.size() * 2 + after.size() * 2 + 8) << masked;
    }
  }
}

TEST(MaskerTest, ShortSecretsAndNoSecretsLeaveTextAlone) {
  const SecretForms forms(Secrets("abc"));
  Masker masker(forms);
  EXPECT_EQ(masker.Feed("abcabc"), "abcabc");
  EXPECT_EQ(masker.Flush(), "");
  EXPECT_EQ(SecretForms({}).MaskText("anything"), "anything");
}

TEST(MaskerTest, WhatCannotBecomeASecretIsPassedOnAtOnce) {
  const SecretForms forms(Secrets(kSecret));
  Masker masker(forms);
  EXPECT_EQ(masker.Feed("hello\n"), "hello\n");
  EXPECT_EQ(masker.Feed("hello s3c"), "hello ");
  EXPECT_EQ(masker.Feed("urity"), "s3curity");
}

TEST(MaskerTest, ASecretThatBeginsInsideAFalseStartIsFound) {
  EXPECT_EQ(SecretForms(Secrets("aaab")).MaskText("aaaaab aaa"), "aa*** aaa");
}

}  // namespace
}  // namespace davit::builder_agent
