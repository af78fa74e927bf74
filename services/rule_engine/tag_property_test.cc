// Properties of tags over many random templates, refs and moments: every tag fits OCI's grammar, equal inputs give
// equal tags, and different refs different ones, whatever their names are made of.
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "libs/oci/reference.h"
#include "services/rule_engine/git_ref.h"
#include "services/rule_engine/rule_matcher.h"
#include "services/rule_engine/tag_template.h"

namespace davit::rule_engine {
namespace {

// Pieces that names are made of: ordinary, forbidden in tags, several bytes long, not UTF-8, and what other names
// become.
const std::vector<std::string>& Pieces() {
  static const auto* const pieces = new std::vector<std::string>{"a",
                                                                 "b",
                                                                 "Z9",
                                                                 "_",
                                                                 ".",
                                                                 "-",
                                                                 "/",
                                                                 "feature",
                                                                 "login",
                                                                 "#",
                                                                 "@",
                                                                 "+",
                                                                 "$(",
                                                                 "`",
                                                                 "'",
                                                                 "\"",
                                                                 ";",
                                                                 "%0a",
                                                                 "ä",
                                                                 "日本",
                                                                 "\xf0\x9f\x9a\xa2",
                                                                 "\xff",
                                                                 "\xc3",
                                                                 "{ref}",
                                                                 "}",
                                                                 "df7c7aeb",
                                                                 "-df7c7aeb",
                                                                 "-0123abcd",
                                                                 "20240101",
                                                                 "-20240101",
                                                                 "refs/heads/",
                                                                 "latest",
                                                                 "\xe2\x80\xae",
                                                                 "=",
                                                                 "&&",
                                                                 "|",
                                                                 "<x>",
                                                                 ",",
                                                                 "!",
                                                                 std::string(30, 'x'),
                                                                 std::string(119, 'y')};
  return *pieces;
}

class TagPropertyTest : public ::testing::Test {
 protected:
  std::string RandomName() {
    std::string name;
    for (size_t pieces = 1 + random_() % 5; pieces > 0; --pieces) name += Pieces()[random_() % Pieces().size()];
    return name;
  }

  // Nothing for names that git does not accept.
  std::optional<GitRef> RandomRef() {
    const absl::StatusOr<GitRef> ref =
        GitRef::Parse(absl::StrCat(random_() % 4 == 0 ? "refs/tags/" : "refs/heads/", RandomName()));
    if (!ref.ok()) return std::nullopt;
    return *ref;
  }

  std::string RandomTemplate() {
    static const auto* const parts = new std::vector<std::string>{"{branch}",
                                                                  "{tag}",
                                                                  "{ref}",
                                                                  "{ref:16}",
                                                                  "{branch:40}",
                                                                  "{commit}",
                                                                  "{commit:7}",
                                                                  "{commit:4}",
                                                                  "{time}",
                                                                  "{time:%s}",
                                                                  "{time@Asia/Tokyo}",
                                                                  "{number}",
                                                                  "v",
                                                                  "-",
                                                                  ".",
                                                                  "_",
                                                                  "release-1.2_",
                                                                  "{time:%Y%j@Europe/Berlin}",
                                                                  std::string(60, 'p')};
    std::string text;
    for (size_t count = 1 + random_() % 5; count > 0; --count) text += (*parts)[random_() % parts->size()];
    return text;
  }

  std::string RandomCommit() {
    std::string commit;
    for (int i = 0; i < 40; ++i) commit += "0123456789abcdef"[random_() % 16];
    return commit;
  }

  std::mt19937 random_{23};  // NOLINT: a fixed seed makes a failure repeatable
};

TEST_F(TagPropertyTest, EveryTagOfEveryTemplateFitsTheGrammarAndIsTheSameAgain) {
  int rendered = 0;
  for (int i = 0; i < 60000; ++i) {
    const absl::StatusOr<TagTemplate> parsed = TagTemplate::Parse(RandomTemplate());
    std::optional<GitRef> ref = RandomRef();
    if (!parsed.ok() || (!ref.has_value() && i % 3 != 0)) continue;
    TagInputs inputs{ref, RandomCommit(), absl::FromUnixSeconds(static_cast<int64_t>(random_() % 4000000000u)),
                     1 + static_cast<int64_t>(random_())};
    if (!parsed->AppliesTo(inputs.ref)) continue;
    const absl::StatusOr<std::string> tag = parsed->Render(inputs);
    ASSERT_TRUE(tag.ok()) << parsed->text() << ": " << tag.status();
    ASSERT_TRUE(oci::CheckTag(*tag).ok()) << parsed->text() << " -> " << *tag;
    ASSERT_LE(tag->size(), 128);
    ASSERT_EQ(*TagTemplate::Parse(parsed->text())->Render(inputs), *tag);
    ++rendered;
  }
  EXPECT_GT(rendered, 10000);
}

TEST_F(TagPropertyTest, DifferentNamesGetDifferentTagsUnderEveryShape) {
  for (const char* text : {"{ref}", "{ref:16}", "{ref:100}", "v{ref}-x", "{ref}-{number}"}) {
    const TagTemplate shape = *TagTemplate::Parse(text);
    std::map<std::string, std::string> name_of_tag;
    const TagInputs others{std::nullopt, std::string(40, 'a'), absl::UnixEpoch(), 7};
    std::vector<std::string> names;
    for (int i = 0; i < 15000; ++i) names.push_back(RandomName());
    // What names become are names, too.
    for (size_t i = 0; i < 5000; ++i) names.push_back(TagTextForName(names[i]));
    for (const std::string& name : names) {
      const absl::StatusOr<GitRef> ref = GitRef::Parse(absl::StrCat("refs/heads/", name));
      if (!ref.ok()) continue;
      TagInputs inputs = others;
      inputs.ref = *ref;
      const std::string tag = *shape.Render(inputs);
      const auto [known, inserted] = name_of_tag.emplace(tag, name);
      ASSERT_TRUE(inserted || known->second == name)
          << text << ": " << name << " and " << known->second << " -> " << tag;
    }
    EXPECT_GT(name_of_tag.size(), 3000) << text;
  }
}

TEST_F(TagPropertyTest, ARulesTagsAreDistinctAndNoMoreThanItsTemplates) {
  int rules = 0;
  for (int i = 0; i < 20000; ++i) {
    std::vector<std::string> templates;
    for (size_t count = 1 + random_() % 5; count > 0; --count) templates.push_back(RandomTemplate());
    const TagInputs inputs{RandomRef(), RandomCommit(), absl::FromUnixSeconds(1700000000), 1};
    const auto tags = RenderTags(templates, inputs);
    if (!tags.ok()) continue;
    ASSERT_LE(tags->size(), templates.size());
    std::map<std::string, int> counts;
    for (const std::string& tag : *tags) ASSERT_EQ(++counts[tag], 1) << tag;
    ++rules;
  }
  EXPECT_GT(rules, 1000);
}

}  // namespace
}  // namespace davit::rule_engine
