// Parsing and rendering of tag templates. Owns nothing beyond what it returns; stateless.
#include "services/rule_engine/tag_template.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/crypto/hash.h"
#include "libs/status/status_macros.h"

namespace davit::rule_engine {
namespace {

constexpr size_t kMaxTemplateBytes = 256;
constexpr size_t kMaxTagBytes = 128;
constexpr size_t kHashDigits = 8;
constexpr size_t kMinCommitDigits = 4;
constexpr size_t kMaxCommitDigits = 40;
constexpr absl::string_view kDefaultTimeFormat = "%Y%m%d-%H%M%S";
constexpr absl::string_view kTimeConversions = "YmdHMSyjs";
constexpr absl::string_view kAccepted =
    "{branch}, {tag}, {ref}, {commit}, {commit:N} with N from 4 to 40, {time}, {time:FORMAT}";

bool IsWordChar(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_'; }
bool IsTagChar(char c) { return IsWordChar(c) || c == '.' || c == '-'; }

absl::Status InvalidText(absl::string_view text) {
  const auto bad = std::find_if_not(text.begin(), text.end(), IsTagChar);
  return absl::InvalidArgumentError(
      absl::StrCat("invalid image reference: '", absl::string_view(&*bad, 1),
                   "' cannot be part of a tag; letters, digits, '_', '.' and '-' can, and ", kAccepted));
}

std::string HashSuffix(absl::string_view text) {
  return absl::StrCat("-", crypto::Sha256Hex(text).substr(0, kHashDigits));
}

absl::Status CheckTimeFormat(absl::string_view format) {
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] == '%') {
      ++i;
      if (i == format.size() || !absl::StrContains(kTimeConversions, format.substr(i, 1))) {
        return absl::InvalidArgumentError(absl::StrCat("unknown conversion %", format.substr(i, 1), " in {time:",
                                                       format, "}; accepted: %Y %m %d %H %M %S %y %j %s"));
      }
    } else if (!IsTagChar(format[i])) {
      return InvalidText(format.substr(i, 1));
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::string TagTextForName(absl::string_view name) {
  const bool fits = !name.empty() && IsWordChar(name[0]) && std::all_of(name.begin(), name.end(), IsTagChar);
  if (fits) return std::string(name);
  std::string text;
  for (const char c : name) {
    if (IsTagChar(c)) {
      text += c;
    } else if (!absl::EndsWith(text, "-")) {
      text += '-';
    }
  }
  if (text.empty() || !IsWordChar(text[0])) text.insert(0, "_");
  return text + HashSuffix(name);
}

absl::StatusOr<TagTemplate::Part> TagTemplate::ParseVariable(absl::string_view variable) {
  const std::pair<absl::string_view, absl::string_view> split = absl::StrSplit(variable, absl::MaxSplits(':', 1));
  const auto [name, option] = split;
  const bool has_option = absl::StrContains(variable, ":");
  if (name == "commit") {
    size_t length = kMaxCommitDigits;
    if (has_option && (!absl::SimpleAtoi(option, &length) || length < kMinCommitDigits || length > kMaxCommitDigits)) {
      return absl::InvalidArgumentError(
          absl::StrCat("{", variable, "}: the length is a number from ", kMinCommitDigits, " to ", kMaxCommitDigits));
    }
    return Part{PartKind::kCommit, "", length};
  }
  if (name == "time") {
    if (has_option && option.empty()) return absl::InvalidArgumentError("{time:} has no format; write {time}");
    const absl::string_view format = has_option ? option : kDefaultTimeFormat;
    DAVIT_RETURN_IF_ERROR(CheckTimeFormat(format));
    return Part{PartKind::kTime, std::string(format)};
  }
  if (!has_option && name == "branch") return Part{PartKind::kBranch, ""};
  if (!has_option && name == "tag") return Part{PartKind::kTag, ""};
  if (!has_option && name == "ref") return Part{PartKind::kRef, ""};
  return absl::InvalidArgumentError(absl::StrCat("unknown variable {", variable, "}; accepted: ", kAccepted));
}

absl::StatusOr<TagTemplate> TagTemplate::Parse(absl::string_view text) {
  if (text.empty()) return absl::InvalidArgumentError("invalid image reference: the tag is empty");
  if (text.size() > kMaxTemplateBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("invalid image reference: the tag template is longer than ", kMaxTemplateBytes, " bytes"));
  }
  TagTemplate parsed;
  parsed.text_ = std::string(text);
  absl::string_view rest = text;
  while (!rest.empty()) {
    if (rest[0] == '{') {
      const size_t end = rest.find('}');
      if (end == absl::string_view::npos) {
        return absl::InvalidArgumentError(absl::StrCat("'{' without '}' in \"", rest, "\"; accepted: ", kAccepted));
      }
      DAVIT_ASSIGN_OR_RETURN(Part part, ParseVariable(rest.substr(1, end - 1)));
      parsed.parts_.push_back(std::move(part));
      rest.remove_prefix(end + 1);
      continue;
    }
    const absl::string_view literal = rest.substr(0, rest.find('{'));
    if (!std::all_of(literal.begin(), literal.end(), IsTagChar)) return InvalidText(literal);
    parsed.parts_.push_back(Part{PartKind::kLiteral, std::string(literal)});
    rest.remove_prefix(literal.size());
  }
  const Part& first = parsed.parts_.front();
  const bool starts_with_text = first.kind == PartKind::kLiteral || first.kind == PartKind::kTime;
  if (starts_with_text && !IsWordChar(first.text[0]) && first.text[0] != '%') {
    return absl::InvalidArgumentError(absl::StrCat("invalid image reference: a tag cannot begin with '",
                                                   first.text.substr(0, 1), "'; begin with a letter, a digit or '_'"));
  }
  if (!parsed.AppliesToKind(GitRef::Kind::kBranch) && !parsed.AppliesToKind(GitRef::Kind::kTag)) {
    return absl::InvalidArgumentError("{branch} and {tag} in one tag: a push is of one or the other; use {ref}");
  }
  return parsed;
}

bool TagTemplate::AppliesToKind(GitRef::Kind kind) const {
  const PartKind foreign = kind == GitRef::Kind::kBranch ? PartKind::kTag : PartKind::kBranch;
  return std::none_of(parts_.begin(), parts_.end(), [foreign](const Part& part) { return part.kind == foreign; });
}

bool TagTemplate::TellsPushesApart() const {
  return std::any_of(parts_.begin(), parts_.end(),
                     [](const Part& part) { return part.kind == PartKind::kCommit || part.kind == PartKind::kTime; });
}

bool TagTemplate::AppliesTo(const std::optional<GitRef>& ref) const {
  if (ref.has_value()) return AppliesToKind(ref->kind);
  return std::none_of(parts_.begin(), parts_.end(), [](const Part& part) {
    return part.kind == PartKind::kBranch || part.kind == PartKind::kTag || part.kind == PartKind::kRef;
  });
}

absl::StatusOr<std::string> TagTemplate::Render(const TagInputs& inputs) const {
  if (!AppliesTo(inputs.ref)) {
    return absl::FailedPreconditionError(
        absl::StrCat("tag template \"", text_, "\" does not apply to a ",
                     inputs.ref.has_value() ? inputs.ref->kind_name() : absl::string_view("bare commit")));
  }
  std::string tag;
  for (const Part& part : parts_) {
    switch (part.kind) {
      case PartKind::kLiteral:
        tag += part.text;
        break;
      case PartKind::kBranch:
      case PartKind::kTag:
      case PartKind::kRef:
        tag += TagTextForName(inputs.ref->name);
        break;
      case PartKind::kCommit:
        tag += inputs.commit.substr(0, part.length);
        break;
      case PartKind::kTime:
        tag += absl::FormatTime(part.text, inputs.time, absl::UTCTimeZone());
        break;
    }
  }
  if (tag.size() <= kMaxTagBytes) return tag;
  return tag.substr(0, kMaxTagBytes - kHashDigits - 1) + HashSuffix(tag);
}

}  // namespace davit::rule_engine
