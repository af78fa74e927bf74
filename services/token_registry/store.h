// Where the token-registry keeps its records. Implementations are thread-safe; every call is one transaction.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/crypto/envelope.h"
#include "services/token_registry/records.h"

namespace davit::token_registry {

// Records by project. A project that is passed in confines the call to that project's rows; where "*" may be passed it
// stands for all. Errors of every call: UNAVAILABLE when the database cannot be reached; NOT_FOUND for what the project
// does not have; ALREADY_EXISTS `display_name: …` for a name that is taken.
class Store {
 public:
  virtual ~Store() = default;

  virtual absl::Status InsertConnection(const Connection& connection, const ConnectionSecrets& secrets) = 0;
  virtual absl::StatusOr<Connection> GetConnection(const std::string& project, const std::string& id) = 0;
  virtual absl::StatusOr<crypto::SealedSecret> GetConnectionToken(const std::string& project,
                                                                  const std::string& id) = 0;
  // By display name; page.after is a display name.
  virtual absl::StatusOr<std::vector<Connection>> ListConnections(const std::string& project, const Page& page) = 0;
  // Stores a changed connection (id, project, provider, base_url and create_time never change) and, unless they are
  // null, new secrets in place of all old ones. ABORTED when it was changed since `expected_update_time`.
  virtual absl::Status UpdateConnection(const Connection& connection, absl::Time expected_update_time,
                                        const ConnectionSecrets* secrets) = 0;
  // Deletes its webhooks, too.
  virtual absl::Status DeleteConnection(const std::string& project, const std::string& id) = 0;

  // What renews a connection's token. NOT_FOUND: nothing does.
  virtual absl::StatusOr<RefreshToken> GetRefreshToken(const std::string& project, const std::string& id) = 0;
  // Takes the right to use that version for `claim_for` by the store's clock; false when somebody else has it, or when
  // there is another version or a refused one.
  virtual absl::StatusOr<bool> ClaimRefresh(const std::string& project, const std::string& id, int64_t version,
                                            const std::string& claim, absl::Duration claim_for) = 0;
  // Gives it back.
  virtual absl::Status ReleaseRefresh(const std::string& project, const std::string& id, int64_t version,
                                      const std::string& claim) = 0;
  // Stores the pair that `version` was exchanged for (without a refresh token in it the present one stays), makes the
  // connection ACTIVE, and ends every claim; does nothing when another version was stored since.
  virtual absl::Status StoreRefreshed(const Connection& connection, int64_t version, const ConnectionSecrets& secrets,
                                      absl::Time expire_time, absl::Time now) = 0;
  // Makes the connection INVALID for `reason`, and ends the claim. ABORTED when `claim` has ended: another replica may
  // have been faster.
  virtual absl::Status RefuseRefresh(const std::string& project, const std::string& id, int64_t version,
                                     const std::string& claim, GrantEnd end, const std::string& reason,
                                     absl::Time now) = 0;
  // Connections of all projects whose token ends before that and can be refreshed, those that end first.
  virtual absl::StatusOr<std::vector<Connection>> ListRenewals(absl::Time ends_before, int limit) = 0;

  virtual absl::Status InsertAuthorization(const OAuthAuthorization& authorization,
                                           const crypto::SealedSecret& verifier) = 0;
  virtual absl::StatusOr<std::pair<OAuthAuthorization, crypto::SealedSecret>> FindAuthorization(
      const std::string& project, const std::string& state_hash) = 0;
  // Notes when to ask the provider next, unless that was changed since `read`.
  virtual absl::Status SetAuthorizationPoll(const OAuthAuthorization& read, absl::Duration interval,
                                            absl::Time next) = 0;
  virtual absl::Status DeleteAuthorization(const std::string& project, const std::string& id) = 0;

  virtual absl::Status InsertRegistryCredential(const RegistryCredential& credential,
                                                const crypto::SealedSecret& password) = 0;
  virtual absl::StatusOr<RegistryCredential> GetRegistryCredential(const std::string& project,
                                                                   const std::string& id) = 0;
  virtual absl::StatusOr<crypto::SealedSecret> GetRegistryPassword(const std::string& project,
                                                                   const std::string& id) = 0;
  // By display name; page.after is a display name.
  virtual absl::StatusOr<std::vector<RegistryCredential>> ListRegistryCredentials(const std::string& project,
                                                                                  const Page& page) = 0;
  virtual absl::Status DeleteRegistryCredential(const std::string& project, const std::string& id) = 0;

  // NOT_FOUND when the project has no such connection; ABORTED when a managed one of the repository is there already.
  virtual absl::Status InsertWebhook(const Webhook& webhook, const crypto::SealedSecret& secret) = 0;
  // `project` may be "*": a delivery names no project.
  virtual absl::StatusOr<std::pair<Webhook, crypto::SealedSecret>> FindWebhook(const std::string& project,
                                                                               const std::string& id) = 0;
  // Newest first; page.after is an id; an empty connection_id means all.
  virtual absl::StatusOr<std::vector<Webhook>> ListWebhooks(const std::string& project,
                                                            const std::string& connection_id, const Page& page) = 0;
  virtual absl::Status DeleteWebhook(const std::string& project, const std::string& id) = 0;
  // The managed webhook of a repository.
  virtual absl::StatusOr<std::pair<Webhook, crypto::SealedSecret>> FindManagedWebhook(
      const std::string& project, const std::string& connection_id, const std::string& repository) = 0;
  // Notes the provider's id of a managed webhook.
  virtual absl::Status SetWebhookHookId(const std::string& project, const std::string& id,
                                        const std::string& provider_hook_id) = 0;

  // `hash` is the SHA-256 of the token's text, 32 bytes. Projects of tokens may be "*".
  virtual absl::Status InsertApiToken(const ApiToken& token, const std::string& hash) = 0;
  virtual absl::StatusOr<ApiToken> GetApiToken(const std::string& project, const std::string& id) = 0;
  // The token of that hash, whatever its state and project, and notes its use at `now` (to within ten minutes).
  virtual absl::StatusOr<ApiToken> UseApiToken(const std::string& hash, absl::Time now) = 0;
  // Newest first; page.after is an id.
  virtual absl::StatusOr<std::vector<ApiToken>> ListApiTokens(const std::string& project, const Page& page) = 0;
  // Keeps the time of an earlier revocation.
  virtual absl::StatusOr<ApiToken> RevokeApiToken(const std::string& project, const std::string& id,
                                                  absl::Time now) = 0;
  // Makes `tokens` (with their hashes) the bootstrap tokens: adds new ones, revokes those that are absent.
  virtual absl::Status ReplaceBootstrapTokens(const std::vector<std::pair<ApiToken, std::string>>& tokens,
                                              absl::Time now) = 0;

  // What to do with a grant, given the row that is there (null: none): OK stores it, if its fence is larger.
  using GrantDecision = std::function<absl::Status(const BuildGrant* existing)>;
  virtual absl::Status PutBuildGrant(const BuildGrant& grant, const GrantDecision& decide) = 0;
  // Ends everything up to `fence`, also what is granted later. `keep_until`: when the mark may be forgotten.
  virtual absl::Status RevokeBuildGrant(const std::string& project, const std::string& build_id, int64_t fence,
                                        absl::Time keep_until) = 0;
  // `project` may be "*": an agent works for all.
  virtual absl::StatusOr<BuildGrant> GetBuildGrant(const std::string& project, const std::string& build_id) = 0;

  virtual absl::Status RecordSecretAccess(const SecretAccess& access) = 0;
  // Newest first; page.after is an access's number.
  virtual absl::StatusOr<std::vector<SecretAccess>> ListSecretAccesses(const std::string& project,
                                                                       const SecretAccessFilter& filter,
                                                                       const Page& page) = 0;

  // Marks connections whose token ends within `warn_before` of `now` and is not refreshed, or has ended, and counts
  // them in all projects.
  virtual absl::StatusOr<TokenEnds> MarkTokenEnds(absl::Time now, absl::Duration warn_before) = 0;

  // Secrets of all projects whose data key is wrapped by another key than `key_id`: some of them, and how many.
  virtual absl::StatusOr<std::vector<StoredSecret>> ListForeignSecrets(const std::string& key_id, int limit) = 0;
  virtual absl::StatusOr<int64_t> CountForeignSecrets(const std::string& key_id) = 0;
  // Stores the new wrapping of a secret's data key, unless the secret was replaced since it was read as `read`.
  virtual absl::Status Rewrap(const StoredSecret& read, const std::string& key_id, const std::string& wrapped_key) = 0;

  // Forgets grants and authorizations that expired before `expired_before` and accesses older than `accesses_before`.
  virtual absl::Status Purge(absl::Time expired_before, absl::Time accesses_before) = 0;
};

}  // namespace davit::token_registry
