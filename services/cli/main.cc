// `davit`, the command line: a gRPC client for people and scripts. This file connects cli.h to the process: its
// streams, its environment, its terminal.
#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/clock/clock.h"
#include "libs/ids/random.h"
#include "libs/rpc/channel.h"
#include "services/cli/cli.h"

namespace {

// Asks on the terminal with the echo off. Signals from the keyboard are off, too, so that the terminal is never left
// silent: Ctrl-C arrives as a character and ends the question.
absl::StatusOr<std::string> AskHidden(const std::string& prompt) {
  const int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  termios usual{};
  if (terminal < 0 || tcgetattr(terminal, &usual) != 0) return absl::UnavailableError("there is no terminal to ask on");
  termios hidden = usual;
  hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG);
  tcsetattr(terminal, TCSAFLUSH, &hidden);
  std::string line;
  bool cancelled = write(terminal, prompt.data(), prompt.size()) < 0;
  for (char c = 0; !cancelled && read(terminal, &c, 1) == 1 && c != '\n';) {
    cancelled = c == '\x03';
    line += c;
  }
  cancelled = write(terminal, "\n", 1) < 0 || cancelled;
  tcsetattr(terminal, TCSAFLUSH, &usual);
  close(terminal);
  if (cancelled) return absl::CancelledError("cancelled");
  return line;
}

std::optional<std::string> Variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

}  // namespace

int main(int argc, char** argv) {
  davit::RealClock clock;
  davit::SystemRandom random;
  davit::cli::Environment environment{Variable, std::cin, std::cout, std::cerr, nullptr, davit::rpc::MakeChannel,
                                      clock,    random};
  if (isatty(STDIN_FILENO)) environment.ask_hidden = AskHidden;
  return davit::cli::Run(std::vector<std::string>(argv + 1, argv + argc), environment);
}
