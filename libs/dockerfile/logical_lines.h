// Cuts a Dockerfile into parser directives and logical lines: comments dropped, continuation lines joined,
// here-documents taken out. Pure functions; usable from any thread. Private to libs/dockerfile.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/dockerfile/parse.h"

namespace davit::dockerfile {

// One instruction as text.
struct LogicalLine {
  // Never empty; no surrounding space.
  std::string text;
  std::vector<Heredoc> heredocs;
  int line = 0;
  int end_line = 0;
};

// A file as directives and lines.
struct LogicalLines {
  std::string syntax;
  char escape = '\\';
  std::vector<LogicalLine> lines;
};

// Words of an instruction, split at white space outside quotes; quotes and escapes stay as written.
std::vector<std::string> SplitWords(absl::string_view text, char escape);

// A word with its quotes removed and its escapes resolved.
std::string RemoveQuotes(absl::string_view word, char escape);

// INVALID_ARGUMENT `line N: …` for a bad or repeated directive and for a here-document without an end (unless a `#
// syntax=` directive names another frontend, whose language may differ).
absl::StatusOr<LogicalLines> ReadLogicalLines(absl::string_view content);

}  // namespace davit::dockerfile
