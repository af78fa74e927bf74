// Takes an upload from a browser and passes it on to the scheduler, piece by piece: what is in memory does not depend
// on its size. Thread-safe.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "libs/crypto/secret.h"
#include "libs/http/byte_pipe.h"
#include "libs/http/query.h"

namespace grpc {
class Channel;
}

namespace davit::console {

class UploadCall {
 public:
  // At most `max_at_a_time` uploads run at a time, since each holds a thread.
  UploadCall(std::shared_ptr<grpc::Channel> scheduler, int max_at_a_time);

  // Sends `body` as the person whose token it is; `query` holds `format` (dockerfile, tar or zip) and `file_name`.
  // Blocks until everything was sent, and returns the Upload as JSON. RESOURCE_EXHAUSTED: too many at a time, or over
  // the scheduler's limit; errors of the body and of the scheduler as they are.
  absl::StatusOr<std::string> Send(const crypto::SecretString& token, const std::string& project,
                                   const http::Query& query, http::BytePipe& body);

 private:
  const std::shared_ptr<grpc::Channel> scheduler_;
  const int max_at_a_time_;
  std::atomic<int> running_ = 0;
};

}  // namespace davit::console
