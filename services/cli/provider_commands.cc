// The commands that reach through the token-registry to providers, the import of Docker's credentials, the audit log,
// and the rotation of keys. Each runs on the main thread.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "davit/registry/v1/token_registry.grpc.pb.h"
#include "libs/rpc/service_main.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"
#include "services/cli/command.h"
#include "services/cli/docker_config.h"
#include "services/cli/output.h"
#include "services/cli/session.h"

namespace davit::cli {
namespace {

namespace v1 = ::davit::registry::v1;
using Registry = v1::TokenRegistry::Stub;

constexpr int64_t kMaxProviderPage = 100;

std::unique_ptr<Registry> NewRegistry(Session& session) {
  return v1::TokenRegistry::NewStub(session.channel(Api::kTokenRegistry));
}

// ListAll for listings of providers, whose pages all have one size.
template <typename Request, typename Response, typename Items>
absl::StatusOr<Response> ListPages(Session& session, Registry& stub,
                                   grpc::Status (Registry::*method)(grpc::ClientContext*, const Request&, Response*),
                                   Request request, Items items) {
  DAVIT_ASSIGN_OR_RETURN(const int64_t limit, session.arguments().GetNumber("limit", 50, 1));
  request.set_project(session.project());
  request.set_connection_id(session.arguments().positionals()[0]);
  request.set_page_size(static_cast<int32_t>(std::min(limit, kMaxProviderPage)));
  Response all;
  while (true) {
    absl::StatusOr<Response> page = session.Call(stub, method, request);
    if (!page.ok()) return page.status();
    all.clear_next_page_token();
    all.MergeFrom(*page);
    if (page->next_page_token().empty() || items(all)->size() >= limit) break;
    request.set_page_token(page->next_page_token());
  }
  while (items(all)->size() > limit) items(all)->RemoveLast();
  return all;
}

absl::StatusOr<int> ConnectRepositories(Session& session) {
  v1::ListRepositoriesRequest request;
  request.set_query(session.arguments().Get("search"));
  request.set_organization(session.arguments().Get("organization"));
  const auto stub = NewRegistry(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::ListRepositoriesResponse response,
                         ListPages(session, *stub, &Registry::ListRepositories, request,
                                   [](v1::ListRepositoriesResponse& all) { return all.mutable_repositories(); }));
  std::vector<std::vector<std::string>> rows;
  for (const v1::Repository& repository : response.repositories()) {
    rows.push_back({repository.path(), repository.default_branch(), repository.private_() ? "private" : "public",
                    repository.archived() ? "archived" : ""});
  }
  return session.Show(response, ToTable({"REPOSITORY", "DEFAULT BRANCH", "VISIBILITY", "STATE"}, rows));
}

absl::StatusOr<int> ConnectOrganizations(Session& session) {
  const auto stub = NewRegistry(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::ListOrganizationsResponse response,
                         ListPages(session, *stub, &Registry::ListOrganizations, v1::ListOrganizationsRequest(),
                                   [](v1::ListOrganizationsResponse& all) { return all.mutable_organizations(); }));
  std::vector<std::vector<std::string>> rows;
  for (const v1::Organization& organization : response.organizations()) {
    rows.push_back({organization.path(), organization.display_name()});
  }
  return session.Show(response, ToTable({"ORGANIZATION", "NAME"}, rows));
}

absl::StatusOr<int> WebhookEnsure(Session& session) {
  DAVIT_RETURN_IF_ERROR(session.arguments().Require("repository"));
  v1::EnsureWebhookRequest request;
  request.set_project(session.project());
  request.set_connection_id(session.arguments().positionals()[0]);
  request.set_repository(session.arguments().Get("repository"));
  const auto stub = NewRegistry(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::EnsureWebhookResponse response,
                         session.Call(*stub, &Registry::EnsureWebhook, request));
  return session.Show(
      response, ToFields({{"id", response.webhook().id()},
                          {"repository", response.webhook().repository()},
                          {"url", response.url()},
                          {"change", EnumText(v1::EnsureWebhookResponse::Change_Name(response.change()), "CHANGE_")}}));
}

absl::StatusOr<int> WebhookRemove(Session& session) {
  v1::RemoveWebhookRequest request;
  request.set_project(session.project());
  request.set_id(session.arguments().positionals()[0]);
  const auto stub = NewRegistry(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::RemoveWebhookResponse response,
                         session.Call(*stub, &Registry::RemoveWebhook, request));
  return session.Show(response, absl::StrCat("removed ", request.id(), "\n"));
}

absl::StatusOr<int> KeysRotate(Session& session) {
  DAVIT_ASSIGN_OR_RETURN(const int64_t batch, session.arguments().GetNumber("batch", 100, 1));
  v1::RotateKeysRequest request;
  request.set_batch_size(static_cast<int32_t>(std::min<int64_t>(batch, 1000)));
  const auto stub = NewRegistry(session);
  v1::RotateKeysResponse total;
  while (true) {
    DAVIT_ASSIGN_OR_RETURN(const v1::RotateKeysResponse response, session.Call(*stub, &Registry::RotateKeys, request));
    total.set_key_id(response.key_id());
    total.set_rewrapped(total.rewrapped() + response.rewrapped());
    total.set_remaining(response.remaining());
    if (response.remaining() == 0) break;
    session.environment().err << "re-wrapped " << total.rewrapped() << ", " << total.remaining() << " to go\n";
    // Secrets that others seal meanwhile with an older key keep coming as long as a server has an older key file.
    if (response.rewrapped() == 0) {
      return absl::FailedPreconditionError(
          "no progress: does every token-registry have the new key file? restart those that do not, and try again");
    }
  }
  return session.Show(total, absl::StrCat("every secret is wrapped by ", total.key_id(), " (", total.rewrapped(),
                                          " were changed); older keys may be taken out of the key file\n"));
}

absl::StatusOr<int> Audit(Session& session) {
  DAVIT_ASSIGN_OR_RETURN(const int64_t limit, session.arguments().GetNumber("limit", 50, 1));
  v1::ListSecretAccessesRequest request;
  request.set_project(session.project());
  request.set_record_id(session.arguments().Get("record"));
  request.set_build_id(session.arguments().Get("build"));
  const auto stub = NewRegistry(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::ListSecretAccessesResponse response,
                         ListAll(session, *stub, &Registry::ListSecretAccesses, request, limit,
                                 [](v1::ListSecretAccessesResponse& page) { return page.mutable_accesses(); }));
  std::vector<std::vector<std::string>> rows;
  for (const v1::SecretAccess& access : response.accesses()) {
    rows.push_back({TimeText(access.time()), access.record_id(), access.field(), access.purpose(), access.token_id(),
                    access.build_id()});
  }
  return session.Show(response, ToTable({"TIME", "RECORD", "SECRET", "PURPOSE", "CALLER", "BUILD"}, rows));
}

absl::StatusOr<crypto::SecretString> ReadConfigFile(Session& session) {
  std::string path = session.arguments().Get("file");
  if (path.empty()) {
    const std::string directory = session.environment().variable("DOCKER_CONFIG").value_or("");
    const std::string home = session.environment().variable("HOME").value_or("");
    path = directory.empty() ? absl::StrCat(home, "/.docker/config.json") : absl::StrCat(directory, "/config.json");
  }
  return rpc::ReadSecretFile(path);
}

absl::StatusOr<int> CredentialImport(Session& session) {
  DAVIT_ASSIGN_OR_RETURN(const crypto::SecretString text, ReadConfigFile(session));
  DAVIT_ASSIGN_OR_RETURN(std::vector<DockerCredential> credentials, ReadDockerConfig(text));
  const std::string only = session.arguments().Get("registry");
  if (!only.empty()) {
    credentials.erase(std::remove_if(credentials.begin(), credentials.end(),
                                     [&](const DockerCredential& credential) { return credential.registry != only; }),
                      credentials.end());
  }
  if (credentials.empty()) return absl::NotFoundError("the file holds no credential of a registry that was asked for");
  const auto stub = NewRegistry(session);
  v1::ListRegistryCredentialsResponse imported;
  std::vector<std::vector<std::string>> rows;
  int failures = 0;
  for (const DockerCredential& credential : credentials) {
    std::string outcome = credential.problem;
    if (outcome.empty()) {
      v1::CreateRegistryCredentialRequest request;
      request.set_project(session.project());
      request.mutable_registry_credential()->set_display_name(
          absl::StrCat(session.arguments().Get("prefix"), credential.registry));
      request.mutable_registry_credential()->set_registry(credential.registry);
      request.mutable_registry_credential()->set_username(credential.username);
      request.set_password(credential.password.Reveal());
      const absl::StatusOr<v1::CreateRegistryCredentialResponse> made =
          session.Call(*stub, &Registry::CreateRegistryCredential, request);
      if (made.ok()) {
        *imported.add_registry_credentials() = made->registry_credential();
        outcome = absl::StrCat("imported as ", made->registry_credential().id());
      } else {
        outcome = absl::StrCat("refused: ", made.status().message());
        ++failures;
      }
    } else {
      ++failures;
    }
    rows.push_back({credential.registry, credential.username, outcome});
  }
  session.Show(imported, ToTable({"REGISTRY", "USERNAME", "OUTCOME"}, rows));
  return failures == 0 ? kExitOk : kExitServer;
}

Positional Id(const char* name, const char* form) { return {name, absl::StrCat("its id, ", form)}; }

}  // namespace

std::vector<Command> ProviderCommands() {
  return {
      {"connect repositories",
       "List the repositories that a connection's token can see.",
       "",
       "davit connect repositories con_01jgfjh3zdf2mvq8r6kq8c0v4x --search app",
       {Id("CONNECTION", "con_...")},
       {{"search", 0, "TEXT", "Only those whose name contains this."},
        {"organization", 0, "PATH", "Only those of this organization or group."},
        kLimitOption},
       ConnectRepositories},
      {"connect organizations",
       "List the organizations or groups of a connection's account.",
       "",
       "",
       {Id("CONNECTION", "con_...")},
       {kLimitOption},
       ConnectOrganizations},
      {"webhook ensure",
       "Install a repository's webhook at GitHub or GitLab, or set it right.",
       "May be repeated. The token-registry must know the gateway's public address (--webhook_public_url).",
       "davit webhook ensure con_01jgfjh3zdf2mvq8r6kq8c0v4x --repository team/app",
       {Id("CONNECTION", "con_...")},
       {{"repository", 0, "PATH", "The repository, owner/name."}},
       WebhookEnsure},
      {"webhook remove",
       "Remove a webhook, at its provider too if it was installed there.",
       "webhook delete forgets it without asking the provider.",
       "",
       {Id("WEBHOOK", "whk_...")},
       {},
       WebhookRemove},
      {"registry-credential import",
       "Store the registry credentials of Docker's config.json, after trying them.",
       "Exit code 3 if one could not be imported. Passwords in credential helpers are not in the file.",
       "davit registry-credential import --registry ghcr.io",
       {},
       {{"file", 0, "FILE", "The file; default $DOCKER_CONFIG/config.json or ~/.docker/config.json."},
        {"registry", 0, "HOST", "Only this registry's."},
        {"prefix", 0, "TEXT", "Put before the registry's name to name the credential."}},
       CredentialImport},
      {"audit",
       "List who opened which stored secret for what, newest first.",
       "CALLER is the id of an API token; - stands for the token-registry itself.",
       "davit audit --record con_01jgfjh3zdf2mvq8r6kq8c0v4x",
       {},
       {{"record", 0, "ID", "Only the secrets of this connection, registry credential or webhook."},
        {"build", 0, "ID", "Only those opened for this build."},
        kLimitOption},
       Audit},
      {"keys rotate",
       "Re-wrap all stored secrets with the first key of the key file.",
       "Put a new key in front of the token-registry's key file, restart it, then run this; needs an admin's token of "
       "all "
       "projects. Nothing is unavailable meanwhile, and an interrupted rotation goes on where it was.",
       "davit keys rotate",
       {},
       {{"batch", 0, "N", "Secrets in one call, at most 1000; default 100."}},
       KeysRotate},
  };
}

}  // namespace davit::cli
