// The program `davit` without its process: from a command line to an exit code. Used on one thread.
#pragma once

#include <string>
#include <vector>

#include "services/cli/environment.h"

namespace davit::cli {

// Runs the command that `arguments` (without the program's name) name. Results go to environment.out, errors and notes
// to environment.err. Returns the exit code (exit_code.h).
int Run(const std::vector<std::string>& arguments, Environment& environment);

}  // namespace davit::cli
