// Parsing and rendering of tag templates. Owns nothing beyond what it returns; stateless.
#include "services/rule_engine/tag_template.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "libs/crypto/hash.h"
#include "libs/status/status_macros.h"

namespace davit::rule_engine {
namespace {

constexpr size_t kMaxTemplateBytes = 256;
constexpr size_t kMaxTagBytes = 128;
constexpr size_t kHashDigits = 8;
constexpr size_t kMinNameLength = 16;
constexpr size_t kMaxNameLength = 100;
constexpr size_t kMaxZoneBytes = 64;
constexpr size_t kMinCommitDigits = 4;
constexpr size_t kMaxCommitDigits = 40;
constexpr absl::string_view kDefaultTimeFormat = "%Y%m%d-%H%M%S";
constexpr absl::string_view kTimeConversions = "YmdHMSyjs";
constexpr absl::string_view kAccepted =
    "{branch}, {tag}, {ref}, {commit}, {commit:N} with N from 4 to 40, {time}, {time:FORMAT}, {time:FORMAT@ZONE}, "
    "{number}, {ref:N} and the like with N from 16 to 100";

bool IsWordChar(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_'; }
bool IsTagChar(char c) { return IsWordChar(c) || c == '.' || c == '-'; }

absl::Status InvalidText(absl::string_view text) {
  const auto bad = std::find_if_not(text.begin(), text.end(), IsTagChar);
  return absl::InvalidArgumentError(
      absl::StrCat("invalid image reference: '", absl::string_view(&*bad, 1),
                   "' cannot be part of a tag; letters, digits, '_', '.' and '-' can, and ", kAccepted));
}

bool IsHexLetter(char c) { return c >= 'a' && c <= 'f'; }
bool IsHexDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)) || IsHexLetter(c); }

// The mark of a name or tag that is not shown whole: '-' and the first 8 digits in a row of its SHA-256 that have a
// letter among them. That 64 digits have none happens to one text in 10^13; then it is the first 8.
std::string MarkOf(absl::string_view text) {
  const std::string digest = crypto::Sha256Hex(text);
  const auto letter = std::find_if(digest.begin(), digest.end(), IsHexLetter);
  const size_t first = letter == digest.end() ? 0 : static_cast<size_t>(letter - digest.begin());
  return absl::StrCat("-", digest.substr(first < kHashDigits ? 0 : first - kHashDigits + 1, kHashDigits));
}

bool EndsLikeAMark(absl::string_view text) {
  if (text.size() <= kHashDigits || text[text.size() - kHashDigits - 1] != '-') return false;
  const absl::string_view digits = text.substr(text.size() - kHashDigits);
  return std::all_of(digits.begin(), digits.end(), IsHexDigit) &&
         std::any_of(digits.begin(), digits.end(), IsHexLetter);
}

// Names of the IANA database only: no files, no prefixes that the library understands.
absl::StatusOr<absl::TimeZone> ParseZone(absl::string_view name) {
  const bool plain = !name.empty() && name.size() <= kMaxZoneBytes && absl::ascii_isalpha(name[0]) &&
                     !absl::StrContains(name, "..") && name != "localtime" &&
                     std::all_of(name.begin(), name.end(), [](char c) {
                       return IsWordChar(c) || absl::StrContains("/+-", absl::string_view(&c, 1));
                     });
  absl::TimeZone zone;
  if (plain && absl::LoadTimeZone(name, &zone)) return zone;
  return absl::InvalidArgumentError(
      absl::StrCat("unknown time zone \"", name.substr(0, kMaxZoneBytes), "\"; expected a name such as Europe/Berlin"));
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

std::string TagTextForName(absl::string_view name, size_t longest) {
  const bool fits = !name.empty() && IsWordChar(name[0]) && std::all_of(name.begin(), name.end(), IsTagChar) &&
                    !EndsLikeAMark(name) && (longest == 0 || name.size() <= longest);
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
  if (longest > 0) text.resize(std::min(text.size(), longest - kHashDigits - 1));
  return text + MarkOf(name);
}

absl::StatusOr<TagTemplate::Part> TagTemplate::ParseTime(absl::string_view variable) {
  const std::pair<absl::string_view, absl::string_view> at = absl::StrSplit(variable, absl::MaxSplits('@', 1));
  Part part{PartKind::kTime, std::string(kDefaultTimeFormat)};
  if (absl::StrContains(variable, "@")) {
    DAVIT_ASSIGN_OR_RETURN(part.zone, ParseZone(at.second));
  }
  absl::string_view format = at.first;
  absl::ConsumePrefix(&format, "time");
  if (!absl::ConsumePrefix(&format, ":")) return part;
  if (format.empty()) return absl::InvalidArgumentError("{time:} has no format; write {time}");
  DAVIT_RETURN_IF_ERROR(CheckTimeFormat(format));
  part.text = std::string(format);
  return part;
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
  if (name == "time" || absl::StartsWith(variable, "time@")) return ParseTime(variable);
  if (name == "number" && !has_option) return Part{PartKind::kNumber};
  for (const auto& [word, kind] :
       {std::pair("branch", PartKind::kBranch), std::pair("tag", PartKind::kTag), std::pair("ref", PartKind::kRef)}) {
    if (name != word) continue;
    Part part{kind};
    if (has_option &&
        (!absl::SimpleAtoi(option, &part.length) || part.length < kMinNameLength || part.length > kMaxNameLength)) {
      return absl::InvalidArgumentError(
          absl::StrCat("{", variable, "}: the length is a number from ", kMinNameLength, " to ", kMaxNameLength));
    }
    return part;
  }
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

bool TagTemplate::NamesNumber() const {
  return std::any_of(parts_.begin(), parts_.end(), [](const Part& part) { return part.kind == PartKind::kNumber; });
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
        tag += TagTextForName(inputs.ref->name, part.length);
        break;
      case PartKind::kCommit:
        tag += inputs.commit.substr(0, part.length);
        break;
      case PartKind::kTime:
        tag += absl::FormatTime(part.text, inputs.time, part.zone);
        break;
      case PartKind::kNumber:
        absl::StrAppend(&tag, inputs.number);
        break;
    }
  }
  // A whole tag of full length that ends like the mark of a cut one gets a mark, too.
  if (tag.size() < kMaxTagBytes || (tag.size() == kMaxTagBytes && !EndsLikeAMark(tag))) return tag;
  return tag.substr(0, kMaxTagBytes - kHashDigits - 1) + MarkOf(tag);
}

}  // namespace davit::rule_engine
