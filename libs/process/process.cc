// Implements Process over fork, pidfd and waitid. Between fork and exec the child calls async-signal-safe functions
// only, so it may be forked from a process with many threads; everything that allocates is prepared before.
#include "libs/process/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern "C" {
#include <sys/pidfd.h>  // glibc 2.36 declares these without C linkage.
}

#include <algorithm>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "libs/status/status_macros.h"

namespace davit::process {
namespace {

constexpr size_t kMaxStdin = 64 * 1024;

// A descriptor that is closed when it goes out of scope.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { Close(); }
  int get() const { return fd_; }
  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
};

// The step of the child that failed, sent to the parent over a close-on-exec pipe.
enum class Step : int { kDescriptors, kSession, kDirectory, kCredentials, kDeathSignal, kExec };

const char* StepName(Step step) {
  switch (step) {
    case Step::kDescriptors:
      return "passing descriptors";
    case Step::kSession:
      return "opening a process group";
    case Step::kDirectory:
      return "entering the working directory";
    case Step::kCredentials:
      return "changing the user";
    case Step::kDeathSignal:
      return "following the parent's end";
    case Step::kExec:
      return "executing it";
  }
  return "starting it";
}

struct ChildFailure {
  Step step;
  int error;
};

// Everything that the child needs, prepared before fork.
struct ChildPlan {
  const char* program;
  char* const* argv;
  char* const* environment;
  const char* directory;  // Null: inherited.
  const Credentials* credentials;
  std::pair<int, int>* descriptors;  // {ours, number in the child}; the first member is overwritten.
  size_t descriptor_count;
  SpawnOptions::Group group;
  int death_signal;
  pid_t parent;
  int failure_pipe;
};

[[noreturn]] void ReportFailure(int pipe, Step step) {
  ChildFailure failure{step, errno};
  [[maybe_unused]] ssize_t written = write(pipe, &failure, sizeof failure);
  _exit(127);
}

// Runs in the child. Only async-signal-safe calls.
[[noreturn]] void BecomeProgram(const ChildPlan& plan) {
  int failure_pipe = fcntl(plan.failure_pipe, F_DUPFD_CLOEXEC, 512);
  if (failure_pipe < 0) failure_pipe = plan.failure_pipe;

  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction action;
    if (sigaction(signal, nullptr, &action) == 0 && action.sa_handler != SIG_DFL) {
      memset(&action, 0, sizeof action);
      action.sa_handler = SIG_DFL;
      sigaction(signal, &action, nullptr);
    }
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);

  // Copy every source out of the way of the targets first, so that {4→5, 5→4} works.
  for (size_t i = 0; i < plan.descriptor_count; ++i) {
    int copy = fcntl(plan.descriptors[i].first, F_DUPFD_CLOEXEC, 256);
    if (copy < 0) ReportFailure(failure_pipe, Step::kDescriptors);
    plan.descriptors[i].first = copy;
  }
  if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) != 0) ReportFailure(failure_pipe, Step::kDescriptors);
  for (size_t i = 0; i < plan.descriptor_count; ++i) {
    if (dup2(plan.descriptors[i].first, plan.descriptors[i].second) < 0) {
      ReportFailure(failure_pipe, Step::kDescriptors);
    }
  }

  if (plan.group == SpawnOptions::Group::kNewSession && setsid() < 0) ReportFailure(failure_pipe, Step::kSession);
  if (plan.group == SpawnOptions::Group::kNewGroup && setpgid(0, 0) != 0) ReportFailure(failure_pipe, Step::kSession);
  if (plan.credentials != nullptr) {
    const Credentials& credentials = *plan.credentials;
    if (setgroups(credentials.groups.size(), credentials.groups.data()) != 0 || setgid(credentials.gid) != 0 ||
        setuid(credentials.uid) != 0) {
      ReportFailure(failure_pipe, Step::kCredentials);
    }
  }
  if (plan.directory != nullptr && chdir(plan.directory) != 0) ReportFailure(failure_pipe, Step::kDirectory);
  // After the change of user, which clears it.
  if (plan.death_signal != 0) {
    if (prctl(PR_SET_PDEATHSIG, plan.death_signal) != 0) ReportFailure(failure_pipe, Step::kDeathSignal);
    if (getppid() != plan.parent) _exit(127);  // The parent ended before the request was in place.
  }
  execve(plan.program, plan.argv, plan.environment);
  ReportFailure(failure_pipe, Step::kExec);
}

absl::StatusOr<std::string> FindProgram(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* path = getenv("PATH");
  // The directories of system programs are not in every PATH.
  const std::string directories = absl::StrCat(path == nullptr ? "/usr/bin:/bin" : path, ":/usr/sbin:/sbin");
  for (absl::string_view directory : absl::StrSplit(directories, ':')) {
    std::string candidate = absl::StrCat(directory.empty() ? "." : directory, "/", name);
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return absl::NotFoundError(absl::StrCat("no program ", name, " in PATH"));
}

absl::Status FailureStatus(const std::string& program, const ChildFailure& failure) {
  std::string message = absl::StrCat("starting ", program, ": ", StepName(failure.step), ": ", strerror(failure.error));
  if (failure.error == ENOENT) return absl::NotFoundError(message);
  if (failure.error == EACCES || failure.error == EPERM) return absl::PermissionDeniedError(message);
  return absl::InternalError(message);
}

absl::Status ErrnoStatus(absl::string_view doing) {
  return absl::InternalError(absl::StrCat(doing, ": ", strerror(errno)));
}

absl::Status OpenPipe(Descriptor& read_end, Descriptor& write_end) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return ErrnoStatus("opening a pipe");
  read_end = Descriptor(ends[0]);
  write_end = Descriptor(ends[1]);
  return absl::OkStatus();
}

std::vector<char*> PointersTo(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (std::string& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

std::string ExitStatus::ToString() const {
  return signal != 0 ? absl::StrCat("killed by signal ", signal) : absl::StrCat("exited ", code);
}

absl::StatusOr<Credentials> CredentialsOfUser(const std::string& user) {
  std::vector<char> buffer(16 * 1024);
  struct passwd entry;
  struct passwd* found = nullptr;
  if (getpwnam_r(user.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return absl::NotFoundError(absl::StrCat("no local user ", user));
  }
  Credentials credentials{entry.pw_uid, entry.pw_gid, std::vector<gid_t>(64)};
  int count = static_cast<int>(credentials.groups.size());
  if (getgrouplist(user.c_str(), entry.pw_gid, credentials.groups.data(), &count) < 0) {
    return absl::InternalError(absl::StrCat("user ", user, " is in more than 64 groups"));
  }
  credentials.groups.resize(static_cast<size_t>(count));
  return credentials;
}

// Owns the child after a successful exec.
class Process::Impl {
 public:
  Impl(pid_t pid, Descriptor pidfd, SpawnOptions::Group group) : pid_(pid), pidfd_(std::move(pidfd)), group_(group) {}

  ~Impl() {
    if (!Poll().has_value()) {
      KillHard();
      (void)Wait(absl::InfiniteDuration());
    }
    stop_reading_.Close();
    for (std::thread& reader : readers_) reader.join();
  }

  pid_t pid() const { return pid_; }

  // Starts the thread that hands output to callbacks; ends at end of file or when this object goes. The parts of
  // `sources` are moved out, which the check does not see through the structured binding.
  // NOLINTNEXTLINE(performance-unnecessary-value-param)
  absl::Status ReadFrom(std::vector<std::pair<Descriptor, std::function<void(absl::string_view)>>> sources) {
    if (sources.empty()) return absl::OkStatus();
    Descriptor stopped;
    DAVIT_RETURN_IF_ERROR(OpenPipe(stopped, stop_reading_));
    for (auto& [descriptor, callback] : sources) {
      int copy = fcntl(stopped.get(), F_DUPFD_CLOEXEC, 3);
      if (copy < 0) return ErrnoStatus("copying a descriptor");
      absl::MutexLock lock(&mutex_);
      ++open_outputs_;
      readers_.emplace_back([this, source = std::move(descriptor), stop = Descriptor(copy),
                             callback = std::move(callback)] { ReadLoop(source.get(), stop.get(), callback); });
    }
    return absl::OkStatus();
  }

  std::optional<ExitStatus> Poll() {
    absl::MutexLock lock(&mutex_);
    return PollLocked();
  }

  absl::StatusOr<ExitStatus> Wait(absl::Duration timeout) {
    const absl::Time deadline = absl::Now() + timeout;
    while (true) {
      if (std::optional<ExitStatus> status = Poll(); status.has_value()) {
        // A grandchild may hold the pipe for ever: bounded.
        absl::MutexLock lock(&mutex_);
        mutex_.AwaitWithTimeout(absl::Condition(this, &Impl::OutputsAtEnd), absl::Seconds(2));
        return *status;
      }
      const absl::Duration left = deadline - absl::Now();
      if (left <= absl::ZeroDuration()) {
        return absl::DeadlineExceededError(
            absl::StrCat("process ", pid_, " still runs after ", absl::FormatDuration(timeout)));
      }
      struct pollfd waiting = {pidfd_.get(), POLLIN, 0};
      const int64_t milliseconds = absl::ToInt64Milliseconds(std::min(left, absl::Minutes(1)));
      poll(&waiting, 1, static_cast<int>(milliseconds + 1));
    }
  }

  absl::Status Signal(int signal) {
    absl::MutexLock lock(&mutex_);
    if (PollLocked().has_value()) return absl::OkStatus();
    if (pidfd_send_signal(pidfd_.get(), signal, nullptr, 0) != 0 && errno != ESRCH) {
      return ErrnoStatus(absl::StrCat("signalling process ", pid_));
    }
    return absl::OkStatus();
  }

  absl::Status SignalGroup(int signal) {
    if (group_ == SpawnOptions::Group::kInherit) {
      return absl::FailedPreconditionError("the process has no group of its own");
    }
    absl::MutexLock lock(&mutex_);
    // The group's number stays taken while any member lives, reaped leader or not.
    if (kill(-pid_, signal) != 0 && errno != ESRCH) return ErrnoStatus(absl::StrCat("signalling group ", pid_));
    return absl::OkStatus();
  }

  void KillHard() {
    if (group_ != SpawnOptions::Group::kInherit) (void)SignalGroup(SIGKILL);
    (void)Signal(SIGKILL);
  }

 private:
  std::optional<ExitStatus> PollLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (exited_.has_value()) return exited_;
    siginfo_t info;
    memset(&info, 0, sizeof info);
    if (waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED | WNOHANG) != 0) {
      // Someone else reaped it (SIGCHLD ignored): it is gone, its status is lost.
      if (errno == ECHILD) exited_ = ExitStatus{.code = 255, .signal = 0};
      return exited_;
    }
    if (info.si_pid == 0) return std::nullopt;
    exited_ = info.si_code == CLD_EXITED ? ExitStatus{info.si_status, 0} : ExitStatus{0, info.si_status};
    return exited_;
  }

  bool OutputsAtEnd() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return open_outputs_ == 0; }

  void ReadLoop(int source, int stop, const std::function<void(absl::string_view)>& callback) {
    std::vector<char> buffer(64 * 1024);
    struct pollfd waiting[2] = {{source, POLLIN, 0}, {stop, POLLIN, 0}};
    while (true) {
      if (poll(waiting, 2, -1) < 0 && errno != EINTR) break;
      if ((waiting[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
        ssize_t got = read(source, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        callback(absl::string_view(buffer.data(), static_cast<size_t>(got)));
      } else if (waiting[1].revents != 0) {
        break;
      }
    }
    absl::MutexLock lock(&mutex_);
    --open_outputs_;
  }

  const pid_t pid_;
  const Descriptor pidfd_;
  const SpawnOptions::Group group_;
  absl::Mutex mutex_;
  std::optional<ExitStatus> exited_ ABSL_GUARDED_BY(mutex_);
  int open_outputs_ ABSL_GUARDED_BY(mutex_) = 0;
  Descriptor stop_reading_;
  std::vector<std::thread> readers_;
};

namespace {

// Where the child's descriptors 0-2 come from, and what the parent keeps of the pipes.
struct Streams {
  std::vector<Descriptor> child_ends;  // Closed in the parent after fork.
  std::vector<std::pair<int, int>> mapping;
  std::vector<std::pair<Descriptor, std::function<void(absl::string_view)>>> sources;
};

absl::Status AddInput(const SpawnOptions& options, Streams& streams) {
  Descriptor read_end;
  if (options.stdin_data.empty()) {
    read_end = Descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (read_end.get() < 0) return ErrnoStatus("opening /dev/null");
  } else {
    if (options.stdin_data.size() > kMaxStdin) return absl::InvalidArgumentError("stdin_data: over 64 KiB");
    Descriptor write_end;
    DAVIT_RETURN_IF_ERROR(OpenPipe(read_end, write_end));
    // A pipe holds 64 KiB, so that this never blocks.
    if (write(write_end.get(), options.stdin_data.data(), options.stdin_data.size()) !=
        static_cast<ssize_t>(options.stdin_data.size())) {
      return ErrnoStatus("writing the child's stdin");
    }
  }
  streams.mapping.emplace_back(read_end.get(), STDIN_FILENO);
  streams.child_ends.push_back(std::move(read_end));
  return absl::OkStatus();
}

absl::Status AddOutput(const Output& output, int number, Streams& streams) {
  switch (output.kind) {
    case Output::Kind::kInherit:
      streams.mapping.emplace_back(number, number);
      return absl::OkStatus();
    case Output::Kind::kDescriptor:
      streams.mapping.emplace_back(output.descriptor, number);
      return absl::OkStatus();
    case Output::Kind::kDiscard:
    case Output::Kind::kFile: {
      const char* path = output.kind == Output::Kind::kDiscard ? "/dev/null" : output.path.c_str();
      // /dev/null is never made: where it is missing, a plain file in its place would help nobody.
      const int create = output.kind == Output::Kind::kFile ? O_CREAT : 0;
      Descriptor file(open(path, O_WRONLY | create | O_APPEND | O_CLOEXEC, 0600));
      if (file.get() < 0) return ErrnoStatus(absl::StrCat("opening ", path));
      streams.mapping.emplace_back(file.get(), number);
      streams.child_ends.push_back(std::move(file));
      return absl::OkStatus();
    }
    case Output::Kind::kCallback: {
      Descriptor read_end;
      Descriptor write_end;
      DAVIT_RETURN_IF_ERROR(OpenPipe(read_end, write_end));
      streams.mapping.emplace_back(write_end.get(), number);
      streams.child_ends.push_back(std::move(write_end));
      streams.sources.emplace_back(std::move(read_end), output.callback);
      return absl::OkStatus();
    }
  }
  return absl::InternalError("unknown kind of output");
}

std::vector<std::string> EnvironmentStrings(const SpawnOptions& options) {
  std::vector<std::string> strings;
  if (options.environment.has_value()) {
    for (const auto& [name, value] : *options.environment) strings.push_back(absl::StrCat(name, "=", value));
  } else {
    for (char** entry = environ; *entry != nullptr; ++entry) strings.emplace_back(*entry);
  }
  return strings;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Process>> Process::Spawn(const SpawnOptions& options) {
  if (options.argv.empty()) return absl::InvalidArgumentError("argv: is empty");
  DAVIT_ASSIGN_OR_RETURN(std::string program, FindProgram(options.argv[0]));
  Streams streams;
  DAVIT_RETURN_IF_ERROR(AddInput(options, streams));
  DAVIT_RETURN_IF_ERROR(AddOutput(options.stdout_to, STDOUT_FILENO, streams));
  DAVIT_RETURN_IF_ERROR(AddOutput(options.stderr_to, STDERR_FILENO, streams));
  streams.mapping.insert(streams.mapping.end(), options.descriptors.begin(), options.descriptors.end());
  Descriptor failure_read;
  Descriptor failure_write;
  DAVIT_RETURN_IF_ERROR(OpenPipe(failure_read, failure_write));

  std::vector<std::string> arguments = options.argv;
  std::vector<std::string> variables = EnvironmentStrings(options);
  std::vector<char*> argv = PointersTo(arguments);
  std::vector<char*> environment = PointersTo(variables);
  ChildPlan plan{.program = program.c_str(),
                 .argv = argv.data(),
                 .environment = environment.data(),
                 .directory = options.working_directory.empty() ? nullptr : options.working_directory.c_str(),
                 .credentials = options.credentials.has_value() ? &*options.credentials : nullptr,
                 .descriptors = streams.mapping.data(),
                 .descriptor_count = streams.mapping.size(),
                 .group = options.group,
                 .death_signal = options.parent_death_signal,
                 .parent = getpid(),
                 .failure_pipe = failure_write.get()};

  // No handler of ours may run in the child before it resets them.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t pid = fork();
  if (pid == 0) BecomeProgram(plan);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return ErrnoStatus(absl::StrCat("forking for ", program));

  failure_write.Close();
  streams.child_ends.clear();
  ChildFailure failure;
  ssize_t got;
  do {
    got = read(failure_read.get(), &failure, sizeof failure);
  } while (got < 0 && errno == EINTR);
  if (got == static_cast<ssize_t>(sizeof failure)) {
    waitpid(pid, nullptr, 0);
    return FailureStatus(program, failure);
  }
  Descriptor pidfd(pidfd_open(pid, 0));
  if (pidfd.get() < 0) {
    absl::Status status = ErrnoStatus(absl::StrCat("watching ", program));
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    return status;
  }
  auto impl = std::make_unique<Impl>(pid, std::move(pidfd), options.group);
  DAVIT_RETURN_IF_ERROR(impl->ReadFrom(std::move(streams.sources)));
  return std::unique_ptr<Process>(new Process(std::move(impl)));
}

Process::Process(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Process::~Process() = default;

pid_t Process::pid() const { return impl_->pid(); }
std::optional<ExitStatus> Process::Poll() { return impl_->Poll(); }
absl::StatusOr<ExitStatus> Process::Wait(absl::Duration timeout) { return impl_->Wait(timeout); }
absl::Status Process::Signal(int signal) { return impl_->Signal(signal); }
absl::Status Process::SignalGroup(int signal) { return impl_->SignalGroup(signal); }

absl::StatusOr<ExitStatus> Process::Stop(int signal, absl::Duration grace) {
  DAVIT_RETURN_IF_ERROR(impl_->Signal(signal));
  absl::StatusOr<ExitStatus> status = impl_->Wait(grace);
  if (!absl::IsDeadlineExceeded(status.status())) return status;
  impl_->KillHard();
  return impl_->Wait(absl::Seconds(10));
}

}  // namespace davit::process
