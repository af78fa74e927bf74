// Implements arguments.h.
#include "services/cli/arguments.h"

#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/settings/nearest.h"
#include "libs/status/status_macros.h"

namespace davit::cli {
namespace {

constexpr char kUsagePayload[] = "davit/usage";

// "--name" as it was written, without a value.
std::string WrittenName(absl::string_view argument) {
  if (!absl::StartsWith(argument, "--")) return std::string(argument.substr(0, 2));
  return std::string(argument.substr(0, argument.find('=')));
}

absl::Status UnknownOption(const Syntax& syntax, absl::string_view argument) {
  const std::string written = WrittenName(argument);
  std::vector<std::string> candidates;
  for (const Option& option : syntax.options) candidates.push_back(absl::StrCat("--", option.name));
  const std::string nearest = written.size() > 2 ? settings::Nearest(written, candidates) : "";
  return UsageError(absl::StrCat("unknown option ", written, nearest.empty() ? "" : "; did you mean ", nearest,
                                 nearest.empty() ? "" : "?"));
}

absl::Status CheckPositionals(const Syntax& syntax, const std::vector<std::string>& given) {
  size_t most = 0;
  for (const Positional& positional : syntax.positionals) {
    if (positional.count == Positional::Count::kMany) return absl::OkStatus();
    if (positional.count == Positional::Count::kOne && given.size() <= most) {
      return UsageError(absl::StrCat("missing argument ", positional.name, ": ", positional.help));
    }
    ++most;
  }
  if (given.size() > most) return UsageError(absl::StrCat("unexpected argument \"", given[most], "\""));
  return absl::OkStatus();
}

}  // namespace

absl::Status UsageError(absl::string_view message) {
  absl::Status status = absl::InvalidArgumentError(message);
  status.SetPayload(kUsagePayload, absl::Cord());
  return status;
}

bool IsUsageError(const absl::Status& status) { return status.GetPayload(kUsagePayload).has_value(); }

const Option* FindOption(const std::vector<Option>& options, absl::string_view argument) {
  const bool is_long = absl::StartsWith(argument, "--");
  const absl::string_view name = is_long ? argument.substr(2, argument.find('=') - 2) : "";
  for (const Option& option : options) {
    if (is_long ? option.name == name : option.letter != 0 && argument.size() > 1 && argument[1] == option.letter) {
      return &option;
    }
  }
  return nullptr;
}

bool TakesNextArgument(const Option& option, absl::string_view argument) {
  if (option.value.empty()) return false;
  return absl::StartsWith(argument, "--") ? !absl::StrContains(argument, "=") : argument.size() == 2;
}

absl::StatusOr<Arguments> ParseArguments(absl::Span<const std::string> arguments, const Syntax& syntax) {
  Arguments parsed;
  bool options_ended = false;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const absl::string_view argument = arguments[i];
    if (options_ended || argument.size() < 2 || argument[0] != '-') {
      parsed.positionals_.emplace_back(argument);
      continue;
    }
    if (argument == "--") {
      options_ended = true;
      continue;
    }
    const Option* option = FindOption(syntax.options, argument);
    if (option == nullptr) return UnknownOption(syntax, argument);
    std::string value;
    if (TakesNextArgument(*option, argument)) {
      if (i + 1 == arguments.size()) {
        return UsageError(
            absl::StrCat("option --", option->name, " needs a value: --", option->name, " ", option->value));
      }
      value = arguments[++i];
    } else if (absl::StartsWith(argument, "--")) {
      const size_t equals = argument.find('=');
      if (equals != absl::string_view::npos && option->value.empty()) {
        return UsageError(absl::StrCat("option --", option->name, " takes no value"));
      }
      if (equals != absl::string_view::npos) value = std::string(argument.substr(equals + 1));
    } else if (argument.size() > 2) {
      if (option->value.empty()) return UnknownOption(syntax, absl::StrCat("-", argument.substr(2)));
      value = std::string(argument.substr(2));
    }
    std::vector<std::string>& values = parsed.options_[option->name];
    if (!values.empty() && option->repeat == Repeat::kOnce) {
      return UsageError(absl::StrCat("option --", option->name, " is given twice"));
    }
    values.push_back(std::move(value));
  }
  DAVIT_RETURN_IF_ERROR(CheckPositionals(syntax, parsed.positionals_));
  return parsed;
}

bool Arguments::Has(absl::string_view option) const { return options_.find(std::string(option)) != options_.end(); }

std::string Arguments::Get(absl::string_view option, absl::string_view otherwise) const {
  const auto found = options_.find(std::string(option));
  return found == options_.end() ? std::string(otherwise) : found->second.front();
}

std::vector<std::string> Arguments::GetAll(absl::string_view option) const {
  const auto found = options_.find(std::string(option));
  return found == options_.end() ? std::vector<std::string>() : found->second;
}

absl::StatusOr<int64_t> Arguments::GetNumber(absl::string_view option, int64_t otherwise, int64_t least) const {
  if (!Has(option)) return otherwise;
  int64_t number = 0;
  if (absl::SimpleAtoi(Get(option), &number) && number >= least) return number;
  return UsageError(
      absl::StrCat("option --", option, " is a whole number of ", least, " or more, not \"", Get(option), "\""));
}

absl::StatusOr<absl::Duration> Arguments::GetDuration(absl::string_view option) const {
  if (!Has(option)) return absl::ZeroDuration();
  absl::Duration duration;
  if (absl::ParseDuration(Get(option), &duration) && duration > absl::ZeroDuration() &&
      duration < absl::InfiniteDuration()) {
    return duration;
  }
  return UsageError(
      absl::StrCat("option --", option, " is a duration such as 90s, 30m or 1h30m, not \"", Get(option), "\""));
}

absl::StatusOr<std::map<std::string, std::string>> Arguments::GetPairs(absl::string_view option) const {
  std::map<std::string, std::string> pairs;
  for (const std::string& text : GetAll(option)) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return UsageError(absl::StrCat("option --", option, " is KEY=VALUE, not \"", text, "\""));
    }
    pairs[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return pairs;
}

absl::Status Arguments::Require(absl::string_view option) const {
  if (!Get(option).empty()) return absl::OkStatus();
  return UsageError(absl::StrCat("option --", option, " is required"));
}

}  // namespace davit::cli
