// Writes a build's log as people read it. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "libs/buildkit/progress.h"
#include "services/builder_agent/log_spool.h"
#include "services/builder_agent/masker.h"

namespace davit::builder_agent {

// The step at which a build failed.
struct FailedStep {
  // "[build 2/4] RUN make".
  std::string name;
  // BuildKit's words.
  std::string error;
};

// Renders progress into a spool, with the build's secrets masked: each step is "#5 [build 2/3] RUN …", its output
// follows line by line as "#5 …", and it ends with "#5 DONE 0.3s", "#5 CACHED" or "#5 ERROR: …".
class BuildLog final : public buildkit::ProgressSink {
 public:
  // `spool` must outlive the log.
  explicit BuildLog(LogSpool& spool);
  ~BuildLog() override;

  // What to mask from here on; called before anything that knows the secrets runs.
  void SetSecrets(const std::vector<crypto::SecretString>& secrets);

  // A line of the agent's own.
  void Note(absl::string_view text);

  // The text without secrets.
  std::string Mask(absl::string_view text) const;

  // Writes what steps that never ended have left without an end of line.
  void Finish();

  // The first step that failed, if one did.
  std::optional<FailedStep> failed_step() const;

  void OnStep(const buildkit::StepUpdate& step) override;
  void OnOutput(absl::string_view step_digest, absl::string_view data) override;
  void OnMessage(absl::string_view text) override;

 private:
  struct Step {
    int number = 0;
    bool ended = false;
    Masker masker;
    std::string line;  // Masked output without its end of line yet.
  };

  Step& FindStep(absl::string_view digest) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Writes whole lines; all that is left with kEnd.
  enum class Rest { kKeep, kEnd };
  void WriteLines(Step& step, Rest rest) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  LogSpool& spool_;
  mutable absl::Mutex mutex_;
  // Maskers of steps refer to older forms: none is deleted before the log.
  std::vector<std::unique_ptr<SecretForms>> forms_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Step> steps_ ABSL_GUARDED_BY(mutex_);
  std::optional<FailedStep> failed_step_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace davit::builder_agent
