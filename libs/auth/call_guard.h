// The door of every RPC: who calls, and may they. A handler has no Caller but the one that it gets here, so a forgotten
// check does not compile.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/auth/authenticator.h"
#include "libs/auth/caller.h"
#include "libs/auth/permissions.h"
#include "libs/clock/clock.h"
#include "libs/crypto/secret.h"
#include "libs/ids/random.h"
#include "libs/metrics/metrics.h"

namespace grpc {
class ServerContextBase;
}

namespace davit::auth {

// Thread-safe. Works with grpc::ServerContext and grpc::CallbackServerContext. The log line and the metrics of a call
// are rpc::Server's; the guard tells it the request and token ids through the trailing metadata.
//
//   grpc::Status GetBuild(grpc::ServerContext* context, …) override {
//     absl::StatusOr<auth::Caller> caller = guard_.Admit(*context, auth::Permission::kRead);
//     if (!caller.ok()) return rpc::ToGrpcStatus(caller.status());
class CallGuard {
 public:
  // All parameters must outlive the guard.
  CallGuard(Authenticator& authenticator, Clock& clock, RandomSource& random, metrics::Registry& metrics);

  // Authenticates and authorises a call, once, at the top of its handler. UNAUTHENTICATED: `missing bearer token`,
  // `token is not valid or was revoked`. PERMISSION_DENIED names the role and what it may not do. UNAVAILABLE:
  // identities cannot be checked now. It may block for an RPC: a handler of the callback API calls it on an
  // rpc::Executor.
  absl::StatusOr<Caller> Admit(grpc::ServerContextBase& context, Permission permission);

  // The same for a call inside the process, which has no context but a token all the same.
  absl::StatusOr<Caller> Admit(const crypto::SecretString& token, Permission permission);

 private:
  absl::StatusOr<Caller> Check(absl::StatusOr<absl::string_view> token, Permission permission);
  absl::StatusOr<Caller> Authorize(absl::StatusOr<absl::string_view> token, Permission permission);

  Authenticator& authenticator_;
  Clock& clock_;
  RandomSource& random_;
  metrics::Registry& metrics_;
};

}  // namespace davit::auth
