// Implements http_provider_client.h.
#include "services/token_registry/http_provider_client.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "libs/git/credential.h"
#include "libs/git/remote_refs.h"
#include "libs/git/url.h"
#include "libs/http/url.h"
#include "libs/oci/registry_client.h"
#include "libs/status/status_macros.h"
#include "services/token_registry/validation.h"

namespace davit::token_registry {
namespace {

using nlohmann::json;

constexpr absl::Duration kTimeout = absl::Seconds(15);

std::string HostOf(const std::string& url) {
  const absl::StatusOr<http::Url> parsed = http::Url::Parse(url);
  return parsed.ok() ? parsed->Authority() : "the server";
}

// What a response of `host` means for the credential. `kind` names what the server should be.
absl::Status CheckAnswer(const http::Response& response, const std::string& host, absl::string_view kind) {
  if (response.status == 401) {
    return absl::FailedPreconditionError(absl::StrCat("credential rejected by ", host, " (401)"));
  }
  if (response.status == 403) {
    return absl::FailedPreconditionError(absl::StrCat("access denied by ", host, " (403)"));
  }
  if (response.status == 429 || response.status >= 500) {
    return absl::UnavailableError(absl::StrCat(host, " answered ", response.status, "; try again later"));
  }
  if (response.status < 200 || response.status > 299) {
    return absl::FailedPreconditionError(
        absl::StrCat(host, " does not answer as ", kind, " (", response.status, "); check base_url"));
  }
  return absl::OkStatus();
}

// The caller of the token-registry is authenticated; it is the stored credential that was refused.
absl::Status AsPrecondition(const absl::Status& status) {
  if (absl::IsUnauthenticated(status) || absl::IsPermissionDenied(status)) {
    return absl::FailedPreconditionError(status.message());
  }
  return status;
}

// A text member of a JSON object, or "".
std::string Text(const json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

absl::Time ParseTimeOr(absl::string_view format, absl::string_view text, absl::Time otherwise) {
  absl::Time time;
  std::string error;
  return absl::ParseTime(format, text, absl::UTCTimeZone(), &time, &error) ? time : otherwise;
}

}  // namespace

absl::StatusOr<TokenFacts> HttpProviderClient::VerifyToken(const Connection& connection,
                                                           const crypto::SecretString& token) {
  switch (connection.provider) {
    case Provider::kGitHub:
      return VerifyGitHub(connection, token);
    case Provider::kGitLab:
      return VerifyGitLab(connection, token);
    case Provider::kGenericGit:
      return VerifyGenericGit(connection, token);
  }
  return absl::InternalError("unknown provider");
}

absl::StatusOr<http::Response> HttpProviderClient::Get(const std::string& url, http::Headers headers) {
  http::Request request;
  request.url = url;
  request.headers = std::move(headers);
  request.timeout = kTimeout;
  return client_.Send(request);
}

absl::StatusOr<TokenFacts> HttpProviderClient::VerifyGitHub(const Connection& connection,
                                                            const crypto::SecretString& token) {
  const std::string api = connection.base_url == "https://github.com" ? std::string("https://api.github.com")
                                                                      : absl::StrCat(connection.base_url, "/api/v3");
  DAVIT_ASSIGN_OR_RETURN(const http::Response response,
                         Get(api + "/user", {{"Authorization", http::BearerAuthorization(token.Reveal())},
                                             {"Accept", "application/vnd.github+json"},
                                             {"X-GitHub-Api-Version", "2022-11-28"}}));
  DAVIT_RETURN_IF_ERROR(CheckAnswer(response, HostOf(api), "GitHub's API"));
  TokenFacts facts;
  facts.account = Text(json::parse(response.body, nullptr, false), "login");
  if (const auto scopes = response.headers.Get("X-OAuth-Scopes")) {
    facts.scopes = absl::StrSplit(*scopes, absl::ByAnyChar(", "), absl::SkipEmpty());
  }
  if (const auto end = response.headers.Get("GitHub-Authentication-Token-Expiration")) {
    facts.expire_time = ParseTimeOr("%Y-%m-%d %H:%M:%S", absl::StripSuffix(*end, " UTC"), absl::InfiniteFuture());
  }
  return facts;
}

absl::StatusOr<TokenFacts> HttpProviderClient::VerifyGitLab(const Connection& connection,
                                                            const crypto::SecretString& token) {
  const std::string api = absl::StrCat(connection.base_url, "/api/v4");
  const http::Headers headers = {{"PRIVATE-TOKEN", token.Reveal()}, {"Accept", "application/json"}};
  DAVIT_ASSIGN_OR_RETURN(const http::Response user, Get(api + "/user", headers));
  const json user_body = json::parse(user.body, nullptr, false);
  TokenFacts facts;
  // A token that may only read repositories is valid, but may not ask who it is.
  if (user.status != 403 || Text(user_body, "error") != "insufficient_scope") {
    DAVIT_RETURN_IF_ERROR(CheckAnswer(user, HostOf(api), "GitLab's API"));
    facts.account = Text(user_body, "username");
  }
  DAVIT_ASSIGN_OR_RETURN(const http::Response self, Get(api + "/personal_access_tokens/self", headers));
  if (self.status != 200) return facts;  // OAuth tokens and older servers do not tell.
  const json body = json::parse(self.body, nullptr, false);
  if (body.is_object() && body.contains("scopes") && body["scopes"].is_array()) {
    for (const json& scope : body["scopes"]) {
      if (scope.is_string()) facts.scopes.push_back(scope.get<std::string>());
    }
  }
  facts.expire_time = ParseTimeOr("%Y-%m-%d", Text(body, "expires_at"), absl::InfiniteFuture());
  return facts;
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
  DAVIT_ASSIGN_OR_RETURN(
      const http::Response response,
      Get(connection.base_url, {{"Authorization", http::BasicAuthorization(connection.username, token.Reveal())}}));
  // Whatever else a server shows at its root, it must not refuse the credential.
  if (response.status == 401 || response.status == 403 || response.status == 429 || response.status >= 500) {
    return CheckAnswer(response, HostOf(connection.base_url), "a git server");
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

}  // namespace davit::token_registry
