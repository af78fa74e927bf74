// Implements provider_directory.h.
#include "services/token_registry/provider_directory.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "libs/http/url.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"
#include "services/token_registry/validation.h"

namespace davit::token_registry {
namespace {

constexpr size_t kCommitDigits = 40;
constexpr size_t kMaxQuery = 100;
constexpr size_t kMaxContext = 255;
constexpr size_t kMaxUrl = 2048;

bool HasControlCharacter(absl::string_view text) {
  for (const char c : text) {
    if (absl::ascii_iscntrl(c)) return true;
  }
  return false;
}

absl::Status CheckCommit(absl::string_view field, absl::string_view commit) {
  const bool digits =
      std::all_of(commit.begin(), commit.end(), [](unsigned char c) { return absl::ascii_isxdigit(c); });
  if (digits && commit.size() == kCommitDigits) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(field, ": must be 40 hexadecimal digits"));
}

absl::Status CheckStatus(const CommitStatus& status) {
  DAVIT_RETURN_IF_ERROR(CheckRepositoryPath("repository", status.repository));
  DAVIT_RETURN_IF_ERROR(CheckCommit("commit", status.commit));
  if (status.context.empty() || status.context.size() > kMaxContext || HasControlCharacter(status.context)) {
    return absl::InvalidArgumentError("context: must have 1 to 255 characters, none of them a control character");
  }
  if (status.target_url.empty()) return absl::OkStatus();
  if (status.target_url.size() > kMaxUrl) return absl::InvalidArgumentError("target_url: too long, at most 2048 bytes");
  return Annotate(http::Url::Parse(status.target_url).status(), "target_url");
}

}  // namespace

absl::StatusOr<Listed<RemoteRepository>> ProviderDirectory::ListRepositories(const auth::Caller& caller,
                                                                             const std::string& project,
                                                                             const std::string& connection_id,
                                                                             const RepositoryFilter& filter,
                                                                             const ProviderPage& page) {
  if (filter.query.size() > kMaxQuery || HasControlCharacter(filter.query)) {
    return absl::InvalidArgumentError("query: must have at most 100 characters, none of them a control character");
  }
  if (!filter.organization.empty()) DAVIT_RETURN_IF_ERROR(CheckRepositoryPath("organization", filter.organization));
  DAVIT_ASSIGN_OR_RETURN(Connection connection, store_.GetConnection(project, connection_id));
  return connections_.WithToken(caller, connection, "list repositories",
                                [&](const Connection& current, const crypto::SecretString& token) {
                                  return provider_.ListRepositories(current, token, filter, page);
                                });
}

absl::StatusOr<Listed<Organization>> ProviderDirectory::ListOrganizations(const auth::Caller& caller,
                                                                          const std::string& project,
                                                                          const std::string& connection_id,
                                                                          const ProviderPage& page) {
  DAVIT_ASSIGN_OR_RETURN(Connection connection, store_.GetConnection(project, connection_id));
  return connections_.WithToken(caller, connection, "list organizations",
                                [&](const Connection& current, const crypto::SecretString& token) {
                                  return provider_.ListOrganizations(current, token, page);
                                });
}

absl::StatusOr<ChangedPaths> ProviderDirectory::ListChangedPaths(const auth::Caller& caller, const std::string& project,
                                                                 const std::string& connection_id,
                                                                 const std::string& repository,
                                                                 const std::string& before, const std::string& after) {
  DAVIT_RETURN_IF_ERROR(CheckRepositoryPath("repository", repository));
  DAVIT_RETURN_IF_ERROR(CheckCommit("before", before));
  DAVIT_RETURN_IF_ERROR(CheckCommit("after", after));
  DAVIT_ASSIGN_OR_RETURN(Connection connection, store_.GetConnection(project, connection_id));
  DAVIT_ASSIGN_OR_RETURN(ChangedPaths changed,
                         connections_.WithToken(caller, connection, "compare commits",
                                                [&](const Connection& current, const crypto::SecretString& token) {
                                                  return provider_.ListChangedPaths(current, token, repository, before,
                                                                                    after);
                                                }));
  if (changed.paths.size() > ChangedPaths::kMax) {
    changed.paths.resize(ChangedPaths::kMax);
    changed.incomplete = absl::StrCat("more than ", ChangedPaths::kMax, " paths");
  }
  return changed;
}

absl::StatusOr<StatusOutcome> ProviderDirectory::SetCommitStatus(const auth::Caller& caller, const std::string& project,
                                                                 const std::string& connection_id,
                                                                 const CommitStatus& status,
                                                                 const std::string& build_id) {
  DAVIT_RETURN_IF_ERROR(CheckStatus(status));
  DAVIT_ASSIGN_OR_RETURN(Connection connection, store_.GetConnection(project, connection_id));
  // The token stays sealed when there is nobody to show it to.
  if (connection.provider == Provider::kGenericGit) {
    return provider_.SetCommitStatus(connection, crypto::SecretString(), status);
  }
  return connections_.WithToken(
      caller, connection, "mark commit", build_id,
      [&](const Connection& current, const crypto::SecretString& token) {
        return provider_.SetCommitStatus(current, token, status);
      },
      [](const absl::StatusOr<StatusOutcome>& outcome) {
        return outcome.ok() && outcome->kind == StatusOutcome::Kind::kRefused;
      });
}

}  // namespace davit::token_registry
