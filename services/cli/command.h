// What a command of `davit` is: the row of a table that parsing, help and dispatch are driven by. Values only.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/cli/arguments.h"

namespace davit::cli {

class Session;

// A command such as `rule create`.
struct Command {
  std::string name;      // One word or two: the first of two is the group.
  std::string summary;   // One line for the list of commands.
  std::string details;   // Paragraphs for the command's own help; may be empty.
  std::string examples;  // Command lines, one a line; may be empty.
  std::vector<Positional> positionals;
  std::vector<Option> options;

  // Runs it; returns the process's exit code.
  std::function<absl::StatusOr<int>(Session& session)> run;
};

// Options that every command understands.
const std::vector<Option>& GlobalOptions();

// All commands, in the order of the help.
const std::vector<Command>& AllCommands();

// The commands of one area each.
std::vector<Command> RegistryCommands();
std::vector<Command> ProviderCommands();
std::vector<Command> RuleCommands();
std::vector<Command> RuleFileCommands();
std::vector<Command> RuleTrialCommands();
std::vector<Command> BuildCommands();
std::vector<Command> FleetCommands();
std::vector<Command> SecretCommands();

}  // namespace davit::cli
