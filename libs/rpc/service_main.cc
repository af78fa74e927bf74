// Implements service_main.h. The signal handler only writes to an event descriptor, which is all that it may do.
#include "libs/rpc/service_main.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace davit::rpc {
namespace {

constexpr size_t kMaxSecretFile = 64 << 10;
constexpr int kExitInterrupted = 130;

// A signal handler can reach nothing but globals.
std::atomic<int> g_event{-1};
std::atomic<bool> g_signalled{false};

void OnSignal(int) {
  const int saved = errno;
  if (g_signalled.exchange(true)) _exit(kExitInterrupted);
  const uint64_t one = 1;
  const int event = g_event.load();
  if (event >= 0 && write(event, &one, sizeof(one)) < 0) _exit(kExitInterrupted);
  errno = saved;
}

void Install(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(signal, &action, nullptr);
}

}  // namespace

ShutdownSignal::ShutdownSignal() {
  g_signalled.store(false);
  g_event.store(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  Install(SIGTERM, OnSignal);
  Install(SIGINT, OnSignal);
  Install(SIGPIPE, SIG_IGN);
}

ShutdownSignal::~ShutdownSignal() {
  Install(SIGTERM, SIG_DFL);
  Install(SIGINT, SIG_DFL);
  close(g_event.exchange(-1));
}

void ShutdownSignal::Wait() {
  while (!WaitFor(absl::InfiniteDuration())) continue;
}

bool ShutdownSignal::WaitFor(absl::Duration timeout) {
  const absl::Time until = absl::Now() + timeout;
  while (true) {
    pollfd event{g_event.load(), POLLIN, 0};
    const absl::Duration left = until - absl::Now();
    const int millis = left > absl::Hours(1)
                           ? 3600000
                           : static_cast<int>(absl::ToInt64Milliseconds(absl::Ceil(left, absl::Milliseconds(1))));
    if (poll(&event, 1, std::max(0, millis)) > 0) return true;
    if (absl::Now() >= until) return false;
  }
}

void ShutdownSignal::Trigger() { raise(SIGTERM); }

int ServeUntilSignal(ShutdownSignal& signal, absl::Duration drain_timeout, const Logger& logger,
                     const std::function<void(absl::Time deadline)>& drain) {
  signal.Wait();
  logger.Info("draining; a second signal ends the process at once", {{"timeout", drain_timeout}});
  drain(absl::Now() + drain_timeout);
  logger.Info("stopped");
  return 0;
}

absl::StatusOr<crypto::SecretString> ReadSecretFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    const int error = errno;
    return absl::ErrnoToStatus(error, absl::StrCat("cannot read the secret file ", path));
  }
  std::string text;
  char buffer[4096];
  while (text.size() <= kMaxSecretFile && (file.read(buffer, sizeof(buffer)) || file.gcount() > 0)) {
    text.append(buffer, static_cast<size_t>(file.gcount()));
  }
  if (text.size() > kMaxSecretFile) {
    return absl::InvalidArgumentError(absl::StrCat("the secret file ", path, " is over 64 KiB"));
  }
  absl::StripAsciiWhitespace(&text);
  if (text.empty()) return absl::InvalidArgumentError(absl::StrCat("the secret file ", path, " is empty"));
  return crypto::SecretString(std::move(text));
}

int FailToStart(const Logger& logger, const absl::Status& status) {
  logger.Error("cannot start", {{"error", status}});
  return 1;
}

}  // namespace davit::rpc
