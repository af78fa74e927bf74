// Implements token_keeper.h.
#include "services/token_registry/token_keeper.h"

#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "libs/ids/ids.h"
#include "libs/status/status_macros.h"

namespace davit::token_registry {
namespace {

constexpr int kRenewalsRead = 1000;

bool IsTemporary(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) || absl::IsAborted(status);
}

}  // namespace

TokenKeeper::TokenKeeper(Store& store, SecretVault& vault, OAuthServer& server, const OAuthApps& apps, Clock& clock,
                         RandomSource& random, Logger logger, Options options)
    : store_(store),
      vault_(vault),
      server_(server),
      apps_(apps),
      clock_(clock),
      random_(random),
      logger_(std::move(logger)),
      options_(options) {}

SecretPlace TokenKeeper::TokenPlace(const Connection& connection) {
  return {connection.project, connection.id, "token"};
}

SecretPlace TokenKeeper::RefreshTokenPlace(const Connection& connection) {
  return {connection.project, connection.id, "refresh_token"};
}

absl::Time TokenKeeper::EndOf(const OAuthTokens& tokens) {
  // As precise as the database, so that a time read back is the time written.
  if (tokens.lifetime == absl::InfiniteDuration()) return absl::InfiniteFuture();
  return absl::FromUnixMicros(absl::ToUnixMicros(clock_.Now() + tokens.lifetime));
}

absl::StatusOr<ConnectionSecrets> TokenKeeper::SealTokens(const Connection& connection, const OAuthTokens& tokens) {
  ConnectionSecrets secrets;
  DAVIT_ASSIGN_OR_RETURN(secrets.token, vault_.Seal(TokenPlace(connection), tokens.access_token));
  if (!tokens.refresh_token.empty()) {
    DAVIT_ASSIGN_OR_RETURN(secrets.refresh_token, vault_.Seal(RefreshTokenPlace(connection), tokens.refresh_token));
  }
  return secrets;
}

absl::StatusOr<crypto::SecretString> TokenKeeper::Open(const auth::Caller& caller, Connection& connection,
                                                       absl::string_view purpose, absl::string_view build_id) {
  if (connection.renews && connection.token_expire_time < clock_.Now() + options_.refresh_before_use) {
    const absl::Status refreshed = Refresh(caller, connection, options_.refresh_before_use);
    // What still works is used.
    const bool ended = connection.token_expire_time <= clock_.Now();
    if (!refreshed.ok() && (ended || !IsTemporary(refreshed))) return refreshed;
  }
  DAVIT_ASSIGN_OR_RETURN(const crypto::SealedSecret sealed,
                         store_.GetConnectionToken(connection.project, connection.id));
  return vault_.Open(TokenPlace(connection), sealed, caller, purpose, build_id);
}

void TokenKeeper::RefreshAhead() {
  absl::StatusOr<std::vector<Connection>> due =
      store_.ListRenewals(clock_.Now() + options_.refresh_ahead, kRenewalsRead);
  if (!due.ok()) {
    logger_.Warning("failed to look for tokens to refresh; trying again later", {{"error", due.status()}});
    return;
  }
  std::set<std::string> away;
  for (Connection& connection : *due) {
    // One server that does not answer must not keep the others' tokens waiting for its time-outs.
    if (away.count(connection.base_url) > 0) continue;
    const absl::Status refreshed = Refresh(auth::Caller(), connection, options_.refresh_ahead);
    if (refreshed.ok()) continue;
    if (IsTemporary(refreshed)) away.insert(connection.base_url);
    logger_.Warning("failed to refresh a token",
                    {{"connection", connection.id}, {"project", connection.project}, {"error", refreshed}});
  }
}

absl::Status TokenKeeper::Refresh(const auth::Caller& caller, Connection& connection, absl::Duration before) {
  {
    absl::MutexLock lock(&mutex_);
    const auto free = [&] { return refreshing_.count(connection.id) == 0; };
    mutex_.Await(absl::Condition(&free));
    refreshing_.insert(connection.id);
  }
  const absl::Cleanup done = [&] {
    absl::MutexLock lock(&mutex_);
    refreshing_.erase(connection.id);
  };
  return RefreshAlone(caller, connection, before);
}

absl::Status TokenKeeper::RefreshAlone(const auth::Caller& caller, Connection& connection, absl::Duration before) {
  const std::string claim = NewId("clm", clock_, random_);
  const absl::Duration deadline = clock_.Monotonic() + 2 * options_.claim_for;
  while (true) {
    const absl::StatusOr<RefreshToken> present = store_.GetRefreshToken(connection.project, connection.id);
    if (!present.ok() && !absl::IsNotFound(present.status())) return present.status();
    // Read after the version, so that a pair that is stored in between is seen here or fails there.
    DAVIT_ASSIGN_OR_RETURN(connection, store_.GetConnection(connection.project, connection.id));
    if (!present.ok() || connection.token_expire_time >= clock_.Now() + before) return absl::OkStatus();
    if (present->refused) return absl::FailedPreconditionError(connection.state_reason);
    DAVIT_ASSIGN_OR_RETURN(const bool mine, store_.ClaimRefresh(connection.project, connection.id, present->version,
                                                                claim, options_.claim_for));
    if (mine) return RefreshClaimed(caller, connection, *present, claim);
    if (clock_.Monotonic() >= deadline) return absl::UnavailableError("another replica refreshes the token");
    clock_.SleepFor(options_.poll);
  }
}

absl::Status TokenKeeper::RefreshClaimed(const auth::Caller& caller, Connection& connection,
                                         const RefreshToken& present, const std::string& claim) {
  const OAuthApp* const app = apps_.Find(connection.provider, connection.base_url);
  absl::StatusOr<OAuthTokens> tokens = absl::FailedPreconditionError(absl::StrCat(
      "the token cannot be refreshed: no OAuth application is configured for ", connection.base_url, " any more"));
  if (app != nullptr) {
    const absl::StatusOr<crypto::SecretString> refresh_token =
        vault_.Open(RefreshTokenPlace(connection), present.sealed, caller, "refresh");
    tokens = refresh_token.ok() ? server_.Refresh(*app, *refresh_token) : refresh_token.status();
  }
  if (tokens.ok()) {
    DAVIT_RETURN_IF_ERROR(StorePair(connection, present, *tokens));
    DAVIT_ASSIGN_OR_RETURN(connection, store_.GetConnection(connection.project, connection.id));
    return absl::OkStatus();
  }
  const bool ended = absl::IsUnauthenticated(tokens.status());
  if (!ended && !absl::IsFailedPrecondition(tokens.status())) {
    DAVIT_RETURN_IF_ERROR(store_.ReleaseRefresh(connection.project, connection.id, present.version, claim));
    return tokens.status();
  }
  const std::string reason = ended ? absl::StrCat(tokens.status().message(), "; authorize the connection anew")
                                   : std::string(tokens.status().message());
  DAVIT_RETURN_IF_ERROR(store_.RefuseRefresh(connection.project, connection.id, present.version, claim,
                                             ended ? GrantEnd::kEnded : GrantEnd::kMayRecover, reason, clock_.Now()));
  return absl::FailedPreconditionError(reason);
}

absl::Status TokenKeeper::StorePair(const Connection& connection, const RefreshToken& present,
                                    const OAuthTokens& tokens) {
  DAVIT_ASSIGN_OR_RETURN(const ConnectionSecrets secrets, SealTokens(connection, tokens));
  const absl::Time end = EndOf(tokens);
  absl::Status stored;
  for (int attempt = 0; attempt < options_.store_attempts; ++attempt) {
    if (attempt > 0) clock_.SleepFor(options_.store_pause);
    // A failure whose transaction was committed all the same shows as another version by the next attempt.
    stored = store_.StoreRefreshed(connection, present.version, secrets, end, clock_.Now());
    if (!IsTemporary(stored)) break;
    logger_.Error("failed to store refreshed tokens; trying again, they are nowhere else",
                  {{"connection", connection.id}, {"error", stored}});
  }
  return stored;
}

}  // namespace davit::token_registry
