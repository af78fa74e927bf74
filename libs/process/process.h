// Starts, watches and ends child processes: argument arrays only, never a shell. Owns the child's pidfd and, when
// output is handed to a callback, one reader thread. A Process may be used from several threads at once.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace davit::process {

// Who a child runs as. Applied as setgroups, setgid, setuid; needs root.
struct Credentials {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
};

// Looks up a local user by name with its supplementary groups. NOT_FOUND when there is no such user.
absl::StatusOr<Credentials> CredentialsOfUser(const std::string& user);

// Where a child's output goes. A callback gets chunks of bytes as they come, on the Process's reader thread.
struct Output {
  enum class Kind { kInherit, kDiscard, kFile, kDescriptor, kCallback };
  Kind kind = Kind::kInherit;
  std::string path;                                 // kFile: appended to, created 0600.
  int descriptor = -1;                              // kDescriptor: borrowed until Spawn returns.
  std::function<void(absl::string_view)> callback;  // kCallback.

  static Output Inherit() { return {}; }
  static Output Discard() { return {.kind = Kind::kDiscard, .path = {}, .descriptor = -1, .callback = nullptr}; }
  static Output File(std::string path) {
    return {.kind = Kind::kFile, .path = std::move(path), .descriptor = -1, .callback = nullptr};
  }
  static Output Descriptor(int fd) {
    return {.kind = Kind::kDescriptor, .path = {}, .descriptor = fd, .callback = nullptr};
  }
  static Output Callback(std::function<void(absl::string_view)> callback) {
    return {.kind = Kind::kCallback, .path = {}, .descriptor = -1, .callback = std::move(callback)};
  }
};

struct SpawnOptions {
  // The program and its arguments. argv[0] without a slash is searched in this process's PATH,
  // then in /usr/sbin and /sbin.
  std::vector<std::string> argv;
  // The whole environment of the child; nullopt inherits this process's.
  std::optional<std::map<std::string, std::string>> environment;
  std::string working_directory;           // Empty: inherited.
  std::optional<Credentials> credentials;  // Nullopt: inherited.
  std::string stdin_data;  // Written to the child's stdin, at most 64 KiB; stdin is otherwise /dev/null.
  Output stdout_to;
  Output stderr_to;
  // Further descriptors to pass on: {ours, number in the child}. Everything else is closed in the child.
  std::vector<std::pair<int, int>> descriptors;
  enum class Group { kInherit, kNewGroup, kNewSession };
  Group group = Group::kNewGroup;
  // Signal that the child gets when the THREAD that called Spawn ends (PR_SET_PDEATHSIG is per thread, not per
  // process): spawn from a thread that lives as long as the process. 0 switches it off.
  int parent_death_signal = 0;
};

// How a process ended.
struct ExitStatus {
  int code = 0;    // Meaningful when signal is 0.
  int signal = 0;  // The signal that ended it, or 0.
  bool ok() const { return code == 0 && signal == 0; }
  // "exited 3" or "killed by signal 9".
  std::string ToString() const;
};

// One child process. Destroying it while the child still runs kills the child (its whole group, if it has one of its
// own) and reaps it.
class Process {
 public:
  // Starts the child; returns after its exec succeeded. NOT_FOUND when the program does not exist, PERMISSION_DENIED,
  // INVALID_ARGUMENT for empty argv, INTERNAL otherwise; the message names the program and the step that failed.
  static absl::StatusOr<std::unique_ptr<Process>> Spawn(const SpawnOptions& options);

  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const;

  // The exit status if the child has ended (and reaps it), nullopt while it runs.
  std::optional<ExitStatus> Poll();

  // Waits for the end, at most `timeout`. DEADLINE_EXCEEDED when it still runs then. After it returns, a callback has
  // received all output unless a grandchild still holds the pipe.
  absl::StatusOr<ExitStatus> Wait(absl::Duration timeout = absl::InfiniteDuration());

  // Sends a signal to the child. A child that has ended is not an error; its pid is never signalled again.
  absl::Status Signal(int signal);

  // Sends a signal to the child's process group. FAILED_PRECONDITION when it was spawned without a group of its own.
  absl::Status SignalGroup(int signal);

  // Asks with `signal`, waits `grace`, then kills the group (or the child when it has no group) and reaps it.
  absl::StatusOr<ExitStatus> Stop(int signal, absl::Duration grace);

 private:
  class Impl;
  explicit Process(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace davit::process
