// Implements logical_lines.h.
#include "libs/dockerfile/logical_lines.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "libs/status/status_macros.h"

namespace davit::dockerfile {
namespace {

constexpr absl::string_view kByteOrderMark = "\xef\xbb\xbf";

absl::Status AtLine(int line, absl::string_view message) {
  return absl::InvalidArgumentError(absl::StrCat("line ", line, ": ", message));
}

// Splits `# key = value`; false when the line is no directive.
bool SplitDirective(absl::string_view line, std::string* key, std::string* value) {
  line = absl::StripAsciiWhitespace(line);
  if (!absl::ConsumePrefix(&line, "#")) return false;
  const size_t equals = line.find('=');
  if (equals == absl::string_view::npos) return false;
  const absl::string_view name = absl::StripAsciiWhitespace(line.substr(0, equals));
  *value = std::string(absl::StripAsciiWhitespace(line.substr(equals + 1)));
  *key = absl::AsciiStrToLower(name);
  return !name.empty() && !value->empty() && absl::ascii_isalpha(name[0]) &&
         std::all_of(name.begin(), name.end(), absl::ascii_isalnum);
}

// Whether the line ends in one escape character and white space; then `*line` loses both.
bool ConsumeContinuation(absl::string_view* line, char escape) {
  const size_t last = line->find_last_not_of(" \t");
  if (last == absl::string_view::npos || (*line)[last] != escape) return false;
  if (last > 0 && (*line)[last - 1] == escape) return false;
  line->remove_suffix(line->size() - last);
  return true;
}

bool IsComment(absl::string_view line) { return absl::StartsWith(absl::StripLeadingAsciiWhitespace(line), "#"); }

bool IsBlank(absl::string_view line) { return absl::StripAsciiWhitespace(line).empty(); }

// Where a here-document ends, and how.
struct HeredocStart {
  std::string name;
  bool strip_tabs = false;
};

// Reads `[digits]<<[-]NAME`; false when the word is something else.
bool ReadHeredocWord(absl::string_view word, char escape, HeredocStart* start) {
  while (!word.empty() && absl::ascii_isdigit(word[0])) word.remove_prefix(1);
  if (!absl::ConsumePrefix(&word, "<<")) return false;
  start->strip_tabs = absl::ConsumePrefix(&word, "-");
  if (absl::StrContains(word, "<")) return false;
  start->name = RemoveQuotes(word, escape);
  return !start->name.empty();
}

std::vector<HeredocStart> FindHeredocs(absl::string_view text, char escape) {
  const std::vector<std::string> words = SplitWords(text, escape);
  size_t keyword = 0;
  if (!words.empty() && absl::EqualsIgnoreCase(words[0], "ONBUILD")) keyword = 1;
  std::vector<HeredocStart> starts;
  if (words.size() <= keyword) return starts;
  const std::string name = absl::AsciiStrToUpper(words[keyword]);
  if (name != "RUN" && name != "COPY" && name != "ADD") return starts;
  for (size_t i = keyword + 1; i < words.size(); ++i) {
    HeredocStart start;
    if (ReadHeredocWord(words[i], escape, &start)) starts.push_back(start);
  }
  return starts;
}

// Reads one file.
class Reader {
 public:
  explicit Reader(absl::string_view content) : rest_(content) { absl::ConsumePrefix(&rest_, kByteOrderMark); }

  absl::StatusOr<LogicalLines> Read() {
    DAVIT_RETURN_IF_ERROR(ReadDirectives());
    absl::string_view line;
    while (NextLine(&line)) {
      if (IsComment(line) || IsBlank(line)) continue;
      DAVIT_RETURN_IF_ERROR(ReadInstruction(line));
    }
    return std::move(result_);
  }

 private:
  bool NextLine(absl::string_view* line) {
    if (rest_.empty()) return false;
    const size_t end = rest_.find('\n');
    *line = rest_.substr(0, end);
    rest_.remove_prefix(end == absl::string_view::npos ? rest_.size() : end + 1);
    absl::ConsumeSuffix(line, "\r");
    ++number_;
    return true;
  }

  // Directives stand at the very top: any other line ends them.
  absl::Status ReadDirectives() {
    std::set<std::string> seen;
    std::string key;
    std::string value;
    while (true) {
      const absl::string_view before = rest_;
      absl::string_view line;
      if (!NextLine(&line)) return absl::OkStatus();
      const bool known = SplitDirective(line, &key, &value) && (key == "syntax" || key == "escape" || key == "check");
      if (!known) {
        rest_ = before;
        --number_;
        return absl::OkStatus();
      }
      if (!seen.insert(key).second) return AtLine(number_, absl::StrCat("the directive ", key, " is repeated"));
      if (key == "syntax") result_.syntax = value;
      if (key != "escape") continue;
      if (value != "\\" && value != "`") return AtLine(number_, "the directive escape takes \\ or ` only");
      result_.escape = value[0];
    }
  }

  absl::Status ReadInstruction(absl::string_view line) {
    LogicalLine logical;
    logical.line = number_;
    line = absl::StripLeadingAsciiWhitespace(line);
    bool continued = ConsumeContinuation(&line, result_.escape);
    absl::StrAppend(&logical.text, line);
    while (continued && NextLine(&line)) {
      if (IsComment(line) || IsBlank(line)) continue;
      continued = ConsumeContinuation(&line, result_.escape);
      absl::StrAppend(&logical.text, line);
    }
    absl::StripAsciiWhitespace(&logical.text);
    if (logical.text.empty()) return absl::OkStatus();
    for (const HeredocStart& start : FindHeredocs(logical.text, result_.escape)) {
      DAVIT_RETURN_IF_ERROR(ReadHeredoc(start, &logical));
    }
    logical.end_line = number_;
    result_.lines.push_back(std::move(logical));
    return absl::OkStatus();
  }

  absl::Status ReadHeredoc(const HeredocStart& start, LogicalLine* logical) {
    Heredoc heredoc;
    heredoc.name = start.name;
    absl::string_view line;
    while (NextLine(&line)) {
      if (start.strip_tabs) line.remove_prefix(std::min(line.find_first_not_of('\t'), line.size()));
      if (line == start.name) {
        logical->heredocs.push_back(std::move(heredoc));
        return absl::OkStatus();
      }
      absl::StrAppend(&heredoc.content, line, "\n");
    }
    if (result_.syntax.empty()) {
      return AtLine(logical->line, absl::StrCat("the here-document ", absl::CHexEscape(start.name), " has no end"));
    }
    logical->heredocs.push_back(std::move(heredoc));
    return absl::OkStatus();
  }

  absl::string_view rest_;
  int number_ = 0;
  LogicalLines result_;
};

}  // namespace

std::vector<std::string> SplitWords(absl::string_view text, char escape) {
  std::vector<std::string> words;
  std::string word;
  char quote = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == 0 && absl::ascii_isspace(c)) {
      if (!word.empty()) words.push_back(std::move(word));
      word.clear();
      continue;
    }
    word += c;
    if (c == escape && quote != '\'' && i + 1 < text.size()) {
      word += text[++i];
    } else if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    }
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

std::string RemoveQuotes(absl::string_view word, char escape) {
  std::string out;
  char quote = 0;
  for (size_t i = 0; i < word.size(); ++i) {
    const char c = word[i];
    if (c == escape && quote != '\'' && i + 1 < word.size()) {
      out += word[++i];
    } else if (quote != 0 && c == quote) {
      quote = 0;
    } else if (quote == 0 && (c == '"' || c == '\'')) {
      quote = c;
    } else {
      out += c;
    }
  }
  return out;
}

absl::StatusOr<LogicalLines> ReadLogicalLines(absl::string_view content) { return Reader(content).Read(); }

}  // namespace davit::dockerfile
