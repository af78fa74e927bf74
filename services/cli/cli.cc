// Implements cli.h: finds the command in the table, and runs it or shows its help.
#include "services/cli/cli.h"

#include <algorithm>
#include <iterator>
#include <ostream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "libs/settings/nearest.h"
#include "libs/status/status_macros.h"
#include "services/cli/command.h"
#include "services/cli/help.h"
#include "services/cli/output.h"
#include "services/cli/session.h"
#include "services/cli/version.h"

namespace davit::cli {
namespace {

// A command line, taken apart: the command's words are gone from `arguments`.
struct Invocation {
  const Command* command = nullptr;  // Null for `help` and for a group without a command.
  std::string topic;                 // What help is about when there is no command; empty = everything.
  std::vector<std::string> arguments;
};

const Command* Find(absl::string_view name) {
  for (const Command& command : AllCommands()) {
    if (command.name == name) return &command;
  }
  return nullptr;
}

bool IsGroup(absl::string_view word) {
  return std::any_of(AllCommands().begin(), AllCommands().end(),
                     [&](const Command& command) { return absl::StartsWith(command.name, absl::StrCat(word, " ")); });
}

absl::Status UnknownCommand(const std::string& name) {
  std::vector<std::string> candidates = {"help"};
  for (const Command& command : AllCommands()) {
    candidates.push_back(command.name);
    candidates.push_back(command.name.substr(0, command.name.find(' ')));
  }
  const std::string nearest = settings::Nearest(name, candidates);
  return UsageError(absl::StrCat("unknown command \"", name, "\"", nearest.empty() ? "" : "; did you mean \"", nearest,
                                 nearest.empty() ? "; see davit help" : "\"?"));
}

bool IsWord(const std::string& argument) { return !argument.empty() && argument[0] != '-'; }

// Fills in the command that one or two words name; returns how many words it took.
absl::StatusOr<size_t> Resolve(const std::string& first, const std::string& second, Invocation& invocation) {
  if (!second.empty()) {
    invocation.command = Find(absl::StrCat(first, " ", second));
    if (invocation.command != nullptr) return 2;
  }
  invocation.command = Find(first);
  if (invocation.command != nullptr) return 1;
  if (!IsGroup(first)) return UnknownCommand(first);
  if (!second.empty()) return UnknownCommand(absl::StrCat(first, " ", second));
  invocation.command = Find(absl::StrCat(first, " list"));
  invocation.topic = first;
  return 1;
}

absl::StatusOr<Invocation> TakeApart(const std::vector<std::string>& arguments) {
  Invocation invocation;
  size_t at = 0;
  while (at < arguments.size() && !IsWord(arguments[at])) {
    const Option* option = FindOption(GlobalOptions(), arguments[at]);
    if (option == nullptr)
      return UsageError(absl::StrCat("unknown option ", arguments[at], " before the command; see davit help"));
    at += TakesNextArgument(*option, arguments[at]) ? 2 : 1;
  }
  at = std::min(at, arguments.size());
  invocation.arguments.assign(arguments.begin(), arguments.begin() + at);
  if (at == arguments.size()) return invocation;
  const auto word = [&](size_t i) { return i < arguments.size() && IsWord(arguments[i]) ? arguments[i] : ""; };
  if (arguments[at] == "help") {
    if (word(at + 1).empty()) return invocation;
    DAVIT_RETURN_IF_ERROR(Resolve(word(at + 1), word(at + 2), invocation).status());
    if (!invocation.topic.empty()) invocation.command = nullptr;
    invocation.arguments = {"--help"};
    return invocation;
  }
  DAVIT_ASSIGN_OR_RETURN(const size_t words, Resolve(word(at), word(at + 1), invocation));
  std::copy(arguments.begin() + at + words, arguments.end(), std::back_inserter(invocation.arguments));
  return invocation;
}

bool AsksForHelp(const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    if (argument == "--") return false;
    if (argument == "--help" || argument == "-h") return true;
  }
  return false;
}

bool AsksToCheck(const std::vector<std::string>& arguments) {
  return std::find(arguments.begin(), arguments.end(), "--check-config") != arguments.end();
}

// Shows what is wrong with the configuration, or that nothing is.
int Check(Environment& environment, const Arguments& arguments) {
  const settings::ConfigReport report = CheckConfig(environment, arguments);
  for (const std::string& problem : report.problems()) environment.out << problem << "\n";
  if (report.ok()) environment.out << "The configuration is valid.\n";
  return report.ok() ? kExitOk : kExitBadConfig;
}

absl::StatusOr<int> RunCommand(const std::vector<std::string>& arguments, Environment& environment) {
  DAVIT_ASSIGN_OR_RETURN(Invocation invocation, TakeApart(arguments));
  if (AsksForHelp(invocation.arguments) && !invocation.topic.empty()) {
    environment.out << GroupHelp(invocation.topic, AllCommands());
    return kExitOk;
  }
  if (invocation.command == nullptr && AsksToCheck(invocation.arguments) && !AsksForHelp(arguments)) {
    DAVIT_ASSIGN_OR_RETURN(const Arguments parsed, ParseArguments(invocation.arguments, {GlobalOptions(), {}}));
    return Check(environment, parsed);
  }
  if (invocation.command == nullptr) {
    const bool asked = AsksForHelp(arguments) || (!arguments.empty() && arguments.back() == "help");
    (asked ? environment.out : environment.err) << Overview(AllCommands());
    return asked ? kExitOk : kExitUsage;
  }
  if (AsksForHelp(invocation.arguments)) {
    environment.out << CommandHelp(*invocation.command);
    return kExitOk;
  }
  Syntax syntax{invocation.command->options, invocation.command->positionals};
  syntax.options.insert(syntax.options.end(), GlobalOptions().begin(), GlobalOptions().end());
  absl::StatusOr<Arguments> parsed = ParseArguments(invocation.arguments, syntax);
  if (!parsed.ok()) {
    absl::Status status =
        UsageError(absl::StrCat(parsed.status().message(), "\nSee: davit help ", invocation.command->name));
    return status;
  }
  if (parsed->Has("check-config")) return Check(environment, *parsed);
  if (invocation.command->name == "version") {
    environment.out << "davit " << kVersion << "\n";
    return kExitOk;
  }
  DAVIT_ASSIGN_OR_RETURN(const std::unique_ptr<Session> session, Session::Open(environment, *std::move(parsed)));
  return invocation.command->run(*session);
}

}  // namespace

const std::vector<Command>& AllCommands() {
  static const auto* const commands = [] {
    auto* all = new std::vector<Command>();
    for (std::vector<Command> part : {RegistryCommands(), ProviderCommands(), RuleCommands(), RuleFileCommands(),
                                      RuleTrialCommands(), BuildCommands(), SecretCommands(), FleetCommands()}) {
      std::move(part.begin(), part.end(), std::back_inserter(*all));
    }
    all->push_back({"version", "Show the version of this program.", "", "", {}, {}, nullptr});
    return all;
  }();
  return *commands;
}

int Run(const std::vector<std::string>& arguments, Environment& environment) {
  const absl::StatusOr<int> exit_code = RunCommand(arguments, environment);
  if (exit_code.ok()) return *exit_code;
  const absl::Status& status = exit_code.status();
  environment.out << std::flush;
  environment.err << "davit: ";
  if (!IsUsageError(status)) environment.err << absl::StatusCodeToString(status.code()) << ": ";
  environment.err << status.message() << std::endl;
  if (absl::StartsWith(status.message(), "failed to connect")) {
    environment.err << "Is the server running, and is its address right? See --server in davit help." << std::endl;
  }
  return ExitCodeOf(status);
}

}  // namespace davit::cli
