// Implements config_report.h.
#include "libs/settings/config_report.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

namespace davit::settings {
namespace {

enum class EmptyHost { kAllowed, kRefused };

// Whether `text` is host:port with a port from `least_port` on.
bool IsHostAndPort(absl::string_view text, int least_port, EmptyHost empty_host) {
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return false;
  const absl::string_view host = text.substr(0, colon);
  int port = 0;
  if (!absl::SimpleAtoi(text.substr(colon + 1), &port) || port < least_port || port > UINT16_MAX) return false;
  if (host.empty()) return empty_host == EmptyHost::kAllowed;
  if (absl::StartsWith(host, "[")) return absl::EndsWith(host, "]") && host.size() > 2;
  return host.find_first_of(":/ []") == absl::string_view::npos;
}

bool IsSocketPath(absl::string_view text) { return absl::ConsumePrefix(&text, "unix:") && !text.empty(); }

}  // namespace

void ConfigReport::Note(absl::string_view flag, const absl::Status& status) {
  if (status.ok()) return;
  const bool named = flag.empty() || absl::StartsWith(status.message(), flag);
  problems_.push_back(named ? std::string(status.message()) : absl::StrCat(flag, ": ", status.message()));
}

absl::Status ConfigReport::status() const {
  if (ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrJoin(problems_, "\n"));
}

int ConfigReport::Print() const {
  for (const std::string& problem : problems_) std::printf("%s\n", problem.c_str());
  if (ok()) std::printf("The configuration is valid.\n");
  std::fflush(stdout);
  return ok() ? 0 : 1;
}

absl::Status CheckListenAddress(absl::string_view address) {
  if (IsSocketPath(address) || IsHostAndPort(address, 0, EmptyHost::kAllowed)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("\"", address, "\" is no address to listen on: write host:port, [::]:port or unix:/path"));
}

absl::Status CheckServiceAddress(absl::string_view address) {
  absl::string_view target = address;
  absl::ConsumePrefix(&target, "dns:///");
  if (IsSocketPath(target) || IsHostAndPort(target, 1, EmptyHost::kRefused)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("\"", address, "\" is no address of a service: write host:port or unix:/path"));
}

absl::Status CheckReadableFile(const std::string& path) {
  if (path.empty()) return absl::OkStatus();
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  struct stat about {};
  const int error = file < 0 || fstat(file, &about) != 0 ? errno : 0;
  if (file >= 0) close(file);
  if (error != 0) {
    return absl::InvalidArgumentError(absl::StrCat("cannot read ", path, ": ", absl::ErrnoToStatus(error, "").message(),
                                                   "; name a file that this user may read"));
  }
  if (S_ISDIR(about.st_mode)) return absl::InvalidArgumentError(absl::StrCat(path, " is a directory; name a file"));
  return absl::OkStatus();
}

absl::Status CheckRange(int64_t value, int64_t least, int64_t most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(value, " is not from ", least, " to ", most));
}

absl::Status CheckPositive(absl::Duration value) {
  if (value > absl::ZeroDuration()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(absl::FormatDuration(value), " is not more than 0s"));
}

absl::Status CheckNotNegative(absl::Duration value) {
  if (value >= absl::ZeroDuration()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(absl::FormatDuration(value), " is less than 0s"));
}

}  // namespace davit::settings
