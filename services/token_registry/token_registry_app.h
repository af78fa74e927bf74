// The whole token-registry, wired: what main.cc serves and what davit-standalone and tests embed.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/auth/authenticator.h"
#include "libs/clock/clock.h"
#include "libs/ids/random.h"
#include "libs/logging/logger.h"
#include "libs/metrics/metrics.h"
#include "libs/settings/config_report.h"
#include "services/token_registry/provider_client.h"

namespace grpc {
class Service;
}

namespace davit::token_registry {

// How a token-registry is made. No flags are read here.
struct TokenRegistryOptions {
  // libpq connection string of the application role, and connections at most.
  std::string database;
  int database_connections = 8;

  // libpq connection string of the schema's owner: migrations are applied at start. Empty: somebody else applies them.
  std::string owner_database;

  // What secrets are sealed with: a key file, or an environment variable that holds the text of one
  // (libs/crypto/key_ring.h); exactly one of the two.
  std::string key_file;
  std::string key_variable;

  // Lines `github|gitlab BASE_URL CLIENT_ID SECRET_FILE [REDIRECT_URI]`: the OAuth applications that connections are
  // authorized with (oauth_apps.h). Empty: none.
  std::string oauth_apps_file;

  // Lines `role project token`: tokens that exist from the start. Empty: none, those in the store stay as they are.
  std::string bootstrap_tokens_file;

  // Hosts, host:port or CIDR blocks that may be private and may be reached over plain http
  // (libs/http/address_policy.h).
  std::vector<std::string> allowed_hosts;

  // The webhook gateway's address as providers reach it, for example https://hooks.example.com; empty: webhooks cannot
  // be installed through providers' APIs.
  std::string webhook_public_url;

  // PEM bundle to trust instead of the system's; empty: the system's.
  std::string ca_file;
};

// Owns everything below the services. Thread-safe.
class TokenRegistryApp {
 public:
  // Connects, migrates (if told to) and loads keys and bootstrap tokens. The references must outlive the app. Errors
  // say what could not be read or reached; UNAVAILABLE is worth trying again. `provider` replaces the real providers
  // (tests).
  static absl::StatusOr<std::unique_ptr<TokenRegistryApp>> Create(const TokenRegistryOptions& options, Clock& clock,
                                                                  RandomSource& random, const Logger& logger,
                                                                  metrics::Registry& metrics,
                                                                  std::unique_ptr<ProviderClient> provider = nullptr);

  // Notes everything that is wrong with the options and can be known without a database: files that are not there or
  // do not hold what they should, URLs and hosts that are none.
  static void CheckOptions(const TokenRegistryOptions& options, settings::ConfigReport& report);

  ~TokenRegistryApp();
  TokenRegistryApp(const TokenRegistryApp&) = delete;
  TokenRegistryApp& operator=(const TokenRegistryApp&) = delete;

  // The gRPC services, for rpc::Server::Start.
  std::vector<grpc::Service*> services();

  // Authenticates straight from the store: for the other services when they run in one process with this one.
  auth::Authenticator& authenticator();

  // Starts background work. Call it once, before serving.
  absl::Status Start();

  // Ends background work; call it after the server has drained. There is nothing to wait for until `deadline`.
  void Drain(absl::Time deadline);

 private:
  struct Parts;
  explicit TokenRegistryApp(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace davit::token_registry
