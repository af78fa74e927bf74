// Implements test_registry.h.
#include "libs/oci/testing/test_registry.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "libs/process/run.h"
#include "libs/status/status_macros.h"

namespace davit::oci::testing {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(20);
constexpr char kListening[] = "listening on ";

// Collects the registry's log until it says where it listens. Filled by the process's reader thread.
struct StartupLog {
  absl::Mutex mutex;
  std::string text ABSL_GUARDED_BY(mutex);

  bool Listening() const ABSL_NO_THREAD_SAFETY_ANALYSIS {
    const size_t at = text.find(kListening);
    return at != std::string::npos && text.find('"', at) != std::string::npos;
  }
};

}  // namespace

absl::StatusOr<std::unique_ptr<TestRegistry>> TestRegistry::Start() { return StartWith(""); }

absl::StatusOr<std::unique_ptr<TestRegistry>> TestRegistry::StartWithPassword(const std::string& username,
                                                                              const std::string& password) {
  process::SpawnOptions options;
  options.argv = {"htpasswd", "-Bbn", username, password};
  DAVIT_ASSIGN_OR_RETURN(const std::string htpasswd, process::RunOrFail(std::move(options), kPatience));
  return StartWith(htpasswd);
}

absl::StatusOr<std::unique_ptr<TestRegistry>> TestRegistry::StartWith(const std::string& htpasswd) {
  std::unique_ptr<TestRegistry> registry(new TestRegistry());
  char folder[] = "/dev/shm/davit-test-registry-XXXXXX";
  if (mkdtemp(folder) == nullptr) return absl::InternalError("cannot make a folder in /dev/shm");
  registry->folder_ = folder;
  std::ofstream(registry->folder_ + "/htpasswd") << htpasswd;
  std::ofstream config(registry->folder_ + "/config.yml");
  config << "version: 0.1\nlog: {level: info, formatter: json}\n"
         << "storage: {filesystem: {rootdirectory: " << folder << "/data}, delete: {enabled: true}}\n"
         << "http: {addr: \"127.0.0.1:0\", secret: test}\n";
  if (!htpasswd.empty()) config << "auth: {htpasswd: {realm: test, path: " << folder << "/htpasswd}}\n";
  config.close();

  auto log = std::make_shared<StartupLog>();
  process::SpawnOptions options;
  options.argv = {"docker-registry", "serve", registry->folder_ + "/config.yml"};
  options.stdout_to = process::Output::Discard();
  options.stderr_to = process::Output::Callback([log](absl::string_view bytes) {
    absl::MutexLock lock(&log->mutex);
    if (!log->Listening()) absl::StrAppend(&log->text, bytes);
  });
  options.parent_death_signal = SIGKILL;
  DAVIT_ASSIGN_OR_RETURN(registry->process_, process::Process::Spawn(options));
  absl::MutexLock lock(&log->mutex);
  if (!log->mutex.AwaitWithTimeout(absl::Condition(log.get(), &StartupLog::Listening), kPatience)) {
    return absl::InternalError(absl::StrCat("docker-registry did not start: ", log->text));
  }
  const size_t at = log->text.find(kListening) + sizeof(kListening) - 1;
  registry->address_ = log->text.substr(at, log->text.find('"', at) - at);
  return registry;
}

TestRegistry::~TestRegistry() {
  process_.reset();
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

}  // namespace davit::oci::testing
