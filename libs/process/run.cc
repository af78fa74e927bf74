// Implements Run over Process.
#include "libs/process/run.h"

#include <signal.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "libs/status/status_macros.h"

namespace davit::process {
namespace {

constexpr size_t kMaxKept = 1024 * 1024;
constexpr size_t kMaxQuoted = 2000;

Output KeepIn(std::string& text) {
  return Output::Callback([&text](absl::string_view chunk) {
    text.append(chunk.data(), std::min(chunk.size(), kMaxKept - std::min(kMaxKept, text.size())));
  });
}

}  // namespace

absl::StatusOr<Completed> Run(SpawnOptions options, absl::Duration timeout) {
  Completed completed;
  std::string stdout_text;
  std::string stderr_text;
  {
    options.stdout_to = KeepIn(stdout_text);
    options.stderr_to = KeepIn(stderr_text);
    if (options.group == SpawnOptions::Group::kInherit) options.group = SpawnOptions::Group::kNewGroup;
    DAVIT_ASSIGN_OR_RETURN(std::unique_ptr<Process> process, Process::Spawn(options));
    absl::StatusOr<ExitStatus> status = process->Wait(timeout);
    if (!status.ok()) {
      (void)process->SignalGroup(SIGKILL);
      return absl::Status(status.status().code(), absl::StrCat(options.argv[0], ": ", status.status().message()));
    }
    completed.status = *status;
  }  // The readers have ended here.
  completed.stdout_text = std::move(stdout_text);
  completed.stderr_text = std::move(stderr_text);
  return completed;
}

absl::StatusOr<std::string> RunOrFail(SpawnOptions options, absl::Duration timeout) {
  const std::string program = options.argv.empty() ? "" : options.argv[0];
  DAVIT_ASSIGN_OR_RETURN(Completed completed, Run(std::move(options), timeout));
  if (completed.status.ok()) return std::move(completed.stdout_text);
  absl::string_view said = absl::StripAsciiWhitespace(completed.stderr_text);
  if (said.size() > kMaxQuoted) said.remove_prefix(said.size() - kMaxQuoted);
  return absl::InternalError(absl::StrCat(program, " ", completed.status.ToString(), said.empty() ? "" : ": ", said));
}

}  // namespace davit::process
