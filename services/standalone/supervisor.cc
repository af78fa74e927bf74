// Implements the supervisor: one thread per engine.
#include "services/standalone/supervisor.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "libs/process/identity.h"
#include "libs/status/annotate.h"
#include "libs/status/retry.h"
#include "libs/status/status_macros.h"
#include "services/standalone/leftovers.h"

namespace davit::standalone {
namespace {

constexpr int kQuotedLogLines = 10;

}  // namespace

Supervisor::Supervisor(std::unique_ptr<Engine> engine, const DataDir& data_dir, RandomSource& random, Logger logger,
                       Progress progress, SupervisorOptions options)
    : engine_(std::move(engine)),
      data_dir_(data_dir),
      random_(random),
      logger_(logger.With({{"engine", engine_->name()}})),
      progress_(std::move(progress)),
      options_(options) {}

Supervisor::~Supervisor() { Stop(); }

void Supervisor::Start() {
  thread_ = std::thread([this] { Supervise(); });
}

absl::Status Supervisor::WaitReady() {
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(&decided_));
  return health_;
}

absl::Status Supervisor::Health() const {
  absl::MutexLock lock(&mutex_);
  return health_;
}

int Supervisor::restarts() const {
  absl::MutexLock lock(&mutex_);
  return restarts_;
}

void Supervisor::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

void Supervisor::SetHealth(absl::Status health) {
  absl::MutexLock lock(&mutex_);
  health_ = std::move(health);
}

bool Supervisor::PauseFor(absl::Duration pause) {
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(&stopping_), pause);
}

void Supervisor::Supervise() {
  Backoff backoff(options_.first_pause, options_.last_pause, 2, 0.2, random_);
  bool first = true;
  while (true) {
    std::unique_ptr<process::Process> running;
    const absl::Time started = absl::Now();
    absl::Status status = Launch(&running);
    SetHealth(status);
    if (status.ok()) {
      progress_(absl::StrFormat("%s is ready (%.1f s)", engine_->name(), absl::ToDoubleSeconds(absl::Now() - started)));
      logger_.Info("engine is ready", {{"pid", running->pid()}, {"took", absl::Now() - started}});
    }
    {
      absl::MutexLock lock(&mutex_);
      decided_ = true;
    }
    if (status.ok()) {
      status = Watch(*running);
      if (!status.ok()) SetHealth(absl::UnavailableError(status.message()));
      if (absl::Now() - started > options_.settled) backoff.Reset();
    } else if (first) {
      End(std::move(running));
      return;
    }
    End(std::move(running));
    if (status.ok()) break;  // Stop was called.
    const absl::Duration pause = backoff.Next();
    progress_(absl::StrFormat("%s: %s; starting it again in %.1f s", engine_->name(), std::string(status.message()),
                              absl::ToDoubleSeconds(pause)));
    logger_.Warning("engine failed, starting it again", {{"error", status}, {"pause", pause}});
    if (PauseFor(pause)) break;
    first = false;
    absl::MutexLock lock(&mutex_);
    ++restarts_;
  }
  SetHealth(absl::UnavailableError("stopped"));
}

absl::Status Supervisor::Launch(std::unique_ptr<process::Process>* running) {
  const std::string record_path = data_dir_.PidRecordPath(engine_->name());
  DAVIT_RETURN_IF_ERROR(
      Annotate(EndRecordedProcess(record_path, data_dir_.path(), engine_->stop_signal(), engine_->stop_grace()),
               absl::StrCat("Failed to end the ", engine_->name(), " that an earlier run left behind")));
  DAVIT_RETURN_IF_ERROR(Annotate(engine_->CleanUp(), absl::StrCat("Failed to clean up after ", engine_->name())));
  DAVIT_RETURN_IF_ERROR(Annotate(engine_->Prepare(), absl::StrCat("Failed to prepare ", engine_->name())));
  DAVIT_ASSIGN_OR_RETURN(*running, engine_->Start());
  DAVIT_ASSIGN_OR_RETURN(std::string record, process::FormatPidRecord((*running)->pid()));
  DAVIT_RETURN_IF_ERROR(WriteFile(record_path, record, 0600, nullptr));
  return WaitUntilServing(**running);
}

absl::Status Supervisor::WaitUntilServing(process::Process& process) {
  const absl::Time deadline = absl::Now() + engine_->start_deadline();
  absl::Status last = absl::UnavailableError("not asked yet");
  std::string failure;
  while (failure.empty()) {
    last = engine_->Probe();
    // An answer may be another program's: only with our process alive does it count.
    if (std::optional<process::ExitStatus> ended = process.Poll(); ended.has_value()) {
      failure = absl::StrCat("it ", ended->ToString());
    } else if (last.ok()) {
      return last;
    } else if (absl::Now() >= deadline) {
      failure = absl::StrCat("not ready after ", absl::FormatDuration(engine_->start_deadline()), ": ", last.message());
    } else if (PauseFor(options_.poll_start)) {
      return absl::CancelledError("stopped while starting");
    }
  }
  const std::string log = LastLines(engine_->log_path(), kQuotedLogLines);
  return absl::UnavailableError(
      absl::StrCat("Failed to start ", engine_->name(), ": ", failure,
                   log.empty() ? "" : absl::StrCat("; the end of ", engine_->log_path(), ":\n"), log));
}

absl::Status Supervisor::Watch(process::Process& process) {
  int missed = 0;
  absl::Time next_probe = absl::Now() + options_.poll_running;
  while (true) {
    // The wait for the process is what notices its death; it is cut into pieces to notice Stop.
    absl::StatusOr<process::ExitStatus> ended = process.Wait(absl::Milliseconds(200));
    {
      absl::MutexLock lock(&mutex_);
      if (stopping_) return absl::OkStatus();
    }
    if (ended.ok()) return absl::UnavailableError(ended->ToString());
    if (!absl::IsDeadlineExceeded(ended.status())) return ended.status();
    if (absl::Now() < next_probe) continue;
    next_probe = absl::Now() + options_.poll_running;
    absl::Status answer = engine_->Probe();
    missed = answer.ok() ? 0 : missed + 1;
    if (missed >= options_.missed_probes) {
      return absl::UnavailableError(absl::StrCat("does not answer: ", answer.message()));
    }
  }
}

void Supervisor::End(std::unique_ptr<process::Process> process) {
  if (process != nullptr) {
    absl::StatusOr<process::ExitStatus> ended = process->Stop(engine_->stop_signal(), engine_->stop_grace());
    if (!ended.ok()) logger_.Error("engine does not stop", {{"error", ended.status()}});
    process.reset();
    unlink(data_dir_.PidRecordPath(engine_->name()).c_str());
  }
  absl::Status cleaned = engine_->CleanUp();
  if (!cleaned.ok()) logger_.Error("engine left something behind", {{"error", cleaned}});
}

}  // namespace davit::standalone
