// Implements http_provider_client.h.
#include "services/token_registry/http_provider_client.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/git/credential.h"
#include "libs/git/remote_refs.h"
#include "libs/git/url.h"
#include "libs/oci/registry_client.h"
#include "libs/status/status_macros.h"
#include "services/token_registry/validation.h"

namespace davit::token_registry {
namespace {

constexpr absl::Duration kTimeout = absl::Seconds(15);

// Only GitHub and GitLab have an API beside git.
absl::Status NoApi(absl::string_view what) {
  return absl::FailedPreconditionError(
      absl::StrCat("connection_id: a generic git server has no API to ", what, "; only GitHub and GitLab have"));
}

// The caller of the token-registry is authenticated; it is the stored credential that was refused.
absl::Status AsPrecondition(const absl::Status& status) {
  if (absl::IsUnauthenticated(status) || absl::IsPermissionDenied(status)) {
    return absl::FailedPreconditionError(status.message());
  }
  return status;
}

}  // namespace

absl::StatusOr<TokenFacts> HttpProviderClient::VerifyToken(const Connection& connection,
                                                           const crypto::SecretString& token) {
  switch (connection.provider) {
    case Provider::kGitHub:
      return github_.VerifyToken(connection, token);
    case Provider::kGitLab:
      return gitlab_.VerifyToken(connection, token);
    case Provider::kGenericGit:
      return VerifyGenericGit(connection, token);
  }
  return absl::InternalError("unknown provider");
}

absl::StatusOr<TokenFacts> HttpProviderClient::VerifyGenericGit(const Connection& connection,
                                                                const crypto::SecretString& token) {
  if (!connection.probe_repository.empty()) {
    const absl::Status listed = ListRefs(connection, CloneUrl(connection, connection.probe_repository), token).status();
    if (absl::IsNotFound(listed)) {
      return absl::FailedPreconditionError(absl::StrCat("probe_repository: ", listed.message()));
    }
    if (!listed.ok()) return listed;
    return TokenFacts();
  }
  ApiCall call;
  call.url = connection.base_url;
  call.headers = {{"Authorization", http::BasicAuthorization(connection.username, token.Reveal())}};
  DAVIT_ASSIGN_OR_RETURN(const http::Response response, http_.Send(call));
  // Whatever else a server shows at its root, it must not refuse the credential.
  if (response.status == 401 || response.status == 403 || response.status == 429 || response.status >= 500) {
    return http_.Check(response, "the git server");
  }
  return TokenFacts();
}

absl::StatusOr<RemoteRefs> HttpProviderClient::ListRefs(const Connection& connection, const std::string& clone_url,
                                                        const crypto::SecretString& token) {
  DAVIT_ASSIGN_OR_RETURN(const git::RepositoryUrl url, git::RepositoryUrl::Parse(clone_url, client_.policy()));
  git::FetchControl control;
  control.timeout = absl::Seconds(30);
  absl::StatusOr<git::RemoteRefs> remote =
      git::ListRemoteRefs(client_, url, git::Credential{connection.username, token}, control);
  if (!remote.ok()) return AsPrecondition(remote.status());
  RemoteRefs refs;
  refs.default_branch = std::move(remote->default_branch);
  refs.refs.reserve(remote->refs.size());
  for (git::RemoteRef& ref : remote->refs) refs.refs.push_back({std::move(ref.name), ref.commit.Hex()});
  return refs;
}

absl::Status HttpProviderClient::VerifyRegistryCredential(const RegistryCredential& credential,
                                                          const crypto::SecretString& password) {
  oci::RegistryClientOptions options;
  options.registry = credential.registry;
  options.credential.username = credential.username;
  options.credential.password = password.Reveal();
  options.timeout = kTimeout;
  return AsPrecondition(oci::RegistryClient(client_, std::move(options)).CheckCredential());
}

absl::StatusOr<StatusOutcome> HttpProviderClient::SetCommitStatus(const Connection& connection,
                                                                  const crypto::SecretString& token,
                                                                  const CommitStatus& status) {
  switch (connection.provider) {
    case Provider::kGitHub:
      return github_.SetCommitStatus(connection, token, status);
    case Provider::kGitLab:
      return gitlab_.SetCommitStatus(connection, token, status);
    case Provider::kGenericGit:
      break;
  }
  return StatusOutcome{StatusOutcome::Kind::kNotSupported, "a generic git server has no commit statuses"};
}

absl::StatusOr<Listed<RemoteRepository>> HttpProviderClient::ListRepositories(const Connection& connection,
                                                                              const crypto::SecretString& token,
                                                                              const RepositoryFilter& filter,
                                                                              const ProviderPage& page) {
  switch (connection.provider) {
    case Provider::kGitHub:
      return github_.ListRepositories(connection, token, filter, page);
    case Provider::kGitLab:
      return gitlab_.ListRepositories(connection, token, filter, page);
    case Provider::kGenericGit:
      break;
  }
  return NoApi("list repositories");
}

absl::StatusOr<Listed<Organization>> HttpProviderClient::ListOrganizations(const Connection& connection,
                                                                           const crypto::SecretString& token,
                                                                           const ProviderPage& page) {
  switch (connection.provider) {
    case Provider::kGitHub:
      return github_.ListOrganizations(connection, token, page);
    case Provider::kGitLab:
      return gitlab_.ListOrganizations(connection, token, page);
    case Provider::kGenericGit:
      break;
  }
  return NoApi("list organizations");
}

absl::StatusOr<ChangedPaths> HttpProviderClient::ListChangedPaths(const Connection& connection,
                                                                  const crypto::SecretString& token,
                                                                  const std::string& repository,
                                                                  const std::string& before, const std::string& after) {
  switch (connection.provider) {
    case Provider::kGitHub:
      return github_.ListChangedPaths(connection, token, repository, before, after);
    case Provider::kGitLab:
      return gitlab_.ListChangedPaths(connection, token, repository, before, after);
    case Provider::kGenericGit:
      break;
  }
  return NoApi("compare commits");
}

absl::StatusOr<InstalledHook> HttpProviderClient::EnsureHook(const Connection& connection,
                                                             const crypto::SecretString& token, const HookSpec& hook) {
  switch (connection.provider) {
    case Provider::kGitHub:
      return github_.EnsureHook(connection, token, hook);
    case Provider::kGitLab:
      return gitlab_.EnsureHook(connection, token, hook);
    case Provider::kGenericGit:
      break;
  }
  return NoApi("install webhooks");
}

absl::Status HttpProviderClient::RemoveHook(const Connection& connection, const crypto::SecretString& token,
                                            const std::string& repository, const std::string& hook_id) {
  switch (connection.provider) {
    case Provider::kGitHub:
      return github_.RemoveHook(connection, token, repository, hook_id);
    case Provider::kGitLab:
      return gitlab_.RemoveHook(connection, token, repository, hook_id);
    case Provider::kGenericGit:
      break;
  }
  return NoApi("remove webhooks");
}

}  // namespace davit::token_registry
