// Implements the removal of leftovers over /proc, /sys/fs/cgroup and umount2.
#include "services/standalone/leftovers.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "libs/process/identity.h"
#include "libs/status/status_macros.h"
#include "services/standalone/data_dir.h"

namespace davit::standalone {
namespace {

constexpr absl::Duration kPause = absl::Milliseconds(20);

// Whether `done` becomes true within `limit`.
bool WaitUntil(absl::Duration limit, const std::function<bool()>& done) {
  const absl::Time deadline = absl::Now() + limit;
  while (!done()) {
    if (absl::Now() >= deadline) return false;
    absl::SleepFor(kPause);
  }
  return true;
}

// A control group's directories, the deepest first.
std::vector<std::string> GroupDirectories(const std::string& root) {
  std::vector<std::string> directories;
  std::error_code error;
  if (!std::filesystem::is_directory(root, error)) return directories;
  directories.push_back(root);
  for (std::filesystem::recursive_directory_iterator entry(root, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->is_directory(error)) directories.push_back(entry->path());
  }
  std::sort(directories.begin(), directories.end(),
            [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
  return directories;
}

void KillMembers(const std::string& directory) {
  absl::StatusOr<std::string> members = ReadFile(directory + "/cgroup.procs");
  if (!members.ok()) return;
  for (absl::string_view line : absl::StrSplit(*members, '\n', absl::SkipEmpty())) {
    pid_t pid;
    if (absl::SimpleAtoi(line, &pid) && pid > 1 && pid != getpid()) kill(pid, SIGKILL);
  }
}

// Undoes the octal escapes of /proc/self/mounts.
std::string UnescapeMountPath(absl::string_view escaped) {
  std::string path;
  for (size_t i = 0; i < escaped.size(); ++i) {
    if (escaped[i] == '\\' && i + 3 < escaped.size()) {
      path.push_back(
          static_cast<char>((escaped[i + 1] - '0') * 64 + (escaped[i + 2] - '0') * 8 + (escaped[i + 3] - '0')));
      i += 3;
    } else {
      path.push_back(escaped[i]);
    }
  }
  return path;
}

// Ends `found` if one of its arguments lies in `data_dir`: another program may have got its pid.
absl::Status EndIfOfDirectory(const process::Identity& found, absl::string_view data_dir, int signal,
                              absl::Duration grace) {
  const bool ours = std::any_of(found.argv.begin(), found.argv.end(), [&](const std::string& argument) {
    return absl::StrContains(argument, absl::StrCat(data_dir, "/"));
  });
  if (!ours) return absl::OkStatus();
  auto gone = [&] {
    absl::StatusOr<process::Identity> now = process::Identify(found.pid);
    return !now.ok() || now->state == 'Z' || now->start_ticks != found.start_ticks;
  };
  kill(found.pid, signal);
  if (WaitUntil(grace, gone)) return absl::OkStatus();
  kill(found.pid, SIGKILL);
  if (WaitUntil(absl::Seconds(5), gone)) return absl::OkStatus();
  return absl::DeadlineExceededError(absl::StrCat("process ", found.pid, " does not end, not even by SIGKILL"));
}

absl::StatusOr<process::Identity> ProcessOfPidFile(const std::string& pid_file) {
  DAVIT_ASSIGN_OR_RETURN(const std::string text, ReadFile(pid_file));
  pid_t pid;
  if (!absl::SimpleAtoi(absl::string_view(text).substr(0, text.find('\n')), &pid) || pid <= 1) {
    return absl::NotFoundError(absl::StrCat(pid_file, " names no process"));
  }
  return process::Identify(pid);
}

bool IsBelow(absl::string_view path, absl::string_view directory) {
  return absl::StartsWith(path, directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

}  // namespace

absl::Status EndRecordedProcess(const std::string& record_path, absl::string_view data_dir, int signal,
                                absl::Duration grace) {
  absl::StatusOr<std::string> record = ReadFile(record_path);
  if (absl::IsNotFound(record.status())) return absl::OkStatus();
  DAVIT_RETURN_IF_ERROR(record.status());
  absl::StatusOr<process::Identity> found = process::FindByPidRecord(*record);
  if (found.ok()) DAVIT_RETURN_IF_ERROR(EndIfOfDirectory(*found, data_dir, signal, grace));
  unlink(record_path.c_str());
  return absl::OkStatus();
}

absl::Status EndProcessOfPidFile(const std::string& pid_file, absl::string_view data_dir, int signal,
                                 absl::Duration grace) {
  absl::StatusOr<process::Identity> found = ProcessOfPidFile(pid_file);
  if (found.ok() && found->state != 'Z') DAVIT_RETURN_IF_ERROR(EndIfOfDirectory(*found, data_dir, signal, grace));
  unlink(pid_file.c_str());
  return absl::OkStatus();
}

absl::Status WaitUntilReaped(const std::string& pid_file, absl::Duration limit) {
  absl::StatusOr<process::Identity> found;
  const bool reaped = WaitUntil(limit, [&] {
    found = ProcessOfPidFile(pid_file);
    return !found.ok() || found->state != 'Z';
  });
  if (reaped) return absl::OkStatus();
  return absl::DeadlineExceededError(absl::StrCat(
      "process ", found->pid, " has ended, but its parent, process ", found->parent, ", takes no notice of it, and ",
      pid_file, " still names it: end or restart process ", found->parent, ", or start it with an init process"));
}

absl::Status RemoveControlGroup(absl::string_view name) {
  const std::string base = "/sys/fs/cgroup";
  std::vector<std::string> roots = {absl::StrCat(base, "/", name)};
  std::error_code error;
  for (std::filesystem::directory_iterator entry(base, error), end; !error && entry != end; entry.increment(error)) {
    // v1 hierarchies; names such as cpu,cpuacct are reached through symlinks too, removing twice is harmless.
    if (entry->is_directory(error)) roots.push_back(absl::StrCat(entry->path().string(), "/", name));
  }
  const bool removed = WaitUntil(absl::Seconds(5), [&] {
    bool empty = true;
    for (const std::string& root : roots) {
      for (const std::string& directory : GroupDirectories(root)) {
        if (rmdir(directory.c_str()) == 0 || errno == ENOENT) continue;
        KillMembers(directory);
        empty = false;
      }
    }
    return empty;
  });
  if (!removed) return absl::DeadlineExceededError(absl::StrCat("control group ", name, " cannot be removed"));
  return absl::OkStatus();
}

absl::Status UnmountBelow(absl::string_view directory) {
  DAVIT_ASSIGN_OR_RETURN(std::string mounts, ReadFile("/proc/self/mounts"));
  std::vector<std::string> points;
  for (absl::string_view line : absl::StrSplit(mounts, '\n', absl::SkipEmpty())) {
    std::vector<absl::string_view> fields = absl::StrSplit(line, ' ');
    if (fields.size() < 2) continue;
    std::string point = UnescapeMountPath(fields[1]);
    if (IsBelow(point, directory)) points.push_back(std::move(point));
  }
  absl::Status first;
  // Newest first, so that what is mounted on top goes first.
  for (auto point = points.rbegin(); point != points.rend(); ++point) {
    if (umount2(point->c_str(), UMOUNT_NOFOLLOW) == 0) continue;
    if (umount2(point->c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0 && errno != EINVAL && errno != ENOENT &&
        first.ok()) {
      first = absl::InternalError(absl::StrCat("unmounting ", *point, ": ", strerror(errno)));
    }
  }
  return first;
}

}  // namespace davit::standalone
