// Live streams of one build: its states and its log. Thread-safe.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/crypto/secret.h"
#include "libs/http/byte_pipe.h"

namespace grpc {
class Channel;
}

namespace davit::console {

// Where a log is to be read.
struct LogPosition {
  int attempt = 0;  // 0 = the newest, and those after it
  int64_t offset = 0;
};

// Reads "ATTEMPT:OFFSET", the id of a log event. INVALID_ARGUMENT for anything else.
absl::StatusOr<LogPosition> ParseLogPosition(absl::string_view event_id);

// Makes the scheduler's streaming calls, as a person, and writes what comes as server-sent events. A call that fails
// ends with an event `failed` (data: an error as JSON).
class BuildStreams {
 public:
  explicit BuildStreams(std::shared_ptr<grpc::Channel> scheduler);

  // Waits until the last call has ended; their pipes must have been closed.
  ~BuildStreams();

  // Events `build` (data: the build as JSON) now and at every change, and `end` when it has ended.
  void WatchBuild(const crypto::SecretString& token, const std::string& project, const std::string& build_id,
                  std::shared_ptr<http::BytePipe> pipe);

  // Whether to wait for what is not written yet.
  enum class Follow { kNo, kYes };

  // Events `log` (data: a ReadLogResponse as JSON; id: where the next one begins) and `end` (data: `attempt`,
  // `end_of_attempt`, `complete`) after the last.
  void ReadLog(const crypto::SecretString& token, const std::string& project, const std::string& build_id,
               LogPosition from, Follow follow, std::shared_ptr<http::BytePipe> pipe);

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace davit::console
