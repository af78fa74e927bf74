// The live list of builds: asks for each project's newest page once a second for all of its viewers, and sends it to
// them when it has changed. Owns one thread. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/clock/clock.h"
#include "libs/crypto/secret.h"
#include "libs/http/byte_pipe.h"
#include "services/console/api_methods.h"
#include "services/console/unary_caller.h"

namespace davit::console {

// A viewer is sent nothing before a call with its own token has succeeded, and nothing more when one fails for good;
// each viewer's token is tried every half a minute. Events: `builds` (data: a ListBuildsResponse as JSON), `failed`
// (data: an error as JSON). A viewer that does not keep up misses pages in between, never the newest.
class BuildListHub {
 public:
  // All parameters must outlive this.
  BuildListHub(UnaryCaller& caller, const ApiMethods& methods, Clock& clock);

  // Stops.
  ~BuildListHub();

  // Begins to ask.
  void Start();

  // Ends the thread; viewers get nothing more. Stopping again changes nothing.
  void Stop();

  // Adds a viewer of a project until its pipe is closed.
  void Watch(const crypto::SecretString& token, const std::string& project, std::shared_ptr<http::BytePipe> pipe);

  // One round for all projects, as the thread makes it every second.
  void PollOnce();

 private:
  struct Viewer {
    crypto::SecretString token;
    std::shared_ptr<http::BytePipe> pipe;
    absl::Duration tried = -absl::InfiniteDuration();  // Monotonic; when its token last worked.
    uint64_t sent = 0;                                 // The version of the page that it was sent.
  };
  struct Project {
    std::vector<std::shared_ptr<Viewer>> viewers;
    std::shared_ptr<const std::string> page;  // As an event.
    uint64_t version = 0;
  };

  void Run();
  // The viewers whose tokens are to be tried in this round, the one that waited longest first.
  std::vector<std::shared_ptr<Viewer>> Due(const std::string& project) ABSL_LOCKS_EXCLUDED(mutex_);
  void Ask(const std::string& project, Viewer& viewer) ABSL_LOCKS_EXCLUDED(mutex_);
  void Send(const std::string& project) ABSL_LOCKS_EXCLUDED(mutex_);

  UnaryCaller& caller_;
  const ApiMethods& methods_;
  Clock& clock_;
  absl::Mutex mutex_;
  std::map<std::string, Project> projects_ ABSL_GUARDED_BY(mutex_);
  bool fresh_ ABSL_GUARDED_BY(mutex_) = false;  // A viewer has come since the last round.
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace davit::console
