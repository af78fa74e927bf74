// Implements introspecting_authenticator.h.
#include "libs/auth/introspecting_authenticator.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <algorithm>
#include <utility>

#include "davit/registry/v1/identity.grpc.pb.h"
#include "libs/crypto/hash.h"
#include "libs/rpc/client_context.h"
#include "libs/rpc/status_conversion.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"

namespace davit::auth {
namespace {

namespace registry_v1 = ::davit::registry::v1;

static_assert(static_cast<int>(Role::kViewer) == registry_v1::ROLE_VIEWER);
static_assert(static_cast<int>(Role::kDeveloper) == registry_v1::ROLE_DEVELOPER);
static_assert(static_cast<int>(Role::kAdmin) == registry_v1::ROLE_ADMIN);
static_assert(static_cast<int>(Role::kAgent) == registry_v1::ROLE_AGENT);
static_assert(static_cast<int>(Role::kGateway) == registry_v1::ROLE_GATEWAY);
static_assert(static_cast<int>(Role::kRuleEngine) == registry_v1::ROLE_RULE_ENGINE);
static_assert(static_cast<int>(Role::kScheduler) == registry_v1::ROLE_SCHEDULER);
static_assert(static_cast<int>(Role::kConsole) == registry_v1::ROLE_CONSOLE);

}  // namespace

IntrospectingAuthenticator::IntrospectingAuthenticator(std::shared_ptr<grpc::Channel> registry, Clock& clock,
                                                       Options options)
    : registry_(std::move(registry)), clock_(clock), options_(options) {}

IntrospectingAuthenticator::IntrospectingAuthenticator(std::shared_ptr<grpc::Channel> registry, Clock& clock)
    : IntrospectingAuthenticator(std::move(registry), clock, Options()) {}

absl::StatusOr<Caller> IntrospectingAuthenticator::Authenticate(absl::string_view token) {
  const std::string key = crypto::Sha256Hex(token);
  {
    absl::MutexLock lock(&mutex_);
    const auto found = entries_.find(key);
    if (found != entries_.end() && clock_.Monotonic() < found->second.expires) return found->second.answer;
  }
  DAVIT_ASSIGN_OR_RETURN(const Entry entry, Ask(token));
  Remember(key, entry);
  return entry.answer;
}

absl::StatusOr<IntrospectingAuthenticator::Entry> IntrospectingAuthenticator::Ask(absl::string_view token) {
  const absl::Duration asked = clock_.Monotonic();
  grpc::ClientContext context;
  rpc::SetDeadline(context, options_.call_timeout);
  registry_v1::IntrospectTokenRequest request;
  request.set_token(std::string(token));
  registry_v1::IntrospectTokenResponse response;
  const absl::Status status = rpc::FromGrpcStatus(
      registry_v1::IdentityService::NewStub(registry_)->IntrospectToken(&context, request, &response));
  if (!status.ok()) {
    // Whatever is wrong between the services is not the fault of the caller, who may try again.
    return absl::UnavailableError(Annotate(status, "Failed to check the token").message());
  }
  if (!response.active()) return Entry{InvalidTokenError(), asked + options_.negative_ttl};
  const absl::StatusOr<Role> role = RoleFromNumber(response.role());
  if (!role.ok()) return absl::UnavailableError(Annotate(role.status(), "Failed to check the token").message());
  absl::Duration ttl = options_.positive_ttl;
  if (response.has_expire_time()) {
    const absl::Time end =
        absl::FromUnixSeconds(response.expire_time().seconds()) + absl::Nanoseconds(response.expire_time().nanos());
    ttl = std::min(ttl, end - clock_.Now());
  }
  return Entry{Caller{response.token_id(), response.token_id(), response.project(), *role, ""}, asked + ttl};
}

void IntrospectingAuthenticator::Remember(const std::string& key, const Entry& entry) {
  absl::MutexLock lock(&mutex_);
  if (entries_.size() >= options_.max_entries) {
    const absl::Duration now = clock_.Monotonic();
    absl::erase_if(entries_, [now](const auto& kept) { return kept.second.expires <= now; });
    // Full of fresh entries: a flood of wrong tokens. What is lost costs one call each.
    if (entries_.size() >= options_.max_entries) entries_.clear();
  }
  entries_.insert_or_assign(key, entry);
}

}  // namespace davit::auth
