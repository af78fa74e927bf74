// The command line's grammar: options, positional arguments and good errors. Pure functions and values; any thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace davit::cli {

// How often an option may be given.
enum class Repeat { kOnce, kMany };

// An option: `--name VALUE`, `--name=VALUE`, `-n VALUE`, or without a value a switch.
struct Option {
  std::string name;   // Without the dashes.
  char letter = 0;    // The short form, or 0.
  std::string value;  // What the value is called in the help, for example FILE; empty for a switch.
  std::string help;   // One sentence or two.
  Repeat repeat = Repeat::kOnce;
};

// A positional argument.
struct Positional {
  enum class Count { kOne, kOptional, kMany };

  std::string name;  // As the help calls it, for example BUILD.
  std::string help;
  Count count = Count::kOne;
};

// What a command understands.
struct Syntax {
  std::vector<Option> options;
  std::vector<Positional> positionals;
};

// A parsed command line.
class Arguments {
 public:
  // Whether the option was given.
  bool Has(absl::string_view option) const;

  // The option's value, the first one when it was repeated; `otherwise` when it was not given.
  std::string Get(absl::string_view option, absl::string_view otherwise = "") const;

  // All values of a repeated option, in order.
  std::vector<std::string> GetAll(absl::string_view option) const;

  // The option's value as a whole number of `least` or more; `otherwise` when it was not given. A usage error names the
  // option.
  absl::StatusOr<int64_t> GetNumber(absl::string_view option, int64_t otherwise, int64_t least) const;

  // The option's value as a positive duration such as 30m or 1h30m; zero when it was not given. A usage error names the
  // option.
  absl::StatusOr<absl::Duration> GetDuration(absl::string_view option) const;

  // The option's values as KEY=VALUE pairs. A usage error names the option.
  absl::StatusOr<std::map<std::string, std::string>> GetPairs(absl::string_view option) const;

  // OK when the option was given and is not empty; else a usage error that names it.
  absl::Status Require(absl::string_view option) const;

  // Positional arguments, in order.
  const std::vector<std::string>& positionals() const { return positionals_; }

 private:
  friend absl::StatusOr<Arguments> ParseArguments(absl::Span<const std::string> arguments, const Syntax& syntax);

  std::map<std::string, std::vector<std::string>, std::less<>> options_;
  std::vector<std::string> positionals_;
};

// Reads a command line. Options and positional arguments may be mixed; `--` ends the options. Errors are usage errors
// such as `unknown option --foo; did you mean --for?`.
absl::StatusOr<Arguments> ParseArguments(absl::Span<const std::string> arguments, const Syntax& syntax);

// The option that an argument (`--name`, `--name=value`, `-n`, `-nvalue`) names; null when there is none.
const Option* FindOption(const std::vector<Option>& options, absl::string_view argument);

// Whether the option takes its value from the next argument, because this one holds none.
bool TakesNextArgument(const Option& option, absl::string_view argument);

// A status that ExitCodeOf (exit_code.h) recognises as a mistake on the command line.
absl::Status UsageError(absl::string_view message);
bool IsUsageError(const absl::Status& status);

}  // namespace davit::cli
