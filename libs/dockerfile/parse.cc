// Implements Parse of parse.h.
#include "libs/dockerfile/parse.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "libs/dockerfile/logical_lines.h"
#include "libs/status/status_macros.h"

namespace davit::dockerfile {
namespace {

constexpr std::array<absl::string_view, 18> kKnown = {
    "ADD",   "ARG",        "CMD",     "COPY", "ENTRYPOINT", "ENV",        "EXPOSE", "FROM",   "HEALTHCHECK",
    "LABEL", "MAINTAINER", "ONBUILD", "RUN",  "SHELL",      "STOPSIGNAL", "USER",   "VOLUME", "WORKDIR"};

bool IsKnown(absl::string_view keyword) { return std::find(kKnown.begin(), kKnown.end(), keyword) != kKnown.end(); }

absl::Status AtLine(int line, absl::string_view message) {
  return absl::InvalidArgumentError(absl::StrCat("line ", line, ": ", message));
}

// Takes leading `--name[=value]` words off the arguments.
void TakeFlags(char escape, Instruction* instruction) {
  while (absl::StartsWith(instruction->arguments, "--")) {
    const std::vector<std::string> words = SplitWords(instruction->arguments, escape);
    instruction->flags.push_back(RemoveQuotes(words[0], escape));
    instruction->arguments.erase(0, words[0].size());
    absl::StripLeadingAsciiWhitespace(&instruction->arguments);
  }
}

Instruction MakeInstruction(const LogicalLine& line, char escape) {
  Instruction instruction;
  const size_t end = std::min(line.text.find_first_of(" \t"), line.text.size());
  instruction.keyword = absl::AsciiStrToUpper(line.text.substr(0, end));
  instruction.arguments = std::string(absl::StripAsciiWhitespace(absl::string_view(line.text).substr(end)));
  instruction.heredocs = line.heredocs;
  instruction.line = line.line;
  instruction.end_line = line.end_line;
  TakeFlags(escape, &instruction);
  return instruction;
}

std::vector<Argument> MakeArguments(const Instruction& instruction, char escape) {
  std::vector<Argument> arguments;
  for (const std::string& word : SplitWords(instruction.arguments, escape)) {
    Argument argument;
    argument.line = instruction.line;
    const size_t equals = word.find('=');
    argument.name = word.substr(0, equals);
    if (equals != std::string::npos) argument.default_value = RemoveQuotes(word.substr(equals + 1), escape);
    arguments.push_back(std::move(argument));
  }
  return arguments;
}

// Builds the result, instruction by instruction. With `# syntax=` nothing is refused: the language is another's.
class Builder {
 public:
  explicit Builder(const LogicalLines& lines) : strict_(lines.syntax.empty()) {
    result_.syntax = lines.syntax;
    result_.escape = lines.escape;
  }

  absl::Status Add(const LogicalLine& line) {
    Instruction instruction = MakeInstruction(line, result_.escape);
    if (strict_ && !IsKnown(instruction.keyword)) {
      const std::string word = line.text.substr(0, std::min(line.text.find_first_of(" \t"), size_t{64}));
      return AtLine(line.line, absl::StrCat("unknown instruction ", absl::Utf8SafeCHexEscape(word)));
    }
    if (instruction.keyword == "FROM") {
      DAVIT_RETURN_IF_ERROR(AddStage(instruction));
    } else if (instruction.keyword == "ARG") {
      DAVIT_RETURN_IF_ERROR(AddArguments(instruction));
    } else if (result_.stages.empty() && strict_) {
      return AtLine(instruction.line, absl::StrCat(instruction.keyword, " comes before the first FROM"));
    }
    if (strict_ && instruction.arguments.empty() && instruction.flags.empty()) {
      return AtLine(instruction.line, absl::StrCat(instruction.keyword, " needs an argument"));
    }
    if (!result_.stages.empty()) result_.stages.back().instructions.push_back(result_.instructions.size());
    result_.instructions.push_back(std::move(instruction));
    return absl::OkStatus();
  }

  absl::StatusOr<Dockerfile> Finish() {
    if (result_.instructions.empty()) return absl::InvalidArgumentError("Dockerfile has no instructions");
    if (strict_ && result_.stages.empty()) {
      return absl::InvalidArgumentError("Dockerfile has no FROM: every image begins with one");
    }
    return std::move(result_);
  }

 private:
  absl::Status AddStage(const Instruction& instruction) {
    const std::vector<std::string> words = SplitWords(instruction.arguments, result_.escape);
    const bool named = words.size() == 3 && absl::EqualsIgnoreCase(words[1], "AS");
    if (words.size() != 1 && !named) {
      if (!strict_) return absl::OkStatus();
      return AtLine(instruction.line, "FROM takes an image, or an image AS a name");
    }
    Stage stage;
    stage.base = RemoveQuotes(words[0], 0);
    stage.line = instruction.line;
    if (named) stage.name = absl::AsciiStrToLower(words[2]);
    for (absl::string_view flag : instruction.flags) {
      if (absl::ConsumePrefix(&flag, "--platform=")) stage.platform = std::string(flag);
    }
    result_.stages.push_back(std::move(stage));
    return absl::OkStatus();
  }

  absl::Status AddArguments(const Instruction& instruction) {
    std::vector<Argument>& declared =
        result_.stages.empty() ? result_.global_arguments : result_.stages.back().arguments;
    for (Argument& argument : MakeArguments(instruction, result_.escape)) {
      if (argument.name.empty() && strict_) return AtLine(instruction.line, "ARG needs a name before the =");
      declared.push_back(std::move(argument));
    }
    return absl::OkStatus();
  }

  const bool strict_;
  Dockerfile result_;
};

}  // namespace

bool Dockerfile::DeclaresArgument(absl::string_view name) const {
  const auto declared = [name](const std::vector<Argument>& arguments) {
    return std::any_of(arguments.begin(), arguments.end(),
                       [name](const Argument& argument) { return argument.name == name; });
  };
  return declared(global_arguments) ||
         std::any_of(stages.begin(), stages.end(), [&](const Stage& stage) { return declared(stage.arguments); });
}

absl::StatusOr<Dockerfile> Parse(absl::string_view content) {
  DAVIT_ASSIGN_OR_RETURN(const LogicalLines lines, ReadLogicalLines(content));
  Builder builder(lines);
  for (const LogicalLine& line : lines.lines) DAVIT_RETURN_IF_ERROR(builder.Add(line));
  return builder.Finish();
}

}  // namespace davit::dockerfile
