// Opens gRPC channels to BuildKit. No state; usable from any thread.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/buildkit/address.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace davit::buildkit {

// Opens a channel. Through a Docker engine it is one HTTP/1.1 connection upgraded to HTTP/2, which is not reopened when
// it breaks: open a channel for each build. UNAVAILABLE when nothing answers within `timeout`.
absl::StatusOr<std::shared_ptr<grpc::Channel>> Connect(const Address& address, absl::Duration timeout);

}  // namespace davit::buildkit
