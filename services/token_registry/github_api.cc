// Implements github_api.h.
#include "services/token_registry/github_api.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "libs/http/url.h"
#include "libs/status/status_macros.h"
#include "services/token_registry/provider_json.h"

namespace davit::token_registry {
namespace {

using nlohmann::json;

constexpr size_t kMaxDescription = 140;
constexpr size_t kMaxContext = 255;
constexpr int kMaxHookPages = 20;  // Of 100 hooks each; no server lets a repository have so many.
// GitHub names so many files of a comparison at most, all with its first page.
constexpr size_t kMaxComparedFiles = 300;
// A search may name so many organizations; GitHub cuts queries at 256 characters.
constexpr size_t kMaxSearchLength = 256;

const char* StateWord(CommitState state) {
  switch (state) {
    case CommitState::kPending:
    case CommitState::kRunning:
      return "pending";
    case CommitState::kSuccess:
      return "success";
    case CommitState::kFailure:
      return "failure";
    case CommitState::kError:
    case CommitState::kCancelled:
      return "error";
  }
  return "error";
}

// GitHub knows repositories as owner/name only.
absl::Status CheckTwoNames(const std::string& repository) {
  if (std::count(repository.begin(), repository.end(), '/') == 1) return absl::OkStatus();
  return absl::InvalidArgumentError("repository: must be owner/name");
}

bool HasNextPage(const http::Response& response) {
  return absl::StrContains(response.headers.Get("Link").value_or(""), "rel=\"next\"");
}

std::string PageQuery(const ProviderPage& page) { return absl::StrCat("per_page=", page.size, "&page=", page.number); }

RemoteRepository ReadRepository(const json& item) {
  return {Text(item, "full_name"), Text(item, "default_branch"), Flag(item, "private"), Flag(item, "archived"),
          Text(item, "html_url")};
}

// "2026-01-31 10:20:30 UTC" or with an offset: "… +0200".
absl::Time ReadExpiry(const std::string& text) {
  absl::Time time;
  std::string error;
  if (absl::ParseTime("%Y-%m-%d %H:%M:%S UTC", text, absl::UTCTimeZone(), &time, &error)) return time;
  if (absl::ParseTime("%Y-%m-%d %H:%M:%S %z", text, absl::UTCTimeZone(), &time, &error)) return time;
  return absl::InfiniteFuture();
}

// What a classic token lacks. `repo` includes commit statuses and the hooks of repositories.
std::vector<std::string> MissingScopes(const std::vector<std::string>& scopes) {
  const auto has = [&](absl::string_view scope) {
    return std::find(scopes.begin(), scopes.end(), scope) != scopes.end();
  };
  std::vector<std::string> missing;
  if (!has("repo")) {
    missing.emplace_back(has("repo:status") ? "repo: reading private repositories"
                                            : "repo: reading private repositories and marking commits");
  }
  if (!has("admin:repo_hook") && !has("write:repo_hook") && !has("repo")) {
    missing.emplace_back("admin:repo_hook: installing webhooks");
  }
  if (!has("read:org") && !has("write:org") && !has("admin:org")) {
    missing.emplace_back("read:org: listing organizations");
  }
  return missing;
}

json HookBody(const HookSpec& hook) {
  return {{"active", true},
          {"events", {"push"}},
          {"config",
           {{"url", hook.url}, {"content_type", "json"}, {"insecure_ssl", "0"}, {"secret", hook.secret.Reveal()}}}};
}

// Whether the hook is as HookBody describes it, its secret aside, which is never shown.
bool IsAsWanted(const json& found, const HookSpec& hook) {
  const json config = Member(found, "config");
  return Flag(found, "active") && Member(found, "events") == json({"push"}) && Text(config, "url") == hook.url &&
         Text(config, "content_type") == "json" && IdText(config, "insecure_ssl") == "0" &&
         !Text(config, "secret").empty();
}

}  // namespace

std::string GitHubApiUrl(const std::string& base_url) {
  return base_url == "https://github.com" ? "https://api.github.com" : absl::StrCat(base_url, "/api/v3");
}

absl::StatusOr<http::Response> GitHubApi::Call(const Connection& connection, const crypto::SecretString& token,
                                               const std::string& method, const std::string& path,
                                               const std::string& body) {
  ApiCall call;
  call.method = method;
  call.url = absl::StrCat(GitHubApiUrl(connection.base_url), path);
  call.headers = {{"Authorization", http::BearerAuthorization(token.Reveal())},
                  {"Accept", "application/vnd.github+json"},
                  {"X-GitHub-Api-Version", "2022-11-28"}};
  call.body = body;
  return http_.Send(call);
}

absl::StatusOr<TokenFacts> GitHubApi::VerifyToken(const Connection& connection, const crypto::SecretString& token) {
  DAVIT_ASSIGN_OR_RETURN(const http::Response response, Call(connection, token, "GET", "/user"));
  if (response.status == 404 || (response.status >= 300 && response.status < 400)) {
    return absl::FailedPreconditionError(
        absl::StrCat(HostOf(response.url), " does not answer as GitHub's API (", response.status, "); check base_url"));
  }
  DAVIT_RETURN_IF_ERROR(http_.Check(response, "the token's account"));
  TokenFacts facts;
  facts.account = Text(ParseJson(response.body), "login");
  // Only classic tokens have scopes; the header is absent for fine-grained ones.
  if (const auto scopes = response.headers.Get("X-OAuth-Scopes")) {
    facts.scopes = absl::StrSplit(*scopes, absl::ByAnyChar(", "), absl::SkipEmpty());
    facts.missing_scopes = MissingScopes(facts.scopes);
  }
  if (const auto end = response.headers.Get("GitHub-Authentication-Token-Expiration")) {
    facts.expire_time = ReadExpiry(*end);
  }
  return facts;
}

absl::StatusOr<StatusOutcome> GitHubApi::SetCommitStatus(const Connection& connection,
                                                         const crypto::SecretString& token,
                                                         const CommitStatus& status) {
  DAVIT_RETURN_IF_ERROR(CheckTwoNames(status.repository));
  json body = {{"state", StateWord(status.state)},
               {"context", OneLine(status.context, kMaxContext)},
               {"description", OneLine(status.description, kMaxDescription)}};
  if (!status.target_url.empty()) body["target_url"] = status.target_url;
  DAVIT_ASSIGN_OR_RETURN(const http::Response response,
                         Call(connection, token, "POST",
                              absl::StrCat("/repos/", status.repository, "/statuses/", status.commit), ToBody(body)));
  if (const auto wait = http_.LimitOf(response)) {
    return StatusOutcome{StatusOutcome::Kind::kLimited,
                         std::string(http_.Check(response, "the commit status").message()), *wait};
  }
  const absl::Status checked = http_.Check(response, "the commit");
  if (absl::IsUnavailable(checked)) return checked;
  if (!checked.ok()) return StatusOutcome{StatusOutcome::Kind::kRefused, std::string(checked.message())};
  return StatusOutcome{};
}

absl::StatusOr<std::string> GitHubApi::SearchQuery(const Connection& connection, const crypto::SecretString& token,
                                                   const RepositoryFilter& filter) {
  // Qualifiers of the caller's would look beyond what is theirs.
  std::string words = filter.query;
  for (char& c : words) {
    if (!absl::ascii_isalnum(c) && c != '-' && c != '_' && c != '.') c = ' ';
  }
  std::string query = absl::StrCat(absl::StripAsciiWhitespace(words), " in:name fork:true");
  if (!filter.organization.empty()) return absl::StrCat(query, " org:", filter.organization);
  if (!connection.account.empty()) absl::StrAppend(&query, " user:", connection.account);
  const auto organizations = ListOrganizations(connection, token, ProviderPage{1, 100});
  // A token that may not list them finds what is the account's own.
  if (absl::IsFailedPrecondition(organizations.status()) || absl::IsNotFound(organizations.status())) return query;
  if (!organizations.ok()) return organizations.status();
  for (const Organization& organization : organizations->items) {
    const std::string longer = absl::StrCat(query, " org:", organization.path);
    if (longer.size() > kMaxSearchLength) break;
    query = longer;
  }
  return query;
}

absl::StatusOr<Listed<RemoteRepository>> GitHubApi::ListRepositories(const Connection& connection,
                                                                     const crypto::SecretString& token,
                                                                     const RepositoryFilter& filter,
                                                                     const ProviderPage& page) {
  std::string path;
  if (!filter.query.empty()) {
    DAVIT_ASSIGN_OR_RETURN(const std::string query, SearchQuery(connection, token, filter));
    path = absl::StrCat("/search/repositories?q=", http::PercentEncode(query), "&", PageQuery(page));
  } else if (!filter.organization.empty()) {
    path = absl::StrCat("/orgs/", filter.organization, "/repos?sort=full_name&", PageQuery(page));
  } else {
    path = absl::StrCat("/user/repos?sort=full_name&", PageQuery(page));
  }
  DAVIT_ASSIGN_OR_RETURN(const http::Response response, Call(connection, token, "GET", path));
  DAVIT_RETURN_IF_ERROR(
      http_.Check(response, filter.organization.empty() ? "the list of repositories" : filter.organization));
  const json body = ParseJson(response.body);
  Listed<RemoteRepository> listed;
  for (const json& item : body.is_object() ? Member(body, "items") : body) {
    listed.items.push_back(ReadRepository(item));
  }
  listed.more = HasNextPage(response);
  return listed;
}

absl::StatusOr<Listed<Organization>> GitHubApi::ListOrganizations(const Connection& connection,
                                                                  const crypto::SecretString& token,
                                                                  const ProviderPage& page) {
  DAVIT_ASSIGN_OR_RETURN(const http::Response response,
                         Call(connection, token, "GET", absl::StrCat("/user/orgs?", PageQuery(page))));
  DAVIT_RETURN_IF_ERROR(http_.Check(response, "the list of organizations"));
  Listed<Organization> listed;
  for (const json& item : ParseJson(response.body)) {
    const std::string login = Text(item, "login");
    if (!login.empty()) listed.items.push_back({login, login});
  }
  listed.more = HasNextPage(response);
  return listed;
}

// Adds what changed on the second side since both sides parted; returns how the second stands to the first.
absl::StatusOr<std::string> GitHubApi::AddChangedPaths(const Connection& connection, const crypto::SecretString& token,
                                                       const std::string& comparison, std::set<std::string>& paths,
                                                       std::string& incomplete) {
  // Pages are of commits, which are not asked for.
  const absl::StatusOr<http::Response> response =
      Call(connection, token, "GET", absl::StrCat(comparison, "?per_page=1&page=1"));
  if (absl::IsResourceExhausted(response.status())) {
    incomplete = absl::StrCat("the comparison is too large: ", response.status().message());
    return "too large";
  }
  if (!response.ok()) return response.status();
  DAVIT_RETURN_IF_ERROR(http_.Check(*response, "a commit of the comparison"));
  const json body = ParseJson(response->body);
  const json files = Member(body, "files");
  for (const json& file : files) {
    for (const char* name : {"filename", "previous_filename"}) {
      if (std::string path = Text(file, name); !path.empty()) paths.insert(std::move(path));
    }
  }
  if (!files.is_array() || files.size() >= kMaxComparedFiles) {
    incomplete = absl::StrCat("GitHub names at most ", kMaxComparedFiles, " files of a comparison");
  }
  return Text(body, "status");
}

absl::StatusOr<ChangedPaths> GitHubApi::ListChangedPaths(const Connection& connection,
                                                         const crypto::SecretString& token,
                                                         const std::string& repository, const std::string& before,
                                                         const std::string& after) {
  DAVIT_RETURN_IF_ERROR(CheckTwoNames(repository));
  const std::string compare = absl::StrCat("/repos/", repository, "/compare/");
  std::set<std::string> paths;
  ChangedPaths changed;
  DAVIT_ASSIGN_OR_RETURN(
      const std::string status,
      AddChangedPaths(connection, token, absl::StrCat(compare, before, "...", after), paths, changed.incomplete));
  // GitHub compares with the commit where both sides parted. What the push took away from the first side shows the
  // other way round; together they hold all that differs.
  if (changed.incomplete.empty() && status != "ahead" && status != "identical") {
    DAVIT_RETURN_IF_ERROR(
        AddChangedPaths(connection, token, absl::StrCat(compare, after, "...", before), paths, changed.incomplete)
            .status());
  }
  changed.paths.assign(paths.begin(), paths.end());
  return changed;
}

absl::StatusOr<http::Response> GitHubApi::FindHook(const Connection& connection, const crypto::SecretString& token,
                                                   const HookSpec& hook) {
  const std::string hooks = absl::StrCat("/repos/", hook.repository, "/hooks");
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
      if (Text(Member(item, "config"), "url") != hook.url) continue;
      list.body = ToBody(item);
      return list;
    }
    if (!HasNextPage(list)) break;
  }
  http::Response none;
  none.status = 404;
  return none;
}

absl::StatusOr<InstalledHook> GitHubApi::EnsureHook(const Connection& connection, const crypto::SecretString& token,
                                                    const HookSpec& hook) {
  DAVIT_RETURN_IF_ERROR(CheckTwoNames(hook.repository));
  const std::string hooks = absl::StrCat("/repos/", hook.repository, "/hooks");
  DAVIT_ASSIGN_OR_RETURN(const http::Response found, FindHook(connection, token, hook));
  json body = HookBody(hook);
  if (found.status == 404) {
    body["name"] = "web";
    DAVIT_ASSIGN_OR_RETURN(const http::Response made, Call(connection, token, "POST", hooks, ToBody(body)));
    DAVIT_RETURN_IF_ERROR(http_.Check(made, absl::StrCat("a webhook of ", hook.repository)));
    return InstalledHook{IdText(ParseJson(made.body), "id"), HookChange::kInstalled};
  }
  DAVIT_RETURN_IF_ERROR(http_.Check(found, hook.repository));
  const json existing = ParseJson(found.body);
  const std::string id = IdText(existing, "id");
  DAVIT_ASSIGN_OR_RETURN(const http::Response changed,
                         Call(connection, token, "PATCH", absl::StrCat(hooks, "/", id), ToBody(body)));
  DAVIT_RETURN_IF_ERROR(http_.Check(changed, absl::StrCat("the webhook of ", hook.repository)));
  return InstalledHook{id, IsAsWanted(existing, hook) ? HookChange::kNone : HookChange::kRepaired};
}

absl::Status GitHubApi::RemoveHook(const Connection& connection, const crypto::SecretString& token,
                                   const std::string& repository, const std::string& hook_id) {
  DAVIT_RETURN_IF_ERROR(CheckTwoNames(repository));
  DAVIT_ASSIGN_OR_RETURN(
      const http::Response response,
      Call(connection, token, "DELETE", absl::StrCat("/repos/", repository, "/hooks/", http::PercentEncode(hook_id))));
  return response.status == 404 ? absl::OkStatus() : http_.Check(response, "the webhook");
}

}  // namespace davit::token_registry
