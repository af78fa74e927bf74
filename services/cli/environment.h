// Everything outside of the program that a command touches, so that tests can put something else there. Owns nothing.
#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "libs/clock/clock.h"
#include "libs/ids/random.h"
#include "libs/rpc/channel.h"

namespace davit::cli {

// Used on one thread.
struct Environment {
  // The value of an environment variable.
  std::function<std::optional<std::string>(const std::string& name)> variable;

  std::istream& in;
  std::ostream& out;
  std::ostream& err;

  // Asks on the terminal for a line that is not shown; null when standard input is no terminal.
  std::function<absl::StatusOr<std::string>(const std::string& prompt)> ask_hidden;

  // Makes a channel; rpc::MakeChannel in the real program.
  std::function<std::shared_ptr<grpc::Channel>(const std::string& target, const rpc::ClientOptions& options)> connect;

  Clock& clock;
  RandomSource& random;
};

}  // namespace davit::cli
