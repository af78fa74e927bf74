// Implements call_guard.h.
#include "libs/auth/call_guard.h"

#include <grpcpp/server_context.h>

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/ids/ids.h"
#include "libs/rpc/metadata.h"
#include "libs/status/status_macros.h"

namespace davit::auth {
namespace {

constexpr size_t kMaxRequestId = 100;
constexpr size_t kMaxToken = 1024;

// The value of a request's metadata; the first one when there are several.
absl::string_view ValueOf(const grpc::ServerContextBase& context, const char* key) {
  const auto found = context.client_metadata().find(key);
  if (found == context.client_metadata().end()) return {};
  return {found->second.data(), found->second.size()};
}

// Callers may name their requests, but only so that a log line stays readable.
bool IsRequestId(absl::string_view text) {
  if (text.empty() || text.size() > kMaxRequestId) return false;
  for (const char c : text) {
    if (!absl::ascii_isalnum(c) && c != '_' && c != '-' && c != '.' && c != ':') return false;
  }
  return true;
}

absl::StatusOr<absl::string_view> BearerToken(const grpc::ServerContextBase& context) {
  absl::string_view value = ValueOf(context, rpc::kAuthorization);
  if (!absl::StartsWithIgnoreCase(value, "Bearer ")) return absl::UnauthenticatedError("missing bearer token");
  value = absl::StripAsciiWhitespace(value.substr(7));
  if (value.empty()) return absl::UnauthenticatedError("missing bearer token");
  if (value.size() > kMaxToken) return InvalidTokenError();
  return value;
}

}  // namespace

CallGuard::CallGuard(Authenticator& authenticator, Clock& clock, RandomSource& random, metrics::Registry& metrics)
    : authenticator_(authenticator), clock_(clock), random_(random), metrics_(metrics) {}

absl::StatusOr<Caller> CallGuard::Admit(grpc::ServerContextBase& context, Permission permission) {
  const absl::string_view sent = ValueOf(context, rpc::kRequestId);
  std::string request_id = IsRequestId(sent) ? std::string(sent) : NewId("req", clock_, random_);
  context.AddTrailingMetadata(rpc::kRequestId, request_id);
  absl::StatusOr<Caller> caller = Check(BearerToken(context), permission);
  if (!caller.ok()) return caller;
  context.AddTrailingMetadata(rpc::kCallerToken, caller->token_id);
  caller->request_id = std::move(request_id);
  return caller;
}

absl::StatusOr<Caller> CallGuard::Admit(const crypto::SecretString& token, Permission permission) {
  absl::StatusOr<Caller> caller = Check(token.Reveal(), permission);
  if (caller.ok()) caller->request_id = NewId("req", clock_, random_);
  return caller;
}

absl::StatusOr<Caller> CallGuard::Check(absl::StatusOr<absl::string_view> token, Permission permission) {
  absl::StatusOr<Caller> caller = Authorize(std::move(token), permission);
  if (!caller.ok()) {
    metrics_
        .GetCounter("davit_auth_refused_calls_total", "Calls that were not admitted, by code.",
                    {{"code", absl::StatusCodeToString(caller.status().code())}})
        .Increment();
  }
  return caller;
}

absl::StatusOr<Caller> CallGuard::Authorize(absl::StatusOr<absl::string_view> token, Permission permission) {
  if (!token.ok()) return token.status();
  DAVIT_ASSIGN_OR_RETURN(Caller caller, authenticator_.Authenticate(*token));
  if (!Allows(caller.role, permission)) {
    return absl::PermissionDeniedError(
        absl::StrCat("role ", RoleName(caller.role), " may not ", PermissionName(permission)));
  }
  if (permission == Permission::kOperateSystem && !caller.of_all_projects()) {
    return absl::PermissionDeniedError(absl::StrCat("role ", RoleName(caller.role), " of project \"", caller.project,
                                                    "\" may not ", PermissionName(permission),
                                                    ": that needs an admin of all projects"));
  }
  return caller;
}

}  // namespace davit::auth
