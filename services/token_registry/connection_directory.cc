// Implements connection_directory.h.
#include "services/token_registry/connection_directory.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/git/url.h"
#include "libs/ids/ids.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"
#include "services/token_registry/validation.h"

namespace davit::token_registry {
namespace {

constexpr size_t kMaxTokenBytes = 4096;
constexpr size_t kCommitDigits = 40;
constexpr int kAttempts = 5;

bool IsCommitId(absl::string_view text) {
  if (text.size() != kCommitDigits) return false;
  for (const char c : text) {
    if (!absl::ascii_isxdigit(c)) return false;
  }
  return true;
}

// The full names that a revision may stand for, in the order in which they win.
std::vector<std::string> Candidates(const std::string& revision, const std::string& default_branch) {
  if (revision.empty() || revision == "HEAD") {
    return default_branch.empty() ? std::vector<std::string>() : std::vector<std::string>{default_branch};
  }
  if (absl::StartsWith(revision, "refs/")) return {revision};
  return {absl::StrCat("refs/heads/", revision), absl::StrCat("refs/tags/", revision)};
}

}  // namespace

absl::Time ConnectionDirectory::Now() const {
  // As precise as the database, so that a time read back is the time written.
  return absl::FromUnixMicros(absl::ToUnixMicros(clock_.Now()));
}

absl::Status ConnectionDirectory::Check(const Connection& connection) const {
  DAVIT_RETURN_IF_ERROR(CheckDisplayName(connection.display_name));
  DAVIT_RETURN_IF_ERROR(CheckUsername(connection.username));
  if (!connection.probe_repository.empty()) {
    DAVIT_RETURN_IF_ERROR(CheckRepositoryPath("probe_repository", connection.probe_repository));
  }
  return absl::OkStatus();
}

absl::Status ConnectionDirectory::Try(Connection& connection, const crypto::SecretString& token) {
  const absl::StatusOr<TokenFacts> facts = provider_.VerifyToken(connection, token);
  if (absl::IsInvalidArgument(facts.status())) return Annotate(facts.status(), "base_url");
  if (!facts.ok()) return facts.status();
  connection.state = Connection::State::kActive;
  connection.state_reason.clear();
  connection.account = facts->account;
  connection.scopes = facts->scopes;
  connection.missing_scopes = facts->missing_scopes;
  // The end of a token that OAuth gave was told with it.
  if (connection.credential_kind == Connection::CredentialKind::kAccessToken) {
    connection.token_expire_time = facts->expire_time;
  }
  connection.verify_time = Now();
  if (!connection.renews && connection.token_expire_time < connection.verify_time + kWarnBefore) {
    connection.state = Connection::State::kExpiring;
    connection.state_reason = absl::StrCat(
        "the token ends at ", absl::FormatTime("%Y-%m-%d %H:%M", connection.token_expire_time, absl::UTCTimeZone()),
        " UTC; replace it");
  }
  return absl::OkStatus();
}

absl::StatusOr<Connection> ConnectionDirectory::Create(Connection draft, const crypto::SecretString& token) {
  DAVIT_ASSIGN_OR_RETURN(draft.base_url, NormalizeBaseUrl(draft.provider, draft.base_url, policy_));
  if (draft.username.empty()) draft.username = DefaultUsername(draft.provider);
  DAVIT_RETURN_IF_ERROR(Check(draft));
  DAVIT_RETURN_IF_ERROR(CheckToken("token", token, kMaxTokenBytes));
  draft.id = NewId("con", clock_, random_);
  draft.create_time = draft.update_time = Now();
  DAVIT_RETURN_IF_ERROR(Try(draft, token));
  DAVIT_ASSIGN_OR_RETURN(const crypto::SealedSecret sealed, vault_.Seal(TokenKeeper::TokenPlace(draft), token));
  DAVIT_RETURN_IF_ERROR(store_.InsertConnection(draft, ConnectionSecrets{sealed}));
  return draft;
}

absl::StatusOr<Connection> ConnectionDirectory::Authorize(const OAuthAuthorization& authorization,
                                                          const OAuthTokens& tokens) {
  const bool is_new = authorization.connection_id.empty();
  for (int attempt = 1;; ++attempt) {
    Connection connection;
    if (is_new) {
      connection.id = NewId("con", clock_, random_);
      connection.project = authorization.project;
      connection.display_name = authorization.display_name;
      connection.provider = authorization.provider;
      connection.base_url = authorization.base_url;
      connection.create_time = connection.update_time = Now();
    } else {
      DAVIT_ASSIGN_OR_RETURN(connection, store_.GetConnection(authorization.project, authorization.connection_id));
    }
    const absl::Time seen = connection.update_time;
    connection.username = DefaultUsername(connection.provider);
    connection.credential_kind = Connection::CredentialKind::kOAuth;
    connection.renews = !tokens.refresh_token.empty();
    connection.token_expire_time = tokens_.EndOf(tokens);
    DAVIT_RETURN_IF_ERROR(Try(connection, tokens.access_token));
    DAVIT_ASSIGN_OR_RETURN(const ConnectionSecrets secrets, tokens_.SealTokens(connection, tokens));
    if (!is_new) connection.update_time = std::max(Now(), seen + absl::Microseconds(1));
    const absl::Status stored =
        is_new ? store_.InsertConnection(connection, secrets) : store_.UpdateConnection(connection, seen, &secrets);
    // A code works once: somebody's change of the name must not cost it.
    if (absl::IsAborted(stored) && attempt < kAttempts) continue;
    if (!stored.ok()) return stored;
    return connection;
  }
}

absl::StatusOr<Connection> ConnectionDirectory::Update(const auth::Caller& caller, const std::string& project,
                                                       const std::string& id, const ConnectionChange& change) {
  DAVIT_ASSIGN_OR_RETURN(Connection connection, store_.GetConnection(project, id));
  crypto::SecretString token;
  if (change.username || change.probe_repository) {
    DAVIT_ASSIGN_OR_RETURN(token, tokens_.Open(caller, connection, "verify"));
  }
  const absl::Time seen = connection.update_time;
  if (change.display_name) connection.display_name = *change.display_name;
  if (change.username) {
    connection.username = change.username->empty() ? DefaultUsername(connection.provider) : *change.username;
  }
  if (change.probe_repository) connection.probe_repository = *change.probe_repository;
  DAVIT_RETURN_IF_ERROR(Check(connection));

  if (!token.empty()) DAVIT_RETURN_IF_ERROR(Try(connection, token));
  connection.update_time = std::max(Now(), seen + absl::Microseconds(1));
  DAVIT_RETURN_IF_ERROR(store_.UpdateConnection(connection, seen, nullptr));
  return connection;
}

absl::StatusOr<Connection> ConnectionDirectory::RotateToken(const std::string& project, const std::string& id,
                                                            const crypto::SecretString& token,
                                                            const std::string& username) {
  DAVIT_RETURN_IF_ERROR(CheckToken("token", token, kMaxTokenBytes));
  DAVIT_ASSIGN_OR_RETURN(Connection connection, store_.GetConnection(project, id));
  const absl::Time seen = connection.update_time;
  if (!username.empty()) connection.username = username;
  DAVIT_RETURN_IF_ERROR(CheckUsername(connection.username));
  connection.credential_kind = Connection::CredentialKind::kAccessToken;
  connection.renews = false;
  DAVIT_RETURN_IF_ERROR(Try(connection, token));
  DAVIT_ASSIGN_OR_RETURN(const crypto::SealedSecret sealed, vault_.Seal(TokenKeeper::TokenPlace(connection), token));
  connection.update_time = std::max(Now(), seen + absl::Microseconds(1));
  const ConnectionSecrets secrets{sealed};
  DAVIT_RETURN_IF_ERROR(store_.UpdateConnection(connection, seen, &secrets));
  return connection;
}

absl::StatusOr<Connection> ConnectionDirectory::Verify(const auth::Caller& caller, const std::string& project,
                                                       const std::string& id) {
  absl::StatusOr<Connection> verified = VerifyOnce(caller, project, id);
  // What another call stored meanwhile may be about another token.
  for (int i = 1; i < kAttempts && absl::IsAborted(verified.status()); ++i) verified = VerifyOnce(caller, project, id);
  return verified;
}

absl::StatusOr<Connection> ConnectionDirectory::VerifyOnce(const auth::Caller& caller, const std::string& project,
                                                           const std::string& id) {
  DAVIT_ASSIGN_OR_RETURN(Connection connection, store_.GetConnection(project, id));
  const absl::StatusOr<crypto::SecretString> token = tokens_.Open(caller, connection, "verify");
  // A refresh that was refused is in the record already.
  if (absl::IsFailedPrecondition(token.status()) && connection.renews) return store_.GetConnection(project, id);
  if (!token.ok()) return token.status();
  const absl::Time seen = connection.update_time;
  const absl::Status status = Try(connection, *token);
  if (absl::IsFailedPrecondition(status)) {
    connection.state = Connection::State::kInvalid;
    connection.state_reason = std::string(status.message());
    connection.verify_time = Now();
  } else if (!status.ok()) {
    return status;
  }
  connection.update_time = std::max(Now(), seen + absl::Microseconds(1));
  DAVIT_RETURN_IF_ERROR(store_.UpdateConnection(connection, seen, nullptr));
  return connection;
}

absl::StatusOr<RemoteRefs> ConnectionDirectory::RefsOf(const auth::Caller& caller, Connection& connection,
                                                       const std::string& repository, absl::string_view purpose) {
  return WithToken(caller, connection, purpose, [&](const Connection& current, const crypto::SecretString& token) {
    return provider_.ListRefs(current, CloneUrl(current, repository), token);
  });
}

absl::StatusOr<RemoteRefs> ConnectionDirectory::ListRefs(const auth::Caller& caller, const std::string& project,
                                                         const std::string& id, const std::string& repository) {
  DAVIT_RETURN_IF_ERROR(CheckRepositoryPath("repository", repository));
  DAVIT_ASSIGN_OR_RETURN(Connection connection, store_.GetConnection(project, id));
  return RefsOf(caller, connection, repository, "list refs");
}

absl::StatusOr<ResolvedCommit> ConnectionDirectory::GetCommit(const auth::Caller& caller, const std::string& project,
                                                              const std::string& id, const std::string& repository,
                                                              const std::string& revision) {
  DAVIT_RETURN_IF_ERROR(CheckRepositoryPath("repository", repository));
  if (!revision.empty()) DAVIT_RETURN_IF_ERROR(Annotate(git::CheckRevision(revision), "revision"));
  DAVIT_ASSIGN_OR_RETURN(Connection connection, store_.GetConnection(project, id));
  const std::string clone_url = CloneUrl(connection, repository);
  if (IsCommitId(revision)) return ResolvedCommit{absl::AsciiStrToLower(revision), "", clone_url};
  DAVIT_ASSIGN_OR_RETURN(const RemoteRefs remote, RefsOf(caller, connection, repository, "get commit"));
  for (const std::string& candidate : Candidates(revision, remote.default_branch)) {
    for (const RemoteRef& ref : remote.refs) {
      if (ref.name == candidate) return ResolvedCommit{ref.commit, ref.name, clone_url};
    }
  }
  return absl::NotFoundError(absl::StrCat("revision not found: ", revision.empty() ? "HEAD" : revision));
}

}  // namespace davit::token_registry
