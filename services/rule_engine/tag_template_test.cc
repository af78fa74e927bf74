// Tests of tag templates: examples, refusals, and properties over many random names.
#include "services/rule_engine/tag_template.h"

#include <map>
#include <random>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace davit::rule_engine {
namespace {

constexpr char kCommit[] = "0123456789abcdef0123456789abcdef01234567";

TagInputs Push(const std::string& full_ref) {
  TagInputs inputs;
  inputs.ref = *GitRef::Parse(full_ref);
  inputs.commit = kCommit;
  inputs.time = absl::FromUnixSeconds(1700000000);  // 2023-11-14 22:13:20 UTC
  return inputs;
}

std::string Render(const std::string& text, const TagInputs& inputs) {
  const auto parsed = TagTemplate::Parse(text);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  if (!parsed.ok()) return "";
  const auto tag = parsed->Render(inputs);
  EXPECT_TRUE(tag.ok()) << tag.status();
  return tag.value_or("");
}

bool IsOciTag(const std::string& tag) {
  if (tag.empty() || tag.size() > 128 || tag[0] == '.' || tag[0] == '-') return false;
  for (const char c : tag) {
    if (!isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '.' && c != '-') return false;
  }
  return true;
}

TEST(TagTemplateTest, EveryVariableIsFilledIn) {
  const TagInputs push = Push("refs/heads/main");
  EXPECT_EQ(Render("{branch}-{time:%Y%m%d}-{commit:7}", push), "main-20231114-0123456");
  EXPECT_EQ(Render("{time}", push), "20231114-221320");
  EXPECT_EQ(Render("{time:%s}", push), "1700000000");
  EXPECT_EQ(Render("{commit}", push), kCommit);
  EXPECT_EQ(Render("latest", push), "latest");
  EXPECT_EQ(Render("v{tag}_x", Push("refs/tags/1.2")), "v1.2_x");
  EXPECT_EQ(Render("{ref}", Push("refs/tags/1.2")), "1.2");
}

TEST(TagTemplateTest, ANameThatHadToBeChangedIsMarkedWithItsDigest) {
  EXPECT_EQ(TagTextForName("feature-login"), "feature-login");
  EXPECT_EQ(TagTextForName("feature/login"), "feature-login-df7c7aeb");
  EXPECT_NE(TagTextForName("feature/login"), TagTextForName("feature#login"));
  EXPECT_TRUE(absl::StartsWith(TagTextForName("größe"), "gr-e-"));
  EXPECT_TRUE(absl::StartsWith(TagTextForName("@x"), "_-x-"));
}

TEST(TagTemplateTest, ALongTagIsCutToTheLimitAndStaysDistinct) {
  const std::string stem(140, 'a');
  const std::string one = Render("{branch}-x", Push("refs/heads/" + stem + "1"));
  const std::string two = Render("{branch}-x", Push("refs/heads/" + stem + "2"));
  EXPECT_EQ(one.size(), 128);
  EXPECT_NE(one, two);
  EXPECT_EQ(one, Render("{branch}-x", Push("refs/heads/" + stem + "1")));
}

TEST(TagTemplateTest, ATemplateAppliesToWhatItNames) {
  const auto branch = TagTemplate::Parse("{branch}");
  const auto tag = TagTemplate::Parse("{tag}");
  const auto ref = TagTemplate::Parse("{ref}");
  const auto commit = TagTemplate::Parse("{commit:12}");
  ASSERT_TRUE(branch.ok() && tag.ok() && ref.ok() && commit.ok());
  const TagInputs branch_push = Push("refs/heads/x");
  const TagInputs tag_push = Push("refs/tags/x");
  EXPECT_TRUE(branch->AppliesTo(branch_push.ref));
  EXPECT_FALSE(branch->AppliesTo(tag_push.ref));
  EXPECT_FALSE(tag->AppliesTo(branch_push.ref));
  EXPECT_TRUE(ref->AppliesTo(branch_push.ref));
  EXPECT_TRUE(ref->AppliesTo(tag_push.ref));
  EXPECT_FALSE(ref->AppliesTo(std::nullopt));
  EXPECT_TRUE(commit->AppliesTo(std::nullopt));
  EXPECT_EQ(tag->Render(branch_push).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(TagTemplateTest, AnUnknownVariableIsRefusedWithTheAcceptedOnes) {
  const auto parsed = TagTemplate::Parse("{brunch}");
  ASSERT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(parsed.status().message(),
                                "unknown variable {brunch}; accepted: {branch}, {tag}, {ref}, {commit}"))
      << parsed.status();
}

TEST(TagTemplateTest, WhatNoTagMayHoldIsRefused) {
  for (const std::string bad : {"", "UPPER/..:x y", "a b", "-a", ".a", "{time:-%Y}", "{time:.}", "x:y", "ä"}) {
    const auto parsed = TagTemplate::Parse(bad);
    ASSERT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument) << bad;
    EXPECT_TRUE(absl::StartsWith(parsed.status().message(), "invalid image reference: ")) << parsed.status();
  }
  for (const std::string bad : {"{", "}", "{}", "{branch", "{branch:3}", "{commit:3}", "{commit:41}", "{commit:x}",
                                "{commit:}", "{time:}", "{time:%Q}", "{time:%}", "{branch}{tag}", "{commit:-7}"}) {
    EXPECT_EQ(TagTemplate::Parse(bad).status().code(), absl::StatusCode::kInvalidArgument) << bad;
  }
}

TEST(TagTemplateTest, EveryTagIsValidAndDistinctNamesGetDistinctTags) {
  std::mt19937 random(7);  // NOLINT: a fixed seed makes a failure repeatable
  const std::string alphabet = "ab_./-+#@!$%&Z09\xc3\xa4";
  std::map<std::string, std::string> name_of_tag;
  int valid = 0;
  for (int i = 0; i < 60000; ++i) {
    const size_t length = i % 50 == 0 ? 100 + random() % 100 : 1 + random() % 7;
    std::string name;
    for (size_t j = 0; j < length; ++j) name += alphabet[random() % alphabet.size()];
    const auto ref = GitRef::Parse(absl::StrCat("refs/heads/", name));
    if (!ref.ok()) continue;
    ++valid;
    const std::string tag = Render("{branch}", Push(ref->full));
    ASSERT_TRUE(IsOciTag(tag)) << name << " -> " << tag;
    ASSERT_TRUE(IsOciTag(Render("{branch}-{time:%Y%m%d}-{commit:7}", Push(ref->full)))) << name;
    const auto [position, inserted] = name_of_tag.emplace(tag, name);
    ASSERT_TRUE(inserted || position->second == name) << name << " and " << position->second << " -> " << tag;
  }
  EXPECT_GT(valid, 10000);
}

}  // namespace
}  // namespace davit::rule_engine
