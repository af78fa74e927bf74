// What BuildKit can ask of the client while it builds: the context, registry accounts and secrets. See the class for
// its threading.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "libs/buildkit/builder.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace davit::buildkit {

// An open session: a gRPC server of ours, which BuildKit reaches through the bytes of a Session call. It serves until
// it is destroyed, which ends everything in BuildKit that still uses it. Thread-safe; has two threads that carry the
// bytes.
class Session {
 public:
  // Opens a session named `id` for `request`, whose context sources, accounts and secrets must outlive the
  // session.
  static std::unique_ptr<Session> Open(const std::shared_ptr<grpc::Channel>& channel, const std::string& id,
                                       const BuildRequest& request);

  virtual ~Session() = default;

  // The name under which BuildKit knows it.
  virtual const std::string& id() const = 0;

  // The first error that serving a context had.
  virtual absl::Status source_error() const = 0;
};

}  // namespace davit::buildkit
