// Implements flag_sources.h: the file first, then the environment, then the command line, so that the later overwrite
// the earlier.
#include "libs/settings/flag_sources.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/reflection.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "libs/settings/nearest.h"
#include "libs/status/status_macros.h"

ABSL_FLAG(std::string, config_file, "",
          "YAML file with values of these flags, `name: value`; the environment (DAVIT_NAME) and the command line go "
          "before it.");

namespace davit::settings {
namespace {

constexpr absl::string_view kPrefix = "DAVIT_";
constexpr size_t kMaxFile = 1 << 20;

// Flags that say what the program does with its configuration; they are no part of it.
bool IsCommandLineOnly(absl::string_view name) { return name == "config_file" || name == "check_config"; }

using Flags = std::map<std::string, absl::CommandLineFlag*>;

// What the environment and a file may set, by name.
Flags SettableFlags() {
  Flags flags;
  for (const auto& [name, flag] : absl::GetAllFlags()) {
    if (IsOwnFlag(flag->Filename()) && !IsCommandLineOnly(name)) flags.emplace(std::string(name), flag);
  }
  return flags;
}

// ", did you mean X?" or nothing.
std::string Suggestion(const std::string& nearest) {
  return nearest.empty() ? "" : absl::StrCat("; did you mean ", nearest, "?");
}

absl::Status Set(absl::CommandLineFlag& flag, const std::string& value) {
  std::string error;
  if (flag.ParseFrom(value, &error)) return absl::OkStatus();
  absl::StripTrailingAsciiWhitespace(&error);
  return absl::InvalidArgumentError(absl::StripSuffix(error, ";"));
}

// The text of a YAML value as a flag takes it: a scalar, or scalars of a list separated by commas.
std::optional<std::string> FlagText(const YAML::Node& value) {
  if (value.IsScalar()) return value.Scalar();
  if (value.IsNull()) return "";
  if (!value.IsSequence()) return std::nullopt;
  std::vector<std::string> items;
  for (const YAML::Node& item : value) {
    if (!item.IsScalar()) return std::nullopt;
    items.push_back(item.Scalar());
  }
  return absl::StrJoin(items, ",");
}

absl::Status SetFromEntry(const YAML::Node& key, const YAML::Node& value, const Flags& flags,
                          std::set<std::string>& seen) {
  if (!key.IsScalar()) return absl::InvalidArgumentError("keys are names of flags");
  const std::string& name = key.Scalar();
  const auto found = flags.find(name);
  if (found == flags.end()) {
    std::vector<std::string> names;
    for (const auto& [candidate, unused] : flags) names.push_back(candidate);
    return absl::InvalidArgumentError(absl::StrCat("unknown key \"", name, "\"", Suggestion(Nearest(name, names))));
  }
  if (!seen.insert(name).second) return absl::InvalidArgumentError(absl::StrCat(name, ": is there twice"));
  const std::optional<std::string> text = FlagText(value);
  if (!text.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": write one value, or a list of values"));
  }
  return Set(*found->second, *text);
}

absl::StatusOr<std::string> ReadText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text;
  if (file) text.assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  if (!file) {
    return absl::InvalidArgumentError(absl::StrCat("--config_file: cannot read ", path, ": ",
                                                   absl::ErrnoToStatus(errno, "").message(),
                                                   "; name a file that this user may read"));
  }
  if (text.size() > kMaxFile) {
    return absl::InvalidArgumentError(absl::StrCat("--config_file: ", path, " is over 1 MiB"));
  }
  return text;
}

absl::Status SetFromFile(const std::string& path, const Flags& flags) {
  DAVIT_ASSIGN_OR_RETURN(const std::string text, ReadText(path));
  std::vector<std::string> problems;
  const auto at = [&path](const YAML::Mark& mark) { return absl::StrCat(path, ":", mark.line + 1, ": "); };
  try {
    const YAML::Node document = YAML::Load(text);
    if (document.IsNull()) return absl::OkStatus();
    if (!document.IsMap()) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": is not a list of lines `name: value`"));
    }
    std::set<std::string> seen;
    for (const auto& entry : document) {
      const absl::Status status = SetFromEntry(entry.first, entry.second, flags, seen);
      if (!status.ok()) problems.push_back(absl::StrCat(at(entry.first.Mark()), status.message()));
    }
  } catch (const YAML::Exception& error) {
    return absl::InvalidArgumentError(absl::StrCat(at(error.mark), error.msg));
  }
  if (problems.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrJoin(problems, "\n"));
}

absl::Status SetFromEnvironment(char** environment, const Flags& flags) {
  std::map<std::string, absl::CommandLineFlag*> by_variable;
  std::vector<std::string> variables = {absl::StrCat(kPrefix, "CONFIG_FILE")};
  for (const auto& [name, flag] : flags) {
    variables.push_back(absl::StrCat(kPrefix, absl::AsciiStrToUpper(name)));
    by_variable.emplace(variables.back(), flag);
  }
  for (char** entry = environment; *entry != nullptr; ++entry) {
    const absl::string_view text = *entry;
    const size_t equals = text.find('=');
    if (!absl::StartsWith(text, kPrefix) || equals == absl::string_view::npos || equals + 1 == text.size()) continue;
    const std::string variable(text.substr(0, equals));
    if (const auto found = by_variable.find(variable); found != by_variable.end()) {
      const absl::Status status = Set(*found->second, std::string(text.substr(equals + 1)));
      if (!status.ok()) return absl::InvalidArgumentError(absl::StrCat(variable, ": ", status.message()));
    } else if (variable != variables.front()) {
      const std::string nearest = Nearest(variable, variables);
      if (!nearest.empty()) {
        return absl::InvalidArgumentError(
            absl::StrCat("the environment's ", variable, " is no flag's variable", Suggestion(nearest)));
      }
    }
  }
  return absl::OkStatus();
}

// --foo-bar=x as --foo_bar=x; values and what comes after a bare -- stay as they are.
std::vector<std::string> WithUnderscores(int argc, char** argv) {
  std::vector<std::string> arguments(argv, argv + argc);
  for (size_t i = 1; i < arguments.size() && arguments[i] != "--"; ++i) {
    std::string& argument = arguments[i];
    if (!absl::StartsWith(argument, "--")) continue;
    const size_t end = argument.find('=');
    const std::string name = argument.substr(2, end == std::string::npos ? end : end - 2);
    argument = absl::StrCat("--", absl::StrReplaceAll(name, {{"-", "_"}}),
                            end == std::string::npos ? "" : argument.substr(end));
  }
  return arguments;
}

// The file that the command line names, else the one of the environment; empty = none.
std::string ConfigFile(const std::vector<std::string>& arguments, char** environment) {
  std::string path;
  for (char** entry = environment; *entry != nullptr; ++entry) {
    absl::string_view value = *entry;
    if (absl::ConsumePrefix(&value, "DAVIT_CONFIG_FILE=")) path = std::string(value);
  }
  for (size_t i = 1; i < arguments.size() && arguments[i] != "--"; ++i) {
    absl::string_view value = arguments[i];
    if (absl::ConsumePrefix(&value, "--config_file=")) path = std::string(value);
    if (value == "--config_file" && i + 1 < arguments.size()) path = arguments[i + 1];
  }
  return path;
}

// A flag of the command line that no program has, with the nearest that there is. Abseil would end the process.
absl::Status CheckNames(const std::vector<std::string>& arguments) {
  for (size_t i = 1; i < arguments.size() && arguments[i] != "--"; ++i) {
    absl::string_view name = arguments[i];
    if (!absl::ConsumePrefix(&name, "--")) continue;
    name = name.substr(0, name.find('='));
    if (absl::FindCommandLineFlag(name) != nullptr) continue;
    if (absl::StartsWith(name, "no") && absl::FindCommandLineFlag(name.substr(2)) != nullptr) continue;
    std::vector<std::string> names;
    for (const auto& [known, flag] : absl::GetAllFlags()) {
      if (IsOwnFlag(flag->Filename())) names.push_back(absl::StrCat("--", known));
    }
    return absl::InvalidArgumentError(
        absl::StrCat("unknown flag --", name, Suggestion(Nearest(absl::StrCat("--", name), names))));
  }
  return absl::OkStatus();
}

bool AsksForHelp(const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    if (absl::StartsWith(argument, "--help") || argument == "--version") return true;
  }
  return false;
}

}  // namespace

bool IsOwnFlag(absl::string_view source_file) {
  return absl::StrContains(source_file, "services/") || absl::StrContains(source_file, "libs/");
}

absl::Status ReadFlags(int argc, char** argv, char** environment) {
  std::vector<std::string> arguments = WithUnderscores(argc, argv);
  if (!AsksForHelp(arguments)) {
    // What the program is asked to do must be known even when its configuration cannot be read.
    if (std::find(arguments.begin(), arguments.end(), "--check_config") != arguments.end()) {
      if (absl::CommandLineFlag* check = absl::FindCommandLineFlag("check_config")) {
        DAVIT_RETURN_IF_ERROR(Set(*check, "true"));
      }
    }
    DAVIT_RETURN_IF_ERROR(CheckNames(arguments));
    const Flags flags = SettableFlags();
    const std::string path = ConfigFile(arguments, environment);
    if (!path.empty()) DAVIT_RETURN_IF_ERROR(SetFromFile(path, flags));
    DAVIT_RETURN_IF_ERROR(SetFromEnvironment(environment, flags));
  }
  std::vector<char*> pointers;
  pointers.reserve(arguments.size());
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  const std::vector<char*> rest = absl::ParseCommandLine(static_cast<int>(pointers.size()), pointers.data());
  if (rest.size() > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("unexpected argument \"", rest[1], "\": this program takes flags only, see --help"));
  }
  return absl::OkStatus();
}

}  // namespace davit::settings
