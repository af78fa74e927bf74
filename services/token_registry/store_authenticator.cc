// Implements store_authenticator.h.
#include "services/token_registry/store_authenticator.h"

#include "libs/crypto/hash.h"

namespace davit::token_registry {

absl::StatusOr<auth::Caller> StoreAuthenticator::Authenticate(absl::string_view token) {
  const std::string key = crypto::Sha256(token);
  int64_t forgotten = 0;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = entries_.find(key);
    if (found != entries_.end() && clock_.Monotonic() < found->second.until &&
        clock_.Now() < found->second.token_expires) {
      return found->second.caller;
    }
    forgotten = forgotten_;
  }
  const absl::StatusOr<ApiToken> stored = tokens_.Find(token);
  if (absl::IsNotFound(stored.status())) return auth::InvalidTokenError();
  if (!stored.ok()) return absl::UnavailableError("tokens cannot be checked now; try again");

  auth::Caller caller;
  caller.token_id = stored->id;
  caller.name = stored->display_name;
  caller.project = stored->project;
  caller.role = stored->role;
  absl::MutexLock lock(&mutex_);
  // What was read before a revocation must not be remembered after it.
  if (forgotten == forgotten_) {
    if (entries_.size() >= options_.max_entries) entries_.clear();
    entries_[key] = {caller, clock_.Monotonic() + options_.ttl, stored->expire_time};
  }
  return caller;
}

void StoreAuthenticator::Forget(const std::string& token_id) {
  absl::MutexLock lock(&mutex_);
  ++forgotten_;
  absl::erase_if(entries_, [&token_id](const auto& entry) { return entry.second.caller.token_id == token_id; });
}

}  // namespace davit::token_registry
