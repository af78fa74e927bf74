// Implements process identity over /proc.
#include "libs/process/identity.h"

#include <ctype.h>
#include <dirent.h>

#include <fstream>
#include <sstream>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/status/status_macros.h"

namespace davit::process {
namespace {

absl::StatusOr<std::string> ReadWhole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return absl::NotFoundError(absl::StrCat("cannot read ", path));
  return text.str();
}

absl::StatusOr<std::string> BootId() {
  DAVIT_ASSIGN_OR_RETURN(std::string text, ReadWhole("/proc/sys/kernel/random/boot_id"));
  return std::string(absl::StripAsciiWhitespace(text));
}

}  // namespace

absl::StatusOr<Identity> Identify(pid_t pid) {
  const std::string directory = absl::StrCat("/proc/", pid);
  absl::StatusOr<std::string> stat = ReadWhole(directory + "/stat");
  // The second field is the program's name in parentheses, which may itself hold parentheses and spaces.
  size_t after_name = stat.ok() ? stat->rfind(')') : std::string::npos;
  if (after_name == std::string::npos) return absl::NotFoundError(absl::StrCat("no process ", pid));
  std::vector<absl::string_view> fields =
      absl::StrSplit(absl::StripAsciiWhitespace(absl::string_view(*stat).substr(after_name + 1)), ' ');
  Identity identity;
  identity.pid = pid;
  // fields[0] is field 3 (state), fields[1] field 4 (parent), fields[19] field 22 (start).
  if (fields.size() < 20 || fields[0].empty() || !absl::SimpleAtoi(fields[1], &identity.parent) ||
      !absl::SimpleAtoi(fields[19], &identity.start_ticks)) {
    return absl::InternalError(absl::StrCat("unexpected form of ", directory, "/stat"));
  }
  identity.state = fields[0][0];
  absl::StatusOr<std::string> arguments = ReadWhole(directory + "/cmdline");
  if (arguments.ok() && !arguments->empty()) {
    if (arguments->back() == '\0') arguments->pop_back();
    identity.argv = absl::StrSplit(*arguments, '\0');
  }
  return identity;
}

std::vector<Identity> AllProcesses() {
  std::vector<Identity> processes;
  DIR* directory = opendir("/proc");
  if (directory == nullptr) return processes;
  while (struct dirent* entry = readdir(directory)) {
    pid_t pid;
    if (isdigit(static_cast<unsigned char>(entry->d_name[0])) == 0 || !absl::SimpleAtoi(entry->d_name, &pid)) continue;
    absl::StatusOr<Identity> identity = Identify(pid);
    if (identity.ok()) processes.push_back(*std::move(identity));
  }
  closedir(directory);
  return processes;
}

absl::StatusOr<std::string> FormatPidRecord(pid_t pid) {
  DAVIT_ASSIGN_OR_RETURN(Identity identity, Identify(pid));
  DAVIT_ASSIGN_OR_RETURN(std::string boot, BootId());
  return absl::StrCat(pid, " ", identity.start_ticks, " ", boot);
}

absl::StatusOr<Identity> FindByPidRecord(absl::string_view record) {
  std::vector<std::string> fields = absl::StrSplit(absl::StripAsciiWhitespace(record), ' ');
  pid_t pid;
  uint64_t start_ticks;
  if (fields.size() != 3 || !absl::SimpleAtoi(fields[0], &pid) || !absl::SimpleAtoi(fields[1], &start_ticks)) {
    return absl::InvalidArgumentError("pid record: expected PID START_TICKS BOOT_ID");
  }
  DAVIT_ASSIGN_OR_RETURN(std::string boot, BootId());
  if (boot != fields[2]) return absl::NotFoundError("the record is from another boot");
  DAVIT_ASSIGN_OR_RETURN(Identity identity, Identify(pid));
  if (identity.start_ticks != start_ticks || identity.state == 'Z') {
    return absl::NotFoundError(absl::StrCat("process ", pid, " has ended"));
  }
  return identity;
}

}  // namespace davit::process
