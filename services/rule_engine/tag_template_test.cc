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

TEST(TagTemplateTest, ATimeIsShownInItsZone) {
  const TagInputs push = Push("refs/heads/main");
  EXPECT_EQ(Render("{time@Asia/Tokyo}", push), "20231115-071320");
  EXPECT_EQ(Render("{time:%Y%m%d@America/New_York}", push), "20231114");
  EXPECT_EQ(Render("{time:%H%M@UTC}", push), "2213");
  for (const std::string bad : {"{time@}", "{time@Europe/Nowhere}", "{time@localtime}", "{time@/etc/localtime}",
                                "{time@../x}", "{time:@UTC}", "{time@file:x}", "{time:%Y@UTC@UTC}"}) {
    EXPECT_EQ(TagTemplate::Parse(bad).status().code(), absl::StatusCode::kInvalidArgument) << bad;
  }
  EXPECT_TRUE(absl::StrContains(TagTemplate::Parse("{time@Mars/Base}").status().message(),
                                "unknown time zone \"Mars/Base\"; expected a name such as Europe/Berlin"));
}

TEST(TagTemplateTest, ABuildNumberIsFilledIn) {
  TagInputs push = Push("refs/heads/main");
  push.number = 42;
  EXPECT_EQ(Render("{branch}-{number}", push), "main-42");
  EXPECT_TRUE(TagTemplate::Parse("{number}")->NamesNumber());
  EXPECT_FALSE(TagTemplate::Parse("{branch}")->NamesNumber());
  EXPECT_FALSE(TagTemplate::Parse("{number:2}").ok());
}

TEST(TagTemplateTest, ANameIsCutToItsLength) {
  const std::string name = "a-branch-with-quite-a-long-name";
  const std::string cut = Render("{branch:20}", Push("refs/heads/" + name));
  EXPECT_EQ(cut.size(), 20);
  EXPECT_TRUE(absl::StartsWith(cut, "a-branch-wi-")) << cut;
  EXPECT_NE(cut, Render("{branch:20}", Push("refs/heads/" + name + "2")));
  EXPECT_EQ(Render("{ref:20}", Push("refs/tags/short")), "short");
  EXPECT_LE(Render("{branch:16}", Push("refs/heads/ä/ä/ä/ä/ä/ä/ä/ä/ä/ä")).size(), 16);
  for (const std::string bad : {"{branch:15}", "{tag:101}", "{ref:}", "{ref:x}"}) {
    EXPECT_FALSE(TagTemplate::Parse(bad).ok()) << bad;
  }
}

TEST(TagTemplateTest, NoNameCanTakeTheTagOfAChangedOne) {
  const std::string victim = TagTextForName("feature/login");
  EXPECT_NE(TagTextForName(victim), victim);
  EXPECT_EQ(TagTextForName("fix-deadbeef").size(), 21);
  // A date does not look like a digest: that has a letter.
  EXPECT_EQ(TagTextForName("release-20240101"), "release-20240101");
  const std::string long_name(200, 'a');
  const std::string cut = Render("{branch}", Push("refs/heads/" + long_name));
  EXPECT_NE(Render("{branch}", Push("refs/heads/" + cut)), cut);
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
