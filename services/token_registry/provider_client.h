// What the token-registry asks of the servers that its secrets belong to. Implementations are thread-safe and block on
// the network.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/crypto/secret.h"
#include "services/token_registry/records.h"

namespace davit::token_registry {

// What a provider tells about a token that it accepted.
struct TokenFacts {
  std::string account;
  std::vector<std::string> scopes;
  absl::Time expire_time = absl::InfiniteFuture();  // InfiniteFuture: never, or it does not tell.
  std::vector<std::string> missing_scopes = {};     // `SCOPE: what needs it`.
};

// A ref of a remote repository.
struct RemoteRef {
  std::string name;    // Full name.
  std::string commit;  // 40 lower-case hexadecimal digits.
};

// The branches and tags of a remote repository, by name.
struct RemoteRefs {
  std::vector<RemoteRef> refs;
  std::string default_branch;  // Full name; empty when the server does not tell.
};

// What a commit is marked with; the numbers are those of davit.registry.v1.CommitState.
enum class CommitState { kPending = 1, kRunning = 2, kSuccess = 3, kFailure = 4, kError = 5, kCancelled = 6 };

// A commit's status under one context.
struct CommitStatus {
  std::string repository;
  std::string commit;
  std::string ref;  // Full or short; empty: none.
  std::string context;
  CommitState state = CommitState::kPending;
  std::string description;
  std::string target_url;  // Empty: none.
};

// What came of marking a commit; the numbers are those of davit.registry.v1.SetCommitStatusResponse.Outcome.
struct StatusOutcome {
  enum class Kind { kSet = 1, kNotSupported = 2, kRefused = 3, kLimited = 4 };

  Kind kind = Kind::kSet;
  std::string reason;                                 // With kRefused and kLimited.
  absl::Duration retry_after = absl::ZeroDuration();  // With kLimited.
};

// A repository as its provider lists it.
struct RemoteRepository {
  std::string path;
  std::string default_branch;  // Short name.
  bool is_private = false;
  bool is_archived = false;
  std::string web_url;
};

// An organization or a group.
struct Organization {
  std::string path;
  std::string display_name;
};

// Which repositories to list.
struct RepositoryFilter {
  std::string query;         // Empty: all.
  std::string organization;  // Empty: any.
};

// A page of a provider's listing: 1, 2, …
struct ProviderPage {
  int number = 1;
  int size = 50;
};

// One page of what a provider lists.
template <typename Item>
struct Listed {
  std::vector<Item> items;
  bool more = false;  // Whether there is a next page.
};

// The paths that differ between two commits.
struct ChangedPaths {
  // As many as are kept of one comparison.
  static constexpr size_t kMax = 10'000;

  std::vector<std::string> paths;  // Each once.
  std::string incomplete;          // Why there may be more; empty: these are all.
};

// A hook that a provider delivers through, as it ought to be.
struct HookSpec {
  std::string repository;
  std::string known_id;  // The provider's id of the hook installed before; empty: none.
  std::string url;
  crypto::SecretString secret;
};

// What EnsureHook did; the numbers are those of davit.registry.v1.EnsureWebhookResponse.Change.
enum class HookChange { kInstalled = 1, kRepaired = 2, kNone = 3 };

// A hook that is as it ought to be.
struct InstalledHook {
  std::string id;
  HookChange change = HookChange::kNone;
};

// Errors of every call; none holds a secret: FAILED_PRECONDITION `credential rejected by HOST (401)` or how else the
// server refused it; INVALID_ARGUMENT `address not allowed: …`; UNAVAILABLE and DEADLINE_EXCEEDED when it cannot be
// asked now.
class ProviderClient {
 public:
  virtual ~ProviderClient() = default;

  // Tries a connection's token.
  virtual absl::StatusOr<TokenFacts> VerifyToken(const Connection& connection, const crypto::SecretString& token) = 0;

  // Lists the branches and tags behind a clone URL. NOT_FOUND: `repository not found: …`.
  virtual absl::StatusOr<RemoteRefs> ListRefs(const Connection& connection, const std::string& clone_url,
                                              const crypto::SecretString& token) = 0;

  // Tries a registry's credential; an empty user name means without.
  virtual absl::Status VerifyRegistryCredential(const RegistryCredential& credential,
                                                const crypto::SecretString& password) = 0;

  // Marks a commit. A refusal is an outcome, not an error.
  virtual absl::StatusOr<StatusOutcome> SetCommitStatus(const Connection& connection, const crypto::SecretString& token,
                                                        const CommitStatus& status) = 0;

  // Lists repositories and organizations that the token's account has to do with. FAILED_PRECONDITION for a generic
  // server.
  virtual absl::StatusOr<Listed<RemoteRepository>> ListRepositories(const Connection& connection,
                                                                    const crypto::SecretString& token,
                                                                    const RepositoryFilter& filter,
                                                                    const ProviderPage& page) = 0;
  virtual absl::StatusOr<Listed<Organization>> ListOrganizations(const Connection& connection,
                                                                 const crypto::SecretString& token,
                                                                 const ProviderPage& page) = 0;

  // Compares two commits, of which the second need not descend from the first. NOT_FOUND: the repository or a commit.
  // FAILED_PRECONDITION: refused, or a generic server.
  virtual absl::StatusOr<ChangedPaths> ListChangedPaths(const Connection& connection, const crypto::SecretString& token,
                                                        const std::string& repository, const std::string& before,
                                                        const std::string& after) = 0;

  // Makes the hook that `hook` describes, or sets it right. NOT_FOUND: the repository. FAILED_PRECONDITION: refused, or
  // a generic server.
  virtual absl::StatusOr<InstalledHook> EnsureHook(const Connection& connection, const crypto::SecretString& token,
                                                   const HookSpec& hook) = 0;

  // Removes a hook; one that is gone is removed.
  virtual absl::Status RemoveHook(const Connection& connection, const crypto::SecretString& token,
                                  const std::string& repository, const std::string& hook_id) = 0;
};

}  // namespace davit::token_registry
