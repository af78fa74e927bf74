// Where a program's flags get their values: the command line, the environment, a configuration file. The flags are
// Abseil's, process-wide; they are read once, on main's thread.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace davit::settings {

// Whether a flag that `source_file` defines is one of ours (and not a library's): what --help lists and what the
// environment and the configuration file may set.
bool IsOwnFlag(absl::string_view source_file);

// Sets the program's flags. Each flag `--foo_bar` can be given in three places; the first of them wins:
//   the command line         --foo_bar=value, also --foo-bar=value
//   the environment          DAVIT_FOO_BAR=value; an empty value is none
//   the configuration file   foo_bar: value, a list for flags that take several values (YAML)
// The file is the one that --config_file or DAVIT_CONFIG_FILE names. `environment` is a null-terminated array of
// NAME=value.
//
// INVALID_ARGUMENT: a key of the file that is no flag (with its line, and the nearest name), a key that is there twice,
// a value that the flag does not take, an unknown flag or another argument on the command line, or a DAVIT_ variable
// whose name is nearly a flag's; other DAVIT_ variables are other programs'. Errors of the file begin with its path.
// --help and a wrong value on the command line end the process, as Abseil does it.
absl::Status ReadFlags(int argc, char** argv, char** environment);

}  // namespace davit::settings
