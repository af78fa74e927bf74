// Implements token_registry_app.h.
#include "services/token_registry/token_registry_app.h"

#include <optional>
#include <utility>

#include "libs/auth/call_guard.h"
#include "libs/crypto/key_ring.h"
#include "libs/crypto/key_wrapper.h"
#include "libs/http/address_policy.h"
#include "libs/http/client.h"
#include "libs/http/url.h"
#include "libs/postgres/migrate.h"
#include "libs/postgres/pool.h"
#include "libs/rpc/service_main.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"
#include "services/token_registry/bootstrap_tokens.h"
#include "services/token_registry/build_secrets_service.h"
#include "services/token_registry/housekeeper.h"
#include "services/token_registry/http_oauth_server.h"
#include "services/token_registry/http_provider_client.h"
#include "services/token_registry/identity_service.h"
#include "services/token_registry/migrations.h"
#include "services/token_registry/oauth_directory.h"
#include "services/token_registry/postgres_build_secrets.h"
#include "services/token_registry/postgres_store.h"
#include "services/token_registry/token_keeper.h"
#include "services/token_registry/token_registry_service.h"

namespace davit::token_registry {
namespace {

constexpr char kSchema[] = "token_registry";

http::ClientOptions HttpOptions(const http::AddressPolicy& policy, const std::string& ca_file) {
  http::ClientOptions options;
  options.policy = policy;
  options.user_agent = "davit-token-registry";
  options.ca_file = ca_file;
  return options;
}

absl::StatusOr<crypto::KeyRing> ReadKeys(const TokenRegistryOptions& options) {
  return options.key_file.empty() ? crypto::KeyRing::FromEnvironment(options.key_variable)
                                  : crypto::KeyRing::FromFile(options.key_file);
}

absl::StatusOr<OAuthApps> ReadOAuthApps(const std::string& path) {
  if (path.empty()) return OAuthApps();
  DAVIT_ASSIGN_OR_RETURN(const crypto::SecretString text, rpc::ReadSecretFile(path));
  absl::StatusOr<OAuthApps> apps = OAuthApps::Parse(text.Reveal(), rpc::ReadSecretFile);
  if (!apps.ok()) return Annotate(apps.status(), "Failed to read the OAuth applications of " + path);
  return apps;
}

}  // namespace

// In the order of construction: each part uses those above it.
struct TokenRegistryApp::Parts {
  Parts(const TokenRegistryOptions& options, std::unique_ptr<postgres::Pool> pool_in, crypto::KeyRing keys,
        OAuthApps apps_in, const http::AddressPolicy& policy_in, std::unique_ptr<ProviderClient> provider_in,
        Clock& clock_in, RandomSource& random, const Logger& logger_in, metrics::Registry& metrics_in)
      : apps(std::move(apps_in)),
        clock(clock_in),
        logger(logger_in),
        policy(policy_in),
        http_client(HttpOptions(policy, options.ca_file)),
        provider(provider_in != nullptr ? std::move(provider_in)
                                        : std::make_unique<HttpProviderClient>(http_client, clock)),
        pool(std::move(pool_in)),
        store(*pool),
        vault(std::make_unique<crypto::RingKeyWrapper>(std::move(keys), random), store, clock, random),
        oauth_server(http_client),
        token_keeper(store, vault, oauth_server, apps, clock, random, logger, TokenKeeper::Options()),
        tokens(store, clock, random),
        authenticator(tokens, clock, StoreAuthenticator::Options()),
        guard(authenticator, clock, random, metrics_in),
        connections(store, vault, token_keeper, *provider, policy, clock, random),
        registry_credentials(store, vault, *provider, clock, random),
        webhooks(store, vault, clock, random),
        secret_store(*pool),
        secrets(secret_store, vault, clock, random),
        broker(store, secrets, vault, token_keeper, clock),
        providers(store, connections, *provider),
        hooks(store, connections, webhooks, *provider, options.webhook_public_url),
        oauth(store, vault, oauth_server, apps, connections, policy, clock, random),
        secrets_service(guard, secret_store, secrets),
        identity_service(guard, store, tokens, authenticator),
        registry_service(guard, store, connections, registry_credentials, webhooks, broker, providers, hooks, vault,
                         oauth),
        metrics(metrics_in) {}

  const OAuthApps apps;
  Clock& clock;
  const Logger logger;
  const http::AddressPolicy policy;
  http::Client http_client;
  const std::unique_ptr<ProviderClient> provider;
  const std::unique_ptr<postgres::Pool> pool;
  PostgresStore store;
  SecretVault vault;
  HttpOAuthServer oauth_server;
  TokenKeeper token_keeper;
  ApiTokenDirectory tokens;
  StoreAuthenticator authenticator;
  auth::CallGuard guard;
  ConnectionDirectory connections;
  RegistryCredentialDirectory registry_credentials;
  WebhookDirectory webhooks;
  PostgresBuildSecretStore secret_store;
  BuildSecretDirectory secrets;
  BuildCredentialBroker broker;
  ProviderDirectory providers;
  HookInstaller hooks;
  OAuthDirectory oauth;
  BuildSecretsServiceImpl secrets_service;
  IdentityServiceImpl identity_service;
  TokenRegistryServiceImpl registry_service;
  metrics::Registry& metrics;
  std::optional<Housekeeper> housekeeper;
};

absl::StatusOr<std::unique_ptr<TokenRegistryApp>> TokenRegistryApp::Create(const TokenRegistryOptions& options,
                                                                           Clock& clock, RandomSource& random,
                                                                           const Logger& logger,
                                                                           metrics::Registry& metrics,
                                                                           std::unique_ptr<ProviderClient> provider) {
  if (!options.webhook_public_url.empty()) {
    DAVIT_RETURN_IF_ERROR(Annotate(http::Url::Parse(options.webhook_public_url).status(), "webhook_public_url"));
  }
  DAVIT_ASSIGN_OR_RETURN(crypto::KeyRing keys, ReadKeys(options));
  DAVIT_ASSIGN_OR_RETURN(OAuthApps apps, ReadOAuthApps(options.oauth_apps_file));
  DAVIT_ASSIGN_OR_RETURN(const http::AddressPolicy policy,
                         http::AddressPolicy::Create({.allowed_hosts = options.allowed_hosts}));
  DAVIT_RETURN_IF_ERROR(postgres::MigrateOrCheck(options.owner_database, options.database, kSchema, migrations::kAll));
  postgres::PoolOptions pool_options;
  pool_options.conninfo = options.database;
  pool_options.max_connections = options.database_connections;
  pool_options.application_name = "davit-token-registry";
  DAVIT_ASSIGN_OR_RETURN(std::unique_ptr<postgres::Pool> pool, postgres::Pool::Open(std::move(pool_options)));
  auto parts = std::make_unique<Parts>(options, std::move(pool), std::move(keys), std::move(apps), policy,
                                       std::move(provider), clock, random, logger, metrics);
  if (!options.bootstrap_tokens_file.empty()) {
    DAVIT_ASSIGN_OR_RETURN(const crypto::SecretString text, rpc::ReadSecretFile(options.bootstrap_tokens_file));
    DAVIT_RETURN_IF_ERROR(Annotate(LoadBootstrapTokens(text, parts->store, clock, random),
                                   "Failed to load the bootstrap tokens of " + options.bootstrap_tokens_file));
  }
  return std::unique_ptr<TokenRegistryApp>(new TokenRegistryApp(std::move(parts)));
}

void TokenRegistryApp::CheckOptions(const TokenRegistryOptions& options, settings::ConfigReport& report) {
  if (options.key_file.empty() == options.key_variable.empty()) {
    report.Note("--key_file", absl::InvalidArgumentError("or --key_variable: one of the two is required, see --help"));
  } else {
    report.Note(options.key_file.empty() ? "--key_variable" : "--key_file", ReadKeys(options).status());
  }
  report.Note("--oauth_apps_file", ReadOAuthApps(options.oauth_apps_file).status());
  if (!options.bootstrap_tokens_file.empty()) {
    const absl::StatusOr<crypto::SecretString> text = rpc::ReadSecretFile(options.bootstrap_tokens_file);
    report.Note("--bootstrap_tokens_file", text.ok() ? CheckBootstrapTokens(*text) : text.status());
  }
  if (!options.webhook_public_url.empty()) {
    report.Note("--webhook_public_url", http::Url::Parse(options.webhook_public_url).status());
  }
  report.Note("--allow_hosts", http::AddressPolicy::Create({.allowed_hosts = options.allowed_hosts}).status());
  report.Note("--ca_file", settings::CheckReadableFile(options.ca_file));
}

TokenRegistryApp::TokenRegistryApp(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

TokenRegistryApp::~TokenRegistryApp() = default;

std::vector<grpc::Service*> TokenRegistryApp::services() {
  return {&parts_->identity_service, &parts_->registry_service, &parts_->secrets_service};
}

auth::Authenticator& TokenRegistryApp::authenticator() { return parts_->authenticator; }

absl::Status TokenRegistryApp::Start() {
  parts_->housekeeper.emplace(parts_->store, parts_->token_keeper, parts_->clock, parts_->logger, parts_->metrics);
  return absl::OkStatus();
}

void TokenRegistryApp::Drain(absl::Time) { parts_->housekeeper.reset(); }

}  // namespace davit::token_registry
