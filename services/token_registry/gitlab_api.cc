// Implements gitlab_api.h.
#include "services/token_registry/gitlab_api.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "libs/http/url.h"
#include "libs/status/status_macros.h"
#include "services/token_registry/provider_json.h"

namespace davit::token_registry {
namespace {

using nlohmann::json;

constexpr size_t kMaxDescription = 140;
constexpr int kMaxHookPages = 20;  // Of 100 hooks each; no server lets a repository have so many.
// A server that lists more has set its bound higher; one with a lower bound says so by compare_timeout.
constexpr size_t kMaxComparedFiles = 1000;
constexpr size_t kMaxText = 255;  // GitLab's own bound of ref, name and target_url.

const char* StateWord(CommitState state) {
  switch (state) {
    case CommitState::kPending:
      return "pending";
    case CommitState::kRunning:
      return "running";
    case CommitState::kSuccess:
      return "success";
    case CommitState::kFailure:
    case CommitState::kError:
      return "failed";
    case CommitState::kCancelled:
      return "canceled";
  }
  return "failed";
}

// Projects are named by their path, encoded into one segment.
std::string ProjectPath(const std::string& repository) {
  return absl::StrCat("/projects/", http::PercentEncode(repository));
}

std::string ShortRef(absl::string_view ref) {
  if (!absl::ConsumePrefix(&ref, "refs/heads/")) absl::ConsumePrefix(&ref, "refs/tags/");
  return std::string(ref);
}

bool HasNextPage(const http::Response& response) {
  return !response.headers.Get("X-Next-Page").value_or("").empty() ||
         absl::StrContains(response.headers.Get("Link").value_or(""), "rel=\"next\"");
}

std::string PageQuery(const ProviderPage& page) { return absl::StrCat("per_page=", page.size, "&page=", page.number); }

std::vector<std::string> MissingScopes(const std::vector<std::string>& scopes) {
  const auto has = [&](absl::string_view scope) {
    return std::find(scopes.begin(), scopes.end(), scope) != scopes.end();
  };
  std::vector<std::string> missing;
  if (has("api")) return missing;
  missing.emplace_back(has("read_api") ? "api: marking commits and installing webhooks"
                                       : "api: listing repositories, marking commits and installing webhooks");
  if (!has("read_repository") && !has("write_repository")) missing.emplace_back("read_repository: fetching commits");
  return missing;
}

json HookBody(const HookSpec& hook) {
  return {{"url", hook.url},
          {"token", hook.secret.Reveal()},
          {"push_events", true},
          {"tag_push_events", true},
          {"enable_ssl_verification", absl::StartsWith(hook.url, "https:")}};
}

// Whether the hook is as HookBody describes it, its token aside, which is never shown.
bool IsAsWanted(const json& found, const HookSpec& hook) {
  return Text(found, "url") == hook.url && Flag(found, "push_events") && Flag(found, "tag_push_events") &&
         Flag(found, "enable_ssl_verification") == absl::StartsWith(hook.url, "https:") &&
         Text(found, "push_events_branch_filter").empty();
}

}  // namespace

absl::StatusOr<http::Response> GitLabApi::Call(const Connection& connection, const crypto::SecretString& token,
                                               const std::string& method, const std::string& path,
                                               const std::string& body) {
  ApiCall call;
  call.method = method;
  call.url = absl::StrCat(connection.base_url, "/api/v4", path);
  call.headers = {{"Accept", "application/json"}};
  // Only copied tokens may go into PRIVATE-TOKEN.
  if (connection.credential_kind == Connection::CredentialKind::kOAuth) {
    call.headers.Add("Authorization", http::BearerAuthorization(token.Reveal()));
  } else {
    call.headers.Add("PRIVATE-TOKEN", token.Reveal());
  }
  call.body = body;
  return http_.Send(call);
}

absl::StatusOr<http::Response> GitLabApi::TokenInfo(const Connection& connection, const crypto::SecretString& token) {
  ApiCall call;
  call.url = absl::StrCat(connection.base_url, "/oauth/token/info");
  call.headers = {{"Accept", "application/json"}, {"Authorization", http::BearerAuthorization(token.Reveal())}};
  return http_.Send(call);
}

absl::StatusOr<TokenFacts> GitLabApi::VerifyToken(const Connection& connection, const crypto::SecretString& token) {
  DAVIT_ASSIGN_OR_RETURN(const http::Response user, Call(connection, token, "GET", "/user"));
  const json user_body = ParseJson(user.body);
  TokenFacts facts;
  // A token that may only read repositories is valid, but may not ask who it is.
  if (user.status != 403 || Text(user_body, "error") != "insufficient_scope") {
    if (user.status == 404 || (user.status >= 300 && user.status < 400)) {
      return absl::FailedPreconditionError(
          absl::StrCat(HostOf(user.url), " does not answer as GitLab's API (", user.status, "); check base_url"));
    }
    DAVIT_RETURN_IF_ERROR(http_.Check(user, "the token's account"));
    facts.account = Text(user_body, "username");
  }
  const bool oauth = connection.credential_kind == Connection::CredentialKind::kOAuth;
  DAVIT_ASSIGN_OR_RETURN(
      const http::Response self,
      oauth ? TokenInfo(connection, token) : Call(connection, token, "GET", "/personal_access_tokens/self"));
  if (self.status != 200) return facts;  // Older servers do not tell.
  const json body = ParseJson(self.body);
  for (const json& scope : Member(body, oauth ? "scope" : "scopes")) {
    if (scope.is_string()) facts.scopes.push_back(scope.get<std::string>());
  }
  facts.missing_scopes = MissingScopes(facts.scopes);
  absl::Time end;
  std::string error;
  // It ends as that day begins.
  if (absl::ParseTime("%Y-%m-%d", Text(body, "expires_at"), absl::UTCTimeZone(), &end, &error)) facts.expire_time = end;
  return facts;
}

absl::StatusOr<StatusOutcome> GitLabApi::SetCommitStatus(const Connection& connection,
                                                         const crypto::SecretString& token,
                                                         const CommitStatus& status) {
  json body = {{"state", StateWord(status.state)},
               {"name", OneLine(status.context, kMaxText)},
               {"description", OneLine(status.description, kMaxDescription)}};
  if (!status.ref.empty()) body["ref"] = ShortRef(status.ref);
  // A longer one would be refused, and the state with it.
  if (!status.target_url.empty() && status.target_url.size() <= kMaxText) body["target_url"] = status.target_url;
  DAVIT_ASSIGN_OR_RETURN(const http::Response response,
                         Call(connection, token, "POST",
                              absl::StrCat(ProjectPath(status.repository), "/statuses/", status.commit), ToBody(body)));
  if (const auto wait = http_.LimitOf(response)) {
    return StatusOutcome{StatusOutcome::Kind::kLimited,
                         std::string(http_.Check(response, "the commit status").message()), *wait};
  }
  // GitLab's states form a machine: what is there already, or comes before it, is refused with these words.
  if (response.status == 400 && absl::StrContains(response.body, "Cannot transition status")) return StatusOutcome{};
  const absl::Status checked = http_.Check(response, "the commit");
  if (absl::IsUnavailable(checked)) return checked;
  if (!checked.ok()) return StatusOutcome{StatusOutcome::Kind::kRefused, std::string(checked.message())};
  return StatusOutcome{};
}

absl::StatusOr<Listed<RemoteRepository>> GitLabApi::ListRepositories(const Connection& connection,
                                                                     const crypto::SecretString& token,
                                                                     const RepositoryFilter& filter,
                                                                     const ProviderPage& page) {
  std::string path = filter.organization.empty() ? std::string("/projects?membership=true")
                                                 : absl::StrCat("/groups/", http::PercentEncode(filter.organization),
                                                                "/projects?include_subgroups=true");
  absl::StrAppend(&path, "&order_by=path&sort=asc&", PageQuery(page));
  if (!filter.query.empty()) absl::StrAppend(&path, "&search=", http::PercentEncode(filter.query));
  DAVIT_ASSIGN_OR_RETURN(const http::Response response, Call(connection, token, "GET", path));
  DAVIT_RETURN_IF_ERROR(
      http_.Check(response, filter.organization.empty() ? "the list of repositories" : filter.organization));
  Listed<RemoteRepository> listed;
  for (const json& item : ParseJson(response.body)) {
    listed.items.push_back({Text(item, "path_with_namespace"), Text(item, "default_branch"),
                            Text(item, "visibility") != "public", Flag(item, "archived"), Text(item, "web_url")});
  }
  listed.more = HasNextPage(response);
  return listed;
}

absl::StatusOr<Listed<Organization>> GitLabApi::ListOrganizations(const Connection& connection,
                                                                  const crypto::SecretString& token,
                                                                  const ProviderPage& page) {
  // 10 = guest: every group that the account is a member of.
  DAVIT_ASSIGN_OR_RETURN(const http::Response response,
                         Call(connection, token, "GET", absl::StrCat("/groups?min_access_level=10&", PageQuery(page))));
  DAVIT_RETURN_IF_ERROR(http_.Check(response, "the list of groups"));
  Listed<Organization> listed;
  for (const json& item : ParseJson(response.body)) {
    listed.items.push_back({Text(item, "full_path"), Text(item, "name")});
  }
  listed.more = HasNextPage(response);
  return listed;
}

absl::StatusOr<ChangedPaths> GitLabApi::ListChangedPaths(const Connection& connection,
                                                         const crypto::SecretString& token,
                                                         const std::string& repository, const std::string& before,
                                                         const std::string& after) {
  // Straight: the two commits themselves, not since they parted.
  const absl::StatusOr<http::Response> response =
      Call(connection, token, "GET",
           absl::StrCat(ProjectPath(repository), "/repository/compare?from=", before, "&to=", after, "&straight=true"));
  ChangedPaths changed;
  if (absl::IsResourceExhausted(response.status())) {
    changed.incomplete = absl::StrCat("the comparison is too large: ", response.status().message());
    return changed;
  }
  if (!response.ok()) return response.status();
  DAVIT_RETURN_IF_ERROR(http_.Check(*response, "a commit of the comparison"));
  const json body = ParseJson(response->body);
  const json diffs = Member(body, "diffs");
  std::set<std::string> paths;
  for (const json& diff : diffs) {
    for (const char* name : {"old_path", "new_path"}) {
      if (std::string path = Text(diff, name); !path.empty()) paths.insert(std::move(path));
    }
  }
  if (!diffs.is_array() || Flag(body, "compare_timeout") || diffs.size() >= kMaxComparedFiles) {
    changed.incomplete = "GitLab cut the comparison short";
  }
  changed.paths.assign(paths.begin(), paths.end());
  return changed;
}

absl::StatusOr<http::Response> GitLabApi::FindHook(const Connection& connection, const crypto::SecretString& token,
                                                   const HookSpec& hook) {
  const std::string hooks = absl::StrCat(ProjectPath(hook.repository), "/hooks");
  if (!hook.known_id.empty()) {
    DAVIT_ASSIGN_OR_RETURN(http::Response known,
                           Call(connection, token, "GET", absl::StrCat(hooks, "/", hook.known_id)));
    if (known.status != 404) return known;
  }
  // One of an earlier call whose answer was lost is known by its address.
  for (int number = 1; number <= kMaxHookPages; ++number) {
    DAVIT_ASSIGN_OR_RETURN(http::Response list, Call(connection, token, "GET",
                                                     absl::StrCat(hooks, "?", PageQuery(ProviderPage{number, 100}))));
    DAVIT_RETURN_IF_ERROR(http_.Check(list, hook.repository));
    for (const json& item : ParseJson(list.body)) {
      if (Text(item, "url") != hook.url) continue;
      list.body = ToBody(item);
      return list;
    }
    if (!HasNextPage(list)) break;
  }
  http::Response none;
  none.status = 404;
  return none;
}

absl::StatusOr<InstalledHook> GitLabApi::EnsureHook(const Connection& connection, const crypto::SecretString& token,
                                                    const HookSpec& hook) {
  const std::string hooks = absl::StrCat(ProjectPath(hook.repository), "/hooks");
  DAVIT_ASSIGN_OR_RETURN(const http::Response found, FindHook(connection, token, hook));
  json body = HookBody(hook);
  if (found.status == 404) {
    DAVIT_ASSIGN_OR_RETURN(const http::Response made, Call(connection, token, "POST", hooks, ToBody(body)));
    DAVIT_RETURN_IF_ERROR(http_.Check(made, absl::StrCat("a webhook of ", hook.repository)));
    return InstalledHook{IdText(ParseJson(made.body), "id"), HookChange::kInstalled};
  }
  DAVIT_RETURN_IF_ERROR(http_.Check(found, hook.repository));
  const json existing = ParseJson(found.body);
  const std::string id = IdText(existing, "id");
  body["push_events_branch_filter"] = "";
  DAVIT_ASSIGN_OR_RETURN(const http::Response changed,
                         Call(connection, token, "PUT", absl::StrCat(hooks, "/", id), ToBody(body)));
  DAVIT_RETURN_IF_ERROR(http_.Check(changed, absl::StrCat("the webhook of ", hook.repository)));
  return InstalledHook{id, IsAsWanted(existing, hook) ? HookChange::kNone : HookChange::kRepaired};
}

absl::Status GitLabApi::RemoveHook(const Connection& connection, const crypto::SecretString& token,
                                   const std::string& repository, const std::string& hook_id) {
  DAVIT_ASSIGN_OR_RETURN(const http::Response response,
                         Call(connection, token, "DELETE",
                              absl::StrCat(ProjectPath(repository), "/hooks/", http::PercentEncode(hook_id))));
  return response.status == 404 ? absl::OkStatus() : http_.Check(response, "the webhook");
}

}  // namespace davit::token_registry
