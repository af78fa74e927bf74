// The commands of the token-registry: connect, registry-credential, webhook, tokens, whoami. Each runs on the main
// thread.
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "davit/registry/v1/identity.grpc.pb.h"
#include "davit/registry/v1/token_registry.grpc.pb.h"
#include "libs/status/status_macros.h"
#include "services/cli/command.h"
#include "services/cli/oauth_login.h"
#include "services/cli/output.h"
#include "services/cli/session.h"

namespace davit::cli {
namespace {

namespace v1 = ::davit::registry::v1;
using Registry = v1::TokenRegistry::Stub;
using Identity = v1::IdentityService::Stub;

std::unique_ptr<Registry> NewRegistry(Session& session) {
  return v1::TokenRegistry::NewStub(session.channel(Api::kTokenRegistry));
}

std::unique_ptr<Identity> NewIdentity(Session& session) {
  return v1::IdentityService::NewStub(session.channel(Api::kTokenRegistry));
}

std::string StateText(v1::Connection::State state) { return EnumText(v1::Connection::State_Name(state), "STATE_"); }

std::string ProviderText(v1::Provider provider) {
  return provider == v1::PROVIDER_GENERIC_GIT ? "git" : EnumText(v1::Provider_Name(provider), "PROVIDER_");
}

std::string ConnectionText(const v1::Connection& connection) {
  return ToFields(
      {{"id", connection.id()},
       {"name", connection.display_name()},
       {"project", connection.project()},
       {"provider", ProviderText(connection.provider())},
       {"url", connection.base_url()},
       {"username", connection.username()},
       {"token", EnumText(v1::Connection::CredentialKind_Name(connection.credential_kind()), "CREDENTIAL_KIND_")},
       {"state", StateText(connection.state())},
       {"reason", connection.state_reason()},
       {"account", connection.account()},
       {"scopes", absl::StrJoin(connection.scopes(), ", ")},
       {"missing scopes", absl::StrJoin(connection.missing_scopes(), "; ")},
       {"verified", TimeText(connection.verify_time())},
       {"token expires", TimeText(connection.token_expire_time())},
       {"created", TimeText(connection.create_time())}});
}

absl::StatusOr<v1::Provider> ReadProvider(const Arguments& arguments) {
  DAVIT_RETURN_IF_ERROR(arguments.Require("provider"));
  const std::string name = arguments.Get("provider");
  if (name == "github") return v1::PROVIDER_GITHUB;
  if (name == "gitlab") return v1::PROVIDER_GITLAB;
  if (name == "git") return v1::PROVIDER_GENERIC_GIT;
  return UsageError(absl::StrCat("option --provider is github, gitlab or git, not \"", name, "\""));
}

absl::Status CheckOAuthOptions(const Arguments& arguments) {
  if (arguments.Has("browser") && !arguments.Has("oauth")) return UsageError("option --browser needs --oauth");
  for (const char* option : {"token-file", "username", "probe-repository"}) {
    if (arguments.Has("oauth") && arguments.Has(option)) {
      return UsageError(absl::StrCat("option --", option, " does not go with --oauth"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<int> ShowAuthorized(Session& session, v1::BeginOAuthRequest request) {
  DAVIT_ASSIGN_OR_RETURN(const v1::Connection connection, Authorize(session, std::move(request)));
  return session.Show(connection, ConnectionText(connection));
}

absl::StatusOr<int> ConnectCreate(Session& session) {
  const Arguments& arguments = session.arguments();
  DAVIT_RETURN_IF_ERROR(CheckOAuthOptions(arguments));
  v1::CreateConnectionRequest request;
  request.set_project(session.project());
  v1::Connection& connection = *request.mutable_connection();
  DAVIT_RETURN_IF_ERROR(arguments.Require("name"));
  DAVIT_ASSIGN_OR_RETURN(const v1::Provider provider, ReadProvider(arguments));
  connection.set_display_name(arguments.Get("name"));
  connection.set_provider(provider);
  connection.set_base_url(arguments.Get("base-url"));
  connection.set_username(arguments.Get("username"));
  connection.set_probe_repository(arguments.Get("probe-repository"));
  if (arguments.Has("oauth")) {
    v1::BeginOAuthRequest authorization;
    *authorization.mutable_connection() = connection;
    return ShowAuthorized(session, std::move(authorization));
  }
  DAVIT_ASSIGN_OR_RETURN(const crypto::SecretString token, session.ReadSecret("token-file", "Access token: "));
  request.set_token(token.Reveal());
  const auto stub = NewRegistry(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::CreateConnectionResponse response,
                         session.Call(*stub, &Registry::CreateConnection, request));
  return session.Show(response.connection(), ConnectionText(response.connection()));
}

absl::StatusOr<int> ConnectUpdate(Session& session) {
  const Arguments& arguments = session.arguments();
  v1::UpdateConnectionRequest request;
  request.set_project(session.project());
  v1::Connection& connection = *request.mutable_connection();
  connection.set_id(arguments.positionals()[0]);
  const auto field = [&](const char* option, const char* path, std::string* to) {
    if (!arguments.Has(option)) return;
    *to = arguments.Get(option);
    request.mutable_update_mask()->add_paths(path);
  };
  field("name", "display_name", connection.mutable_display_name());
  field("username", "username", connection.mutable_username());
  field("probe-repository", "probe_repository", connection.mutable_probe_repository());
  if (request.update_mask().paths().empty()) {
    return UsageError(
        "nothing to change: give --name, --username or --probe-repository; \"davit connect rotate\" replaces the "
        "token");
  }
  const auto stub = NewRegistry(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::UpdateConnectionResponse response,
                         session.Call(*stub, &Registry::UpdateConnection, request));
  return session.Show(response.connection(), ConnectionText(response.connection()));
}

absl::StatusOr<int> ConnectRotate(Session& session) {
  DAVIT_RETURN_IF_ERROR(CheckOAuthOptions(session.arguments()));
  if (session.arguments().Has("oauth")) {
    v1::BeginOAuthRequest authorization;
    authorization.mutable_connection()->set_id(session.arguments().positionals()[0]);
    return ShowAuthorized(session, std::move(authorization));
  }
  v1::RotateConnectionTokenRequest request;
  request.set_project(session.project());
  request.set_id(session.arguments().positionals()[0]);
  request.set_username(session.arguments().Get("username"));
  DAVIT_ASSIGN_OR_RETURN(const crypto::SecretString token, session.ReadSecret("token-file", "New access token: "));
  request.set_token(token.Reveal());
  const auto stub = NewRegistry(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::RotateConnectionTokenResponse response,
                         session.Call(*stub, &Registry::RotateConnectionToken, request));
  return session.Show(response.connection(), ConnectionText(response.connection()));
}

absl::StatusOr<int> ConnectList(Session& session) {
  DAVIT_ASSIGN_OR_RETURN(const int64_t limit, session.arguments().GetNumber("limit", 50, 1));
  v1::ListConnectionsRequest request;
  request.set_project(session.project());
  const auto stub = NewRegistry(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::ListConnectionsResponse response,
                         ListAll(session, *stub, &Registry::ListConnections, request, limit,
                                 [](v1::ListConnectionsResponse& page) { return page.mutable_connections(); }));
  std::vector<std::vector<std::string>> rows;
  for (const v1::Connection& connection : response.connections()) {
    rows.push_back({connection.id(), connection.display_name(), ProviderText(connection.provider()),
                    connection.base_url(), StateText(connection.state()), connection.account()});
  }
  return session.Show(response, ToTable({"ID", "NAME", "PROVIDER", "URL", "STATE", "ACCOUNT"}, rows));
}

absl::StatusOr<int> ConnectVerify(Session& session) {
  v1::VerifyConnectionRequest request;
  request.set_project(session.project());
  request.set_id(session.arguments().positionals()[0]);
  const auto stub = NewRegistry(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::VerifyConnectionResponse response,
                         session.Call(*stub, &Registry::VerifyConnection, request));
  session.Show(response.connection(), ConnectionText(response.connection()));
  return response.connection().state() == v1::Connection::STATE_INVALID ? kExitServer : kExitOk;
}

absl::StatusOr<int> ConnectDelete(Session& session) {
  v1::DeleteConnectionRequest request;
  request.set_project(session.project());
  request.set_id(session.arguments().positionals()[0]);
  const auto stub = NewRegistry(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::DeleteConnectionResponse response,
                         session.Call(*stub, &Registry::DeleteConnection, request));
  std::string text = absl::StrCat("deleted ", request.id(), "\n");
  for (const auto& left : response.left_webhooks()) {
    absl::StrAppend(&text, "webhook ", left.provider_hook_id(), " of ", left.repository(),
                    " is still at the provider, remove it there: ", left.reason(), "\n");
  }
  return session.Show(response, text);
}

std::vector<std::vector<std::string>> CredentialRows(
    const google::protobuf::RepeatedPtrField<v1::RegistryCredential>& credentials) {
  std::vector<std::vector<std::string>> rows;
  for (const v1::RegistryCredential& credential : credentials) {
    rows.push_back({credential.id(), credential.display_name(), credential.registry(), credential.username(),
                    TimeText(credential.create_time())});
  }
  return rows;
}

absl::StatusOr<int> CredentialCreate(Session& session) {
  const Arguments& arguments = session.arguments();
  DAVIT_RETURN_IF_ERROR(arguments.Require("name"));
  DAVIT_RETURN_IF_ERROR(arguments.Require("registry"));
  v1::CreateRegistryCredentialRequest request;
  request.set_project(session.project());
  v1::RegistryCredential& credential = *request.mutable_registry_credential();
  credential.set_display_name(arguments.Get("name"));
  credential.set_registry(arguments.Get("registry"));
  credential.set_username(arguments.Get("username"));
  if (!credential.username().empty()) {
    DAVIT_ASSIGN_OR_RETURN(const crypto::SecretString password, session.ReadSecret("password-file", "Password: "));
    request.set_password(password.Reveal());
  }
  const auto stub = NewRegistry(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::CreateRegistryCredentialResponse response,
                         session.Call(*stub, &Registry::CreateRegistryCredential, request));
  const v1::RegistryCredential& made = response.registry_credential();
  return session.Show(made, ToFields({{"id", made.id()},
                                      {"name", made.display_name()},
                                      {"project", made.project()},
                                      {"registry", made.registry()},
                                      {"username", made.username()}}));
}

absl::StatusOr<int> CredentialList(Session& session) {
  DAVIT_ASSIGN_OR_RETURN(const int64_t limit, session.arguments().GetNumber("limit", 50, 1));
  v1::ListRegistryCredentialsRequest request;
  request.set_project(session.project());
  const auto stub = NewRegistry(session);
  DAVIT_ASSIGN_OR_RETURN(
      const v1::ListRegistryCredentialsResponse response,
      ListAll(session, *stub, &Registry::ListRegistryCredentials, request, limit,
              [](v1::ListRegistryCredentialsResponse& page) { return page.mutable_registry_credentials(); }));
  return session.Show(response, ToTable({"ID", "NAME", "REGISTRY", "USERNAME", "CREATED"},
                                        CredentialRows(response.registry_credentials())));
}

absl::StatusOr<int> CredentialDelete(Session& session) {
  v1::DeleteRegistryCredentialRequest request;
  request.set_project(session.project());
  request.set_id(session.arguments().positionals()[0]);
  const auto stub = NewRegistry(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::DeleteRegistryCredentialResponse response,
                         session.Call(*stub, &Registry::DeleteRegistryCredential, request));
  return session.Show(response, absl::StrCat("deleted ", request.id(), "\n"));
}

absl::StatusOr<int> WebhookCreate(Session& session) {
  v1::CreateWebhookRequest request;
  request.set_project(session.project());
  request.set_connection_id(session.arguments().positionals()[0]);
  request.set_repository(session.arguments().Get("repository"));
  const auto stub = NewRegistry(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::CreateWebhookResponse response,
                         session.Call(*stub, &Registry::CreateWebhook, request));
  return session.Show(
      response, ToFields({{"id", response.webhook().id()},
                          {"connection", response.webhook().connection_id()},
                          {"repository", response.webhook().repository()},
                          {"path", response.path()},
                          {"secret", response.secret()}}) +
                    "The secret is shown this once. Give the provider the gateway's address with this path, and the "
                    "secret.\n");
}

absl::StatusOr<int> WebhookList(Session& session) {
  DAVIT_ASSIGN_OR_RETURN(const int64_t limit, session.arguments().GetNumber("limit", 50, 1));
  v1::ListWebhooksRequest request;
  request.set_project(session.project());
  request.set_connection_id(session.arguments().Get("connection"));
  const auto stub = NewRegistry(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::ListWebhooksResponse response,
                         ListAll(session, *stub, &Registry::ListWebhooks, request, limit,
                                 [](v1::ListWebhooksResponse& page) { return page.mutable_webhooks(); }));
  std::vector<std::vector<std::string>> rows;
  for (const v1::Webhook& webhook : response.webhooks()) {
    rows.push_back({webhook.id(), webhook.connection_id(), ProviderText(webhook.provider()), webhook.repository(),
                    TimeText(webhook.create_time())});
  }
  return session.Show(response, ToTable({"ID", "CONNECTION", "PROVIDER", "REPOSITORY", "CREATED"}, rows));
}

absl::StatusOr<int> WebhookDelete(Session& session) {
  v1::DeleteWebhookRequest request;
  request.set_project(session.project());
  request.set_id(session.arguments().positionals()[0]);
  const auto stub = NewRegistry(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::DeleteWebhookResponse response,
                         session.Call(*stub, &Registry::DeleteWebhook, request));
  return session.Show(response, absl::StrCat("deleted ", request.id(), "\n"));
}

const std::map<std::string, v1::Role>& Roles() {
  static const auto* const roles = new std::map<std::string, v1::Role>{
      {"viewer", v1::ROLE_VIEWER},   {"developer", v1::ROLE_DEVELOPER}, {"admin", v1::ROLE_ADMIN},
      {"agent", v1::ROLE_AGENT},     {"gateway", v1::ROLE_GATEWAY},     {"rule-engine", v1::ROLE_RULE_ENGINE},
      {"console", v1::ROLE_CONSOLE}, {"scheduler", v1::ROLE_SCHEDULER},
  };
  return *roles;
}

std::string RoleText(v1::Role role) { return EnumText(v1::Role_Name(role), "ROLE_"); }

std::string TokenState(const v1::ApiToken& token, absl::Time now) {
  if (token.has_revoke_time()) return "revoked";
  if (token.has_expire_time() && absl::FromUnixSeconds(token.expire_time().seconds()) <= now) return "expired";
  return "active";
}

std::string TokenText(const v1::ApiToken& token) {
  return ToFields({{"id", token.id()},
                   {"name", token.display_name()},
                   {"project", token.project()},
                   {"role", RoleText(token.role())},
                   {"created", TimeText(token.create_time())},
                   {"expires", TimeText(token.expire_time())},
                   {"revoked", TimeText(token.revoke_time())}});
}

absl::StatusOr<int> TokensCreate(Session& session) {
  const Arguments& arguments = session.arguments();
  DAVIT_RETURN_IF_ERROR(arguments.Require("name"));
  DAVIT_RETURN_IF_ERROR(arguments.Require("role"));
  const auto role = Roles().find(arguments.Get("role"));
  if (role == Roles().end()) {
    return UsageError(
        absl::StrCat("option --role is viewer, developer, admin, agent, gateway, rule-engine, scheduler or "
                     "console, not \"",
                     arguments.Get("role"), "\""));
  }
  v1::CreateApiTokenRequest request;
  request.set_project(arguments.Has("all-projects") ? "*" : session.project());
  request.set_display_name(arguments.Get("name"));
  request.set_role(role->second);
  DAVIT_ASSIGN_OR_RETURN(const absl::Duration lifetime, arguments.GetDuration("expires-in"));
  if (lifetime > absl::ZeroDuration()) {
    request.mutable_expire_time()->set_seconds(absl::ToUnixSeconds(session.environment().clock.Now() + lifetime));
  }
  const auto stub = NewIdentity(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::CreateApiTokenResponse response,
                         session.Call(*stub, &Identity::CreateApiToken, request));
  return session.Show(response, absl::StrCat(TokenText(response.api_token()), ToFields({{"token", response.token()}}),
                                             "The token is shown this once.\n"));
}

absl::StatusOr<int> TokensList(Session& session) {
  DAVIT_ASSIGN_OR_RETURN(const int64_t limit, session.arguments().GetNumber("limit", 50, 1));
  v1::ListApiTokensRequest request;
  request.set_project(session.project());
  const auto stub = NewIdentity(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::ListApiTokensResponse response,
                         ListAll(session, *stub, &Identity::ListApiTokens, request, limit,
                                 [](v1::ListApiTokensResponse& page) { return page.mutable_api_tokens(); }));
  std::vector<std::vector<std::string>> rows;
  for (const v1::ApiToken& token : response.api_tokens()) {
    rows.push_back({token.id(), token.display_name(), token.project(), RoleText(token.role()),
                    TokenState(token, session.environment().clock.Now()), TimeText(token.expire_time()),
                    TimeText(token.last_use_time())});
  }
  return session.Show(response, ToTable({"ID", "NAME", "PROJECT", "ROLE", "STATE", "EXPIRES", "LAST USED"}, rows));
}

absl::StatusOr<int> TokensRevoke(Session& session) {
  v1::RevokeApiTokenRequest request;
  request.set_project(session.project());
  request.set_id(session.arguments().positionals()[0]);
  const auto stub = NewIdentity(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::RevokeApiTokenResponse response,
                         session.Call(*stub, &Identity::RevokeApiToken, request));
  return session.Show(response.api_token(), absl::StrCat("revoked ", request.id(), "\n"));
}

absl::StatusOr<int> WhoAmI(Session& session) {
  const auto stub = NewIdentity(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::GetCallerResponse response,
                         session.Call(*stub, &Identity::GetCaller, v1::GetCallerRequest()));
  return session.Show(response.api_token(), TokenText(response.api_token()));
}

Positional Id(const char* name, const char* form) { return {name, absl::StrCat("its id, ", form)}; }

}  // namespace

std::vector<Command> RegistryCommands() {
  return {
      {"connect create",
       "Connect a git server: store an access token after trying it, or authorize there.",
       "The token is read from --token-file, or asked for, or read from standard input; it is never given on the "
       "command line.",
       "davit connect create --name work --provider github\n"
       "davit connect create --name mine --provider gitlab --oauth\n"
       "davit connect create --name lab --provider gitlab --base-url https://gitlab.example.com --token-file "
       "token.txt\n"
       "pass show git | davit connect create --name own --provider git --base-url https://git.example.com --username "
       "ci",
       {},
       {{"name", 0, "NAME", "What to call it; unique in the project."},
        {"provider", 0, "KIND", "github, gitlab or git (any server with basic authentication)."},
        {"base-url", 0, "URL", "The server; default: https://github.com or https://gitlab.com."},
        {"username", 0, "NAME", "The user name sent with the token; default: the provider's."},
        {"probe-repository", 0, "PATH", "owner/name to try the token on; for --provider git."},
        {"token-file", 0, "FILE", "File with the access token; - is standard input."},
        kOAuthOption,
        kBrowserOption},
       ConnectCreate},
      {"connect list", "List the connections.", "", "", {}, {kLimitOption}, ConnectList},
      {"connect verify",
       "Try a connection's stored token now; exit code 3 if the server refuses it.",
       "",
       "davit connect verify con_01jgfjh3zdf2mvq8r6kq8c0v4x",
       {Id("CONNECTION", "con_...")},
       {},
       ConnectVerify},
      {"connect update",
       "Change a connection's name, user name or repository to try the token on.",
       "",
       "davit connect update con_01jgfjh3zdf2mvq8r6kq8c0v4x --name work",
       {Id("CONNECTION", "con_...")},
       {{"name", 0, "NAME", "What to call it."},
        {"username", 0, "NAME", "The user name sent with the token."},
        {"probe-repository", 0, "PATH", "owner/name to try the token on."}},
       ConnectUpdate},
      {"connect rotate",
       "Replace a connection's token, or authorize it anew.",
       "The new token is tried before it replaces the old one; builds that run go on with the old one.",
       "davit connect rotate con_01jgfjh3zdf2mvq8r6kq8c0v4x --token-file new-token.txt",
       {Id("CONNECTION", "con_...")},
       {{"token-file", 0, "FILE", "File with the new access token; - is standard input."},
        {"username", 0, "NAME", "The user name that belongs to it; default: the present one."},
        kOAuthOption,
        kBrowserOption},
       ConnectRotate},
      {"connect delete",
       "Delete a connection and its webhooks.",
       "Webhooks that were installed at the provider are removed there first.",
       "",
       {Id("CONNECTION", "con_...")},
       {},
       ConnectDelete},
      {"registry-credential create",
       "Store a user name and password of an image registry, after trying them.",
       "The password is read from --password-file, or asked for, or read from standard input.",
       "davit registry-credential create --name ghcr --registry ghcr.io --username robot --password-file password.txt",
       {},
       {{"name", 0, "NAME", "What to call it; unique in the project."},
        {"registry", 0, "HOST", "The registry's host and optional port."},
        {"username", 0, "NAME", "The user name; none = no authentication."},
        {"password-file", 0, "FILE", "File with the password or token; - is standard input."}},
       CredentialCreate},
      {"registry-credential list", "List the registry credentials.", "", "", {}, {kLimitOption}, CredentialList},
      {"registry-credential delete",
       "Delete a registry credential.",
       "",
       "",
       {Id("CREDENTIAL", "rcr_...")},
       {},
       CredentialDelete},
      {"webhook create",
       "Make a webhook endpoint; shows its path and its secret, once.",
       "At GitHub choose content type application/json and the push event; at GitLab put the secret into the field "
       "\"Secret token\" and choose "
       "push and tag push events.",
       "davit webhook create con_01jgfjh3zdf2mvq8r6kq8c0v4x --repository team/app",
       {Id("CONNECTION", "con_...")},
       {{"repository", 0, "PATH", "Accept deliveries of owner/name only; default: of any repository."}},
       WebhookCreate},
      {"webhook list",
       "List the webhooks.",
       "",
       "",
       {},
       {{"connection", 0, "ID", "Only those of this connection."}, kLimitOption},
       WebhookList},
      {"webhook delete", "Delete a webhook.", "", "", {Id("WEBHOOK", "whk_...")}, {}, WebhookDelete},
      {"tokens create",
       "Create an API token; shows it once.",
       "",
       "davit tokens create --name ci --role developer --expires-in 2160h\n"
       "davit tokens create --name agent-7 --role agent --all-projects -o json",
       {},
       {{"name", 0, "NAME", "What it is for."},
        {"role", 0, "ROLE", "viewer, developer, admin; for services: agent, gateway, rule-engine, scheduler, console."},
        {"all-projects", 0, "", "For all projects instead of one."},
        {"expires-in", 0, "DURATION", "When it stops working, from now; default: never."}},
       TokensCreate},
      {"tokens list", "List the API tokens, newest first.", "", "", {}, {kLimitOption}, TokensList},
      {"tokens revoke",
       "Revoke an API token; services notice within 30 seconds.",
       "",
       "",
       {Id("TOKEN", "tok_... (not its text)")},
       {},
       TokensRevoke},
      {"whoami", "Show whose API token this is.", "", "", {}, {}, WhoAmI},
  };
}

}  // namespace davit::cli
