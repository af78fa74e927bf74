// Implements hook_installer.h.
#include "services/token_registry/hook_installer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "libs/status/status_macros.h"
#include "services/token_registry/validation.h"

namespace davit::token_registry {
namespace {

constexpr int kHooksRead = 500;  // In one page.

std::string WithoutSlash(absl::string_view url) {
  while (absl::ConsumeSuffix(&url, "/")) {
  }
  return std::string(url);
}

}  // namespace

HookInstaller::HookInstaller(Store& store, ConnectionDirectory& connections, WebhookDirectory& webhooks,
                             ProviderClient& provider, const std::string& public_url)
    : store_(store),
      connections_(connections),
      webhooks_(webhooks),
      provider_(provider),
      public_url_(WithoutSlash(public_url)) {}

absl::StatusOr<EnsuredWebhook> HookInstaller::Ensure(const auth::Caller& caller, const std::string& project,
                                                     const std::string& connection_id, const std::string& repository) {
  DAVIT_RETURN_IF_ERROR(CheckRepositoryPath("repository", repository));
  DAVIT_ASSIGN_OR_RETURN(Connection connection, store_.GetConnection(project, connection_id));
  if (connection.provider == Provider::kGenericGit) {
    return absl::FailedPreconditionError(
        "connection_id: a generic git server has no API to install webhooks; use CreateWebhook and enter it there");
  }
  if (public_url_.empty()) {
    return absl::FailedPreconditionError(
        "the token-registry was not told under which address providers reach the webhook gateway: start it with "
        "--webhook_public_url, or use CreateWebhook and enter the webhook at the provider");
  }
  DAVIT_ASSIGN_OR_RETURN(auto webhook, webhooks_.FindOrCreateManaged(caller, connection, repository));
  EnsuredWebhook ensured;
  ensured.url = absl::StrCat(public_url_, "/hooks/", webhook.first.id);
  const HookSpec hook{repository, webhook.first.provider_hook_id, ensured.url, std::move(webhook.second)};
  const absl::StatusOr<InstalledHook> installed = connections_.WithToken(
      caller, connection, "install webhook", [&](const Connection& current, const crypto::SecretString& token) {
        return provider_.EnsureHook(current, token, hook);
      });
  if (!installed.ok()) return installed.status();
  if (installed->id != webhook.first.provider_hook_id) {
    DAVIT_RETURN_IF_ERROR(store_.SetWebhookHookId(project, webhook.first.id, installed->id));
    webhook.first.provider_hook_id = installed->id;
  }
  ensured.webhook = std::move(webhook.first);
  ensured.change = installed->change;
  return ensured;
}

absl::Status HookInstaller::Remove(const auth::Caller& caller, const std::string& project, const std::string& id) {
  DAVIT_ASSIGN_OR_RETURN(const auto found, store_.FindWebhook(project, id));
  const Webhook& webhook = found.first;
  if (!webhook.provider_hook_id.empty()) {
    DAVIT_ASSIGN_OR_RETURN(Connection connection, store_.GetConnection(project, webhook.connection_id));
    DAVIT_RETURN_IF_ERROR(RemoveAtProvider(caller, connection, webhook));
  }
  return store_.DeleteWebhook(project, id);
}

absl::Status HookInstaller::RemoveAtProvider(const auth::Caller& caller, Connection& connection,
                                             const Webhook& webhook) {
  return connections_.WithToken(
      caller, connection, "remove webhook", [&](const Connection& current, const crypto::SecretString& token) {
        return provider_.RemoveHook(current, token, webhook.repository, webhook.provider_hook_id);
      });
}

absl::StatusOr<std::vector<Webhook>> HookInstaller::InstalledHooks(const Connection& connection) {
  std::vector<Webhook> installed;
  for (Page page{"", kHooksRead};;) {
    DAVIT_ASSIGN_OR_RETURN(std::vector<Webhook> webhooks, store_.ListWebhooks(connection.project, connection.id, page));
    const bool more = webhooks.size() == static_cast<size_t>(page.size);
    if (more) page.after = webhooks.back().id;
    for (Webhook& webhook : webhooks) {
      if (!webhook.provider_hook_id.empty()) installed.push_back(std::move(webhook));
    }
    if (!more) return installed;
  }
}

absl::StatusOr<std::vector<LeftHook>> HookInstaller::DeleteConnection(const auth::Caller& caller,
                                                                      const std::string& project,
                                                                      const std::string& id) {
  DAVIT_ASSIGN_OR_RETURN(Connection connection, store_.GetConnection(project, id));
  DAVIT_ASSIGN_OR_RETURN(const std::vector<Webhook> installed, InstalledHooks(connection));
  std::vector<LeftHook> left;
  for (const Webhook& webhook : installed) {
    const absl::Status removed = RemoveAtProvider(caller, connection, webhook);
    if (absl::IsUnavailable(removed) || absl::IsDeadlineExceeded(removed)) return removed;
    if (!removed.ok()) {
      left.push_back({webhook.repository, webhook.provider_hook_id, std::string(removed.message())});
      continue;
    }
    // What is done stays done when a later one cannot be asked for.
    const absl::Status forgotten = store_.DeleteWebhook(project, webhook.id);
    if (!forgotten.ok() && !absl::IsNotFound(forgotten)) return forgotten;
  }
  DAVIT_RETURN_IF_ERROR(store_.DeleteConnection(project, id));
  return left;
}

}  // namespace davit::token_registry
