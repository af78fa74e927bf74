// Reads a Dockerfile as far as davit needs to: instructions with their lines, stages, FROM references and declared
// ARGs, and the mistakes that can be named before a builder is asked. Pure functions; usable from any thread. Source of
// the grammar: the Dockerfile reference (parser directives, escape, comments, continuation lines, here-documents).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit::dockerfile {

// One here-document that belongs to an instruction.
struct Heredoc {
  std::string name;
  std::string content;
};

// One instruction.
struct Instruction {
  // Upper case: FROM, RUN, …
  std::string keyword;
  // Everything after the keyword, continuation lines joined, comments inside removed, surrounding space trimmed.
  std::string arguments;
  // Leading `--name[=value]` flags, in order, already taken off `arguments`.
  std::vector<std::string> flags;
  std::vector<Heredoc> heredocs;
  // First line and last line in the file, from 1.
  int line = 0;
  int end_line = 0;
};

// An ARG declaration.
struct Argument {
  std::string name;
  // Absent when the ARG has no default. Quotes are removed, variables are not replaced.
  std::optional<std::string> default_value;
  int line = 0;
};

// One build stage: a FROM and what follows it.
struct Stage {
  // As written, variables not replaced: `golang:${VERSION}`.
  std::string base;
  // Lower case; empty when the stage has no `AS name`.
  std::string name;
  // The value of --platform as written, or empty.
  std::string platform;
  std::vector<Argument> arguments;
  // Indexes into Dockerfile::instructions, the FROM first.
  std::vector<size_t> instructions;
  int line = 0;
};

// A parsed Dockerfile.
struct Dockerfile {
  // The frontend that a `# syntax=` directive asks for; empty when there is none.
  std::string syntax;
  // The line continuation character: backslash, or a backtick by directive.
  char escape = '\\';
  // ARGs before the first FROM: the only ones that a FROM may use.
  std::vector<Argument> global_arguments;
  std::vector<Instruction> instructions;
  std::vector<Stage> stages;

  // Whether an ARG of this name is declared anywhere: then passing it as a build argument has a meaning.
  bool DeclaresArgument(absl::string_view name) const;
};

// Parses a Dockerfile. INVALID_ARGUMENT: `Dockerfile has no instructions`; `line N: unknown instruction BOGUS`;
// `line N: …` for a FROM or ARG without operand, an instruction before FROM, a here-document without an end. When `#
// syntax=` names a frontend, only that frontend knows its instructions and unknown ones are accepted.
absl::StatusOr<Dockerfile> Parse(absl::string_view content);

// Replaces `$NAME`, `${NAME}`, `${NAME:-word}` and `${NAME:+word}` by the global arguments' values. `build_arguments`
// override defaults of declared ARGs; undeclared ones count only when predefined by the platform (TARGETARCH and so
// on). Unknown names become empty. INVALID_ARGUMENT for an unsupported modifier or a missing brace.
absl::StatusOr<std::string> ExpandFrom(const Dockerfile& dockerfile, absl::string_view text,
                                       const std::map<std::string, std::string>& build_arguments);

// The images that the build may pull: every FROM, expanded, that is neither an earlier stage nor `scratch`; each once,
// in order.
absl::StatusOr<std::vector<std::string>> BaseImages(const Dockerfile& dockerfile,
                                                    const std::map<std::string, std::string>& build_arguments);

}  // namespace davit::dockerfile
