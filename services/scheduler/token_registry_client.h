// What the scheduler asks of the token-registry: commits, grants, credentials for publishing. Thread-safe; every call
// blocks for one RPC (at most the time-out).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/crypto/secret.h"
#include "services/scheduler/commit_reporter.h"

namespace grpc {
class Channel;
}

namespace davit::scheduler {

// A revision, resolved.
struct ResolvedRevision {
  std::string commit;
  std::string ref;  // Empty when a commit id was asked for.
};

// What the agent of a build may be issued credentials for.
struct GrantScope {
  std::string connection_id;
  std::string repository;
  std::string registry_credential_id;
  std::string image_repository;
  std::vector<std::string> secrets = {};  // Names of the project's secrets.
};

// A registry's user and password; an empty user means none is needed.
struct PublishCredential {
  std::string username;
  crypto::SecretString password;
};

// Errors are those of the RPCs, codes and messages unchanged.
class TokenRegistryClient {
 public:
  // `channel` carries the scheduler's own token.
  explicit TokenRegistryClient(std::shared_ptr<grpc::Channel> channel, absl::Duration timeout = absl::Seconds(20));
  ~TokenRegistryClient();

  // What a branch, tag, ref, commit id or (empty) the default branch means now.
  absl::StatusOr<ResolvedRevision> ResolveRevision(const std::string& project, const std::string& connection_id,
                                                   const std::string& repository, const std::string& revision,
                                                   const std::string& request_id);

  // The registry credential to use for a registry ("host:port"): `id` if it is set (NOT_FOUND unless it exists in the
  // project), else the project's only credential for that registry if there is exactly one, else "".
  absl::StatusOr<std::string> ResolveRegistryCredential(const std::string& project, const std::string& registry,
                                                        const std::string& id, const std::string& request_id);

  // OK when the project has a secret of that name; NOT_FOUND.
  absl::Status CheckSecret(const std::string& project, const std::string& name, const std::string& request_id);

  // Allows the holder of (build, fence) to be issued credentials until `expire_time`.
  absl::Status Grant(const std::string& project, const std::string& build_id, int64_t fence, const GrantScope& scope,
                     absl::Time expire_time);

  // Ends that.
  absl::Status Revoke(const std::string& project, const std::string& build_id, int64_t fence);

  // The credential with which a build's tags are set.
  absl::StatusOr<PublishCredential> IssuePublishCredential(const std::string& project, const std::string& build_id,
                                                           const std::string& registry_credential_id,
                                                           const std::string& image_repository);

  // Marks a commit at its provider.
  absl::StatusOr<ReportAnswer> SetCommitStatus(const CommitReport& report);

 private:
  struct Stub;

  std::unique_ptr<Stub> stub_;
  const absl::Duration timeout_;
};

}  // namespace davit::scheduler
