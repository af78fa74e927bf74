// What a running build tells about itself. Values and one interface; see each for its threading.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace davit::buildkit {

// One step of a build as BuildKit describes it; told again whenever something about it changes.
struct StepUpdate {
  // The step's identity within the build.
  std::string digest;
  // For example "[build 2/4] RUN make".
  std::string name;
  // The result came from the cache.
  bool cached = false;
  // InfinitePast while work on the step has not begun.
  absl::Time started = absl::InfinitePast();
  // InfinitePast while work on the step has not ended.
  absl::Time completed = absl::InfinitePast();
  // Why the step failed; empty when it did not.
  std::string error;
};

// Receives a build's progress. The calls for one build come one at a time, from a thread of the build; a slow sink
// slows only the reading of progress. No call comes after Builder::Build has returned.
class ProgressSink {
 public:
  virtual ~ProgressSink() = default;

  // A step appeared or changed.
  virtual void OnStep(const StepUpdate& step) = 0;

  // A step wrote `data`, which may begin and end in the middle of a line.
  virtual void OnOutput(absl::string_view step_digest, absl::string_view data) = 0;

  // Something worth telling that is not a step's: pushing, warnings. One line without its end.
  virtual void OnMessage(absl::string_view text) = 0;
};

}  // namespace davit::buildkit
