// Implements help.h.
#include "services/cli/help.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

namespace davit::cli {
namespace {

constexpr size_t kWidth = 100;

using Rows = std::vector<std::pair<std::string, std::string>>;

// Wraps `text` at word boundaries, with `indent` spaces before every line but the first.
std::string Wrap(absl::string_view text, size_t indent) {
  std::string out;
  size_t column = indent;
  for (const absl::string_view word : absl::StrSplit(text, ' ')) {
    if (column > indent && column + 1 + word.size() > kWidth) {
      absl::StrAppend(&out, "\n", std::string(indent, ' '));
      column = indent;
    } else if (column > indent) {
      out += ' ';
      ++column;
    }
    absl::StrAppend(&out, word);
    column += word.size();
  }
  return out;
}

// Two columns, the second wrapped.
std::string Columns(const Rows& rows) {
  size_t width = 0;
  for (const auto& row : rows) width = std::max(width, row.first.size());
  width = std::min<size_t>(width, 32);
  std::string out;
  for (const auto& [left, right] : rows) {
    const size_t indent = width + 4;
    if (left.size() > width) {
      absl::StrAppend(&out, "  ", left, "\n", std::string(indent, ' '), Wrap(right, indent), "\n");
    } else {
      absl::StrAppend(&out, "  ", left, std::string(width - left.size() + 2, ' '), Wrap(right, indent), "\n");
    }
  }
  return out;
}

Rows OptionRows(const std::vector<Option>& options) {
  Rows rows;
  for (const Option& option : options) {
    std::string left = option.letter == 0 ? "    " : absl::StrFormat("-%c, ", option.letter);
    absl::StrAppend(&left, "--", option.name, option.value.empty() ? "" : " ", option.value);
    rows.emplace_back(std::move(left),
                      absl::StrCat(option.help, option.repeat == Repeat::kMany ? " May be repeated." : ""));
  }
  return rows;
}

std::string UsageLine(const Command& command) {
  std::string usage = absl::StrCat("davit ", command.name);
  if (!command.options.empty()) absl::StrAppend(&usage, " [options]");
  for (const Positional& positional : command.positionals) {
    switch (positional.count) {
      case Positional::Count::kOne:
        absl::StrAppend(&usage, " ", positional.name);
        break;
      case Positional::Count::kOptional:
        absl::StrAppend(&usage, " [", positional.name, "]");
        break;
      case Positional::Count::kMany:
        absl::StrAppend(&usage, " [", positional.name, "...]");
        break;
    }
  }
  return usage;
}

std::string Indented(absl::string_view lines) {
  std::string out;
  for (const absl::string_view line : absl::StrSplit(lines, '\n')) absl::StrAppend(&out, "  ", line, "\n");
  return out;
}

}  // namespace

std::string Overview(const std::vector<Command>& commands) {
  Rows rows;
  for (const Command& command : commands) rows.emplace_back(command.name, command.summary);
  return absl::StrCat(
      "davit - container images from git pushes: connections, rules, builds and their logs\n\n"
      "Usage:\n  davit COMMAND [arguments] [options]\n  davit help COMMAND\n\nCommands:\n",
      Columns(rows), "\nOptions of every command:\n", Columns(OptionRows(GlobalOptions())), "\nEnvironment:\n",
      Columns({{"DAVIT_SERVER", "The default of --server."},
               {"DAVIT_TOKEN_FILE", "The default of --api-token-file."},
               {"DAVIT_TOKEN", "The API token itself, when no file is named."}}),
      "\nExit codes:\n",
      Columns(
          {{"0", "It worked; with --wait: the build succeeded."},
           {"1", "With --wait: the build failed, timed out or was cancelled; with --check-config: something is wrong."},
           {"2", "The command line is wrong."},
           {"3", "The server refused the request or failed; the message says why."},
           {"4", "What was named does not exist."},
           {"5", "The API token is missing, not valid, or may not do this."},
           {"6", "The server cannot be reached or did not answer in time."}}),
      "\nTo begin:\n",
      Indented("export DAVIT_SERVER=127.0.0.1:7080 DAVIT_TOKEN_FILE=~/.config/davit/token\n"
               "davit connect create --name work --provider github        # asks for the access token\n"
               "davit rule create --name app --connection con_... --repository team/app --branch main \\\n"
               "    --image 127.0.0.1:5000/team/app --image-tag '{branch}-{commit:7}' --image-tag latest\n"
               "davit webhook create con_...                              # give path and secret to GitHub\n"
               "davit rule trigger rul_... --wait                         # or git push"));
}

std::string GroupHelp(absl::string_view group, const std::vector<Command>& commands) {
  Rows rows;
  for (const Command& command : commands) {
    if (absl::StartsWith(command.name, absl::StrCat(group, " "))) rows.emplace_back(command.name, command.summary);
  }
  return absl::StrCat("Usage:\n  davit ", group, " COMMAND [arguments] [options]\n\nCommands:\n", Columns(rows),
                      "\nSee \"davit help ", group, " COMMAND\" for one of them.\n");
}

std::string CommandHelp(const Command& command) {
  std::string out = absl::StrCat(command.summary, "\n\nUsage:\n  ", UsageLine(command), "\n");
  if (!command.details.empty()) {
    out += "\n";
    for (const absl::string_view paragraph : absl::StrSplit(command.details, '\n')) {
      absl::StrAppend(&out, Wrap(paragraph, 0), "\n");
    }
  }
  if (!command.positionals.empty()) {
    Rows rows;
    for (const Positional& positional : command.positionals) rows.emplace_back(positional.name, positional.help);
    absl::StrAppend(&out, "\nArguments:\n", Columns(rows));
  }
  if (!command.options.empty()) absl::StrAppend(&out, "\nOptions:\n", Columns(OptionRows(command.options)));
  if (!command.examples.empty()) absl::StrAppend(&out, "\nExamples:\n", Indented(command.examples));
  return out + "\nThe options of every command and the exit codes: davit help\n";
}

}  // namespace davit::cli
