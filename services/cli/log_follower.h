// Reads a build's log to its end, over lost connections and new attempts. Runs on the caller's thread.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "libs/status/retry.h"
#include "services/cli/session.h"

namespace davit::scheduler::v1 {
class ReadLogResponse;
}

namespace davit::cli {

// What to read.
struct LogRequest {
  std::string build_id;
  int32_t attempt = 0;  // 0 = the newest and, when following, those after it.
  int64_t offset = 0;
  enum class Until { kNow, kBuildEnds } until = Until::kNow;
};

// Writes a log to a stream, each byte once and in order. When the connection is lost it goes on at the byte that comes
// next; it gives up when ten tries in a row have brought nothing.
class LogFollower {
 public:
  // `session` and `out` must outlive this. Notes ("attempt 2 begins") go to the session's standard error.
  LogFollower(Session& session, std::ostream& out);

  // Reads until the log ends. NOT_FOUND: no such build or attempt.
  absl::Status Read(const LogRequest& request);

 private:
  absl::Status ReadOnce(int32_t attempt, int64_t offset, const LogRequest& request);
  void Take(const davit::scheduler::v1::ReadLogResponse& message, const LogRequest& request);

  Session& session_;
  std::ostream& out_;
  Backoff backoff_;
  int32_t attempt_ = 0;         // The attempt whose bytes came last; 0 = none.
  int64_t next_ = 0;            // The byte of it that comes next.
  bool attempt_ended_ = false;  // All of it is there.
  bool progress_ = false;       // Whether the current try has brought something.
};

}  // namespace davit::cli
