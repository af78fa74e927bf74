// Implements ExpandFrom and BaseImages of parse.h.
#include <algorithm>
#include <array>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "libs/dockerfile/parse.h"
#include "libs/status/status_macros.h"

namespace davit::dockerfile {
namespace {

using Variables = std::map<std::string, std::string>;

// What BuildKit defines without a declaration; a caller that knows the platforms passes them as build arguments.
constexpr std::array<absl::string_view, 8> kPredefined = {"BUILDPLATFORM",  "BUILDOS",  "BUILDARCH",  "BUILDVARIANT",
                                                          "TARGETPLATFORM", "TARGETOS", "TARGETARCH", "TARGETVARIANT"};
// `${A:-${B:-…}}` may nest this deep.
constexpr int kMaxNesting = 16;

bool IsNameCharacter(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// Expands one word.
class Expander {
 public:
  Expander(const Variables& variables, char escape) : variables_(variables), escape_(escape) {}

  absl::StatusOr<std::string> Expand(absl::string_view text, int nesting) const {
    if (nesting > kMaxNesting) return absl::InvalidArgumentError("variables are nested too deep");
    std::string out;
    bool single_quoted = false;
    while (!text.empty()) {
      const char c = text[0];
      if (c == '\'') single_quoted = !single_quoted;
      if (c == escape_ && text.size() > 1 && !single_quoted) {
        out += text[1];
        text.remove_prefix(2);
      } else if (c == '$' && !single_quoted) {
        text.remove_prefix(1);
        DAVIT_RETURN_IF_ERROR(ExpandVariable(&text, nesting, &out));
      } else {
        if (c != '\'' && c != '"') out += c;
        text.remove_prefix(1);
      }
    }
    return out;
  }

 private:
  // `text` begins after the dollar sign.
  absl::Status ExpandVariable(absl::string_view* text, int nesting, std::string* out) const {
    const bool braced = absl::ConsumePrefix(text, "{");
    size_t length = 0;
    while (length < text->size() && IsNameCharacter((*text)[length])) ++length;
    const std::string name(text->substr(0, length));
    text->remove_prefix(length);
    if (!braced) {
      if (name.empty()) *out += '$';
      absl::StrAppend(out, Value(name));
      return absl::OkStatus();
    }
    if (name.empty()) return absl::InvalidArgumentError("\"${\" must be followed by the name of a variable");
    const size_t close = FindClosingBrace(*text);
    if (close == absl::string_view::npos) return absl::InvalidArgumentError(absl::StrCat("\"${", name, "\" lacks a }"));
    absl::string_view modifier = text->substr(0, close);
    text->remove_prefix(close + 1);
    if (modifier.empty()) {
      absl::StrAppend(out, Value(name));
      return absl::OkStatus();
    }
    // With a colon an empty value counts as unset.
    const bool colon = absl::ConsumePrefix(&modifier, ":");
    const auto found = variables_.find(name);
    const bool set = found != variables_.end() && !(colon && found->second.empty());
    const char kind = modifier.empty() ? '\0' : modifier[0];
    if (kind != '-' && kind != '+' && kind != '?') {
      return absl::InvalidArgumentError(absl::StrCat("\"${", name, "…}\" has a modifier other than :- :+ :?"));
    }
    modifier.remove_prefix(1);
    if (kind == '?' && !set) return absl::InvalidArgumentError(absl::StrCat(name, " must be given a value"));
    if (kind != '+' && set) {
      absl::StrAppend(out, found->second);
    } else if (set == (kind == '+')) {
      DAVIT_ASSIGN_OR_RETURN(const std::string word, Expand(modifier, nesting + 1));
      absl::StrAppend(out, word);
    }
    return absl::OkStatus();
  }

  static size_t FindClosingBrace(absl::string_view text) {
    int open = 1;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '{') ++open;
      if (text[i] == '}' && --open == 0) return i;
    }
    return absl::string_view::npos;
  }

  absl::string_view Value(const std::string& name) const {
    const auto found = variables_.find(name);
    return found == variables_.end() ? absl::string_view() : absl::string_view(found->second);
  }

  const Variables& variables_;
  const char escape_;
};

// The global arguments' values: what was given, else the default, which may name arguments before it.
absl::StatusOr<Variables> GlobalVariables(const Dockerfile& dockerfile, const Variables& build_arguments) {
  Variables variables;
  for (const absl::string_view name : kPredefined) {
    const auto given = build_arguments.find(std::string(name));
    if (given != build_arguments.end()) variables.insert(*given);
  }
  for (const Argument& argument : dockerfile.global_arguments) {
    const auto given = build_arguments.find(argument.name);
    if (given != build_arguments.end()) {
      variables[argument.name] = given->second;
    } else if (argument.default_value.has_value()) {
      auto value = Expander(variables, dockerfile.escape).Expand(*argument.default_value, 0);
      if (!value.ok()) {
        return absl::InvalidArgumentError(absl::StrCat("line ", argument.line, ": ", value.status().message()));
      }
      variables[argument.name] = *std::move(value);
    }
  }
  return variables;
}

}  // namespace

absl::StatusOr<std::string> ExpandFrom(const Dockerfile& dockerfile, absl::string_view text,
                                       const std::map<std::string, std::string>& build_arguments) {
  DAVIT_ASSIGN_OR_RETURN(const Variables variables, GlobalVariables(dockerfile, build_arguments));
  return Expander(variables, dockerfile.escape).Expand(text, 0);
}

absl::StatusOr<std::vector<std::string>> BaseImages(const Dockerfile& dockerfile,
                                                    const std::map<std::string, std::string>& build_arguments) {
  DAVIT_ASSIGN_OR_RETURN(const Variables variables, GlobalVariables(dockerfile, build_arguments));
  const Expander expander(variables, dockerfile.escape);
  std::vector<std::string> images;
  std::set<std::string> earlier;
  for (const Stage& stage : dockerfile.stages) {
    const auto base = expander.Expand(stage.base, 0);
    if (!base.ok() || base->empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", stage.line, ": FROM ", stage.base, ": ",
                       base.ok() ? "the image's name is empty" : base.status().message()));
    }
    const bool is_stage = earlier.count(absl::AsciiStrToLower(*base)) > 0;
    if (!is_stage && *base != "scratch" && std::find(images.begin(), images.end(), *base) == images.end()) {
      images.push_back(*base);
    }
    if (!stage.name.empty()) earlier.insert(stage.name);
  }
  return images;
}

}  // namespace davit::dockerfile
