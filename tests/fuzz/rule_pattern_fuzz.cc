// Fuzzes rule patterns and tag templates. The input's first line is a pattern, the second a template, the rest a ref.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_split.h"
#include "libs/oci/reference.h"
#include "services/rule_engine/git_ref.h"
#include "services/rule_engine/pattern.h"
#include "services/rule_engine/tag_template.h"
#include "tests/fuzz/check.h"

namespace davit::rule_engine {
namespace {

void TryPattern(absl::string_view text, const std::optional<GitRef>& ref) {
  const absl::StatusOr<Pattern> pattern = Pattern::Compile(text);
  if (!pattern.ok()) {
    FUZZ_CHECK(absl::IsInvalidArgument(pattern.status()));
    return;
  }
  FUZZ_CHECK(pattern->text() == text);
  if (ref.has_value()) FUZZ_CHECK(pattern->Matches(*ref) == Pattern(*pattern).Matches(*ref));
}

// A name without wildcards matches itself.
void TryExactName(const GitRef& ref) {
  if (ref.name.find_first_of("*?[\\") != std::string::npos || ref.name.rfind("re:", 0) == 0) return;
  const absl::StatusOr<Pattern> exact = Pattern::Compile(ref.name);
  if (exact.ok()) FUZZ_CHECK(exact->Matches(ref));
}

void TryTemplate(absl::string_view text, const std::optional<GitRef>& ref) {
  const absl::StatusOr<TagTemplate> parsed = TagTemplate::Parse(text);
  if (!parsed.ok()) {
    FUZZ_CHECK(absl::IsInvalidArgument(parsed.status()));
    return;
  }
  const TagInputs inputs{ref, "0123456789abcdef0123456789abcdef01234567", absl::FromUnixSeconds(1767225600)};
  const absl::StatusOr<std::string> tag = parsed->Render(inputs);
  FUZZ_CHECK(tag.ok() == parsed->AppliesTo(ref));
  if (!tag.ok()) return;
  FUZZ_CHECK(oci::CheckTag(*tag).ok());
  FUZZ_CHECK(*parsed->Render(inputs) == *tag);
}

// No name becomes what another, that had to be changed, became.
void TryName(const GitRef& ref) {
  const std::string text = TagTextForName(ref.name);
  if (text != ref.name) FUZZ_CHECK(TagTextForName(text) != text);
}

}  // namespace
}  // namespace davit::rule_engine

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using davit::rule_engine::GitRef;
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  const std::pair<absl::string_view, absl::string_view> first = absl::StrSplit(input, absl::MaxSplits('\n', 1));
  const std::pair<absl::string_view, absl::string_view> second = absl::StrSplit(first.second, absl::MaxSplits('\n', 1));
  std::optional<GitRef> ref;
  absl::StatusOr<GitRef> parsed = GitRef::Parse(second.second);
  if (parsed.ok()) {
    ref = *std::move(parsed);
    davit::rule_engine::TryExactName(*ref);
    davit::rule_engine::TryName(*ref);
  }
  davit::rule_engine::TryPattern(first.first, ref);
  davit::rule_engine::TryTemplate(second.first, ref);
  return 0;
}
