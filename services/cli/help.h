// The text of `davit help`, made from the table of commands. Pure functions; any thread.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "services/cli/command.h"

namespace davit::cli {

// What davit is, its commands, the common options, the exit codes, and how to begin.
std::string Overview(const std::vector<Command>& commands);

// The commands of a group such as `rule`, with their summaries.
std::string GroupHelp(absl::string_view group, const std::vector<Command>& commands);

// One command: usage, details, arguments, options, examples.
std::string CommandHelp(const Command& command);

}  // namespace davit::cli
