// Webhooks that Davit itself installs at providers. Thread-safe; calls block on the store and on providers.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/auth/caller.h"
#include "services/token_registry/connection_directory.h"
#include "services/token_registry/provider_client.h"
#include "services/token_registry/store.h"
#include "services/token_registry/webhook_directory.h"

namespace davit::token_registry {

// A webhook that a provider delivers to.
struct EnsuredWebhook {
  Webhook webhook;
  HookChange change = HookChange::kNone;
  std::string url;
};

// A hook that a provider refused to remove.
struct LeftHook {
  std::string repository;
  std::string provider_hook_id;
  std::string reason;
};

// The store's record comes first and the provider's hook second: a hook never has a secret that is not stored. A call
// that dies in between leaves a record without a hook, which the next call completes. Errors are those that
// proto/davit/registry/v1/token_registry.proto names.
class HookInstaller {
 public:
  // `public_url` is the gateway's address as providers reach it; empty: not known. The rest must outlive this.
  HookInstaller(Store& store, ConnectionDirectory& connections, WebhookDirectory& webhooks, ProviderClient& provider,
                const std::string& public_url);

  // Makes or sets right the webhook of a repository.
  absl::StatusOr<EnsuredWebhook> Ensure(const auth::Caller& caller, const std::string& project,
                                        const std::string& connection_id, const std::string& repository);

  // Removes a webhook, at the provider first if it was installed there.
  absl::Status Remove(const auth::Caller& caller, const std::string& project, const std::string& id);

  // Deletes a connection after the hooks that were installed with it; returns those that the provider refused to
  // remove. Nothing but hooks is gone when the provider cannot be asked now.
  absl::StatusOr<std::vector<LeftHook>> DeleteConnection(const auth::Caller& caller, const std::string& project,
                                                         const std::string& id);

 private:
  absl::StatusOr<std::vector<Webhook>> InstalledHooks(const Connection& connection);
  absl::Status RemoveAtProvider(const auth::Caller& caller, Connection& connection, const Webhook& webhook);

  Store& store_;
  ConnectionDirectory& connections_;
  WebhookDirectory& webhooks_;
  ProviderClient& provider_;
  const std::string public_url_;  // Without a trailing slash.
};

}  // namespace davit::token_registry
