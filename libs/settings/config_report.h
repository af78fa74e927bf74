// What is wrong with a program's configuration: every problem that can be known without doing anything, not only the
// first. A value; used on main's thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace davit::settings {

class ConfigReport {
 public:
  // Notes what is wrong with a flag ("--listen"); nothing when the status is OK. An empty flag: the message says all.
  void Note(absl::string_view flag, const absl::Status& status);

  // Whether nothing is wrong.
  bool ok() const { return problems_.empty(); }

  // One line for each problem, in the order in which they were noted.
  const std::vector<std::string>& problems() const { return problems_; }

  // OK, or INVALID_ARGUMENT with all problems.
  absl::Status status() const;

  // What --check-config does: writes the problems, or that there are none, to standard output; returns the exit code, 0
  // or 1.
  int Print() const;

 private:
  std::vector<std::string> problems_;
};

// The checks below have no side effects and look nothing up; each message says what is accepted.

// host:port, [v6]:port, :port or unix:/path to listen on; port 0 takes a free one.
absl::Status CheckListenAddress(absl::string_view address);

// host:port, [v6]:port or unix:/path of a service to call; also with gRPC's dns:/// in front.
absl::Status CheckServiceAddress(absl::string_view address);

// A file that this process can read; an empty path is none, and fine.
absl::Status CheckReadableFile(const std::string& path);

// A number from `least` to `most`.
absl::Status CheckRange(int64_t value, int64_t least, int64_t most);

// A duration above, or not below, zero.
absl::Status CheckPositive(absl::Duration value);
absl::Status CheckNotNegative(absl::Duration value);

}  // namespace davit::settings
