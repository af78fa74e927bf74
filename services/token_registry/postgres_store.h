// The token-registry's Store on PostgreSQL. Thread-safe.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "libs/postgres/pool.h"
#include "services/token_registry/store.h"

namespace davit::token_registry {

// Runs the statements of queries/ under row-level security. Its methods are in postgres_store.cc (connections, registry
// credentials), postgres_webhooks.cc, postgres_tokens.cc, postgres_grants.cc, postgres_keys.cc, postgres_oauth.cc and
// postgres_audit.cc.
class PostgresStore : public Store {
 public:
  // `pool` must outlive the store.
  explicit PostgresStore(postgres::Pool& pool) : pool_(pool) {}

  absl::Status InsertConnection(const Connection& connection, const ConnectionSecrets& secrets) override;
  absl::StatusOr<Connection> GetConnection(const std::string& project, const std::string& id) override;
  absl::StatusOr<crypto::SealedSecret> GetConnectionToken(const std::string& project, const std::string& id) override;
  absl::StatusOr<std::vector<Connection>> ListConnections(const std::string& project, const Page& page) override;
  absl::Status UpdateConnection(const Connection& connection, absl::Time expected_update_time,
                                const ConnectionSecrets* secrets) override;
  absl::Status DeleteConnection(const std::string& project, const std::string& id) override;

  absl::StatusOr<RefreshToken> GetRefreshToken(const std::string& project, const std::string& id) override;
  absl::StatusOr<bool> ClaimRefresh(const std::string& project, const std::string& id, int64_t version,
                                    const std::string& claim, absl::Duration claim_for) override;
  absl::Status ReleaseRefresh(const std::string& project, const std::string& id, int64_t version,
                              const std::string& claim) override;
  absl::Status StoreRefreshed(const Connection& connection, int64_t version, const ConnectionSecrets& secrets,
                              absl::Time expire_time, absl::Time now) override;
  absl::Status RefuseRefresh(const std::string& project, const std::string& id, int64_t version,
                             const std::string& claim, GrantEnd end, const std::string& reason,
                             absl::Time now) override;
  absl::StatusOr<std::vector<Connection>> ListRenewals(absl::Time ends_before, int limit) override;
  absl::Status InsertAuthorization(const OAuthAuthorization& authorization,
                                   const crypto::SealedSecret& verifier) override;
  absl::StatusOr<std::pair<OAuthAuthorization, crypto::SealedSecret>> FindAuthorization(
      const std::string& project, const std::string& state_hash) override;
  absl::Status SetAuthorizationPoll(const OAuthAuthorization& read, absl::Duration interval, absl::Time next) override;
  absl::Status DeleteAuthorization(const std::string& project, const std::string& id) override;

  absl::Status InsertRegistryCredential(const RegistryCredential& credential,
                                        const crypto::SealedSecret& password) override;
  absl::StatusOr<RegistryCredential> GetRegistryCredential(const std::string& project, const std::string& id) override;
  absl::StatusOr<crypto::SealedSecret> GetRegistryPassword(const std::string& project, const std::string& id) override;
  absl::StatusOr<std::vector<RegistryCredential>> ListRegistryCredentials(const std::string& project,
                                                                          const Page& page) override;
  absl::Status DeleteRegistryCredential(const std::string& project, const std::string& id) override;

  absl::Status InsertWebhook(const Webhook& webhook, const crypto::SealedSecret& secret) override;
  absl::StatusOr<std::pair<Webhook, crypto::SealedSecret>> FindWebhook(const std::string& project,
                                                                       const std::string& id) override;
  absl::StatusOr<std::vector<Webhook>> ListWebhooks(const std::string& project, const std::string& connection_id,
                                                    const Page& page) override;
  absl::Status DeleteWebhook(const std::string& project, const std::string& id) override;

  absl::StatusOr<std::pair<Webhook, crypto::SealedSecret>> FindManagedWebhook(const std::string& project,
                                                                              const std::string& connection_id,
                                                                              const std::string& repository) override;
  absl::Status SetWebhookHookId(const std::string& project, const std::string& id,
                                const std::string& provider_hook_id) override;
  absl::StatusOr<TokenEnds> MarkTokenEnds(absl::Time now, absl::Duration warn_before) override;
  absl::StatusOr<std::vector<StoredSecret>> ListForeignSecrets(const std::string& key_id, int limit) override;
  absl::StatusOr<int64_t> CountForeignSecrets(const std::string& key_id) override;
  absl::Status Rewrap(const StoredSecret& read, const std::string& key_id, const std::string& wrapped_key) override;

  absl::Status InsertApiToken(const ApiToken& token, const std::string& hash) override;
  absl::StatusOr<ApiToken> GetApiToken(const std::string& project, const std::string& id) override;
  absl::StatusOr<ApiToken> UseApiToken(const std::string& hash, absl::Time now) override;
  absl::StatusOr<std::vector<ApiToken>> ListApiTokens(const std::string& project, const Page& page) override;
  absl::StatusOr<ApiToken> RevokeApiToken(const std::string& project, const std::string& id, absl::Time now) override;
  absl::Status ReplaceBootstrapTokens(const std::vector<std::pair<ApiToken, std::string>>& tokens,
                                      absl::Time now) override;

  absl::Status PutBuildGrant(const BuildGrant& grant, const GrantDecision& decide) override;
  absl::Status RevokeBuildGrant(const std::string& project, const std::string& build_id, int64_t fence,
                                absl::Time keep_until) override;
  absl::StatusOr<BuildGrant> GetBuildGrant(const std::string& project, const std::string& build_id) override;

  absl::Status RecordSecretAccess(const SecretAccess& access) override;
  absl::StatusOr<std::vector<SecretAccess>> ListSecretAccesses(const std::string& project,
                                                               const SecretAccessFilter& filter,
                                                               const Page& page) override;
  absl::Status Purge(absl::Time expired_before, absl::Time accesses_before) override;

 private:
  postgres::Pool& pool_;
};

}  // namespace davit::token_registry
