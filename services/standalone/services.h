// The services of Davit in one process: provisioned, wired to each other, served on one gRPC server. Owns all of them.
// Made and drained by one thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/clock/clock.h"
#include "libs/ids/random.h"
#include "libs/logging/logger.h"
#include "libs/metrics/metrics.h"
#include "services/standalone/installation_secrets.h"

namespace davit::standalone {

struct ServicesOptions {
  std::vector<std::string> listen;  // gRPC addresses.
  std::string webhook_listen;       // HTTP address of the webhook gateway.
  std::string console_listen;       // HTTP address of the console; empty = no console.
  std::string sign_in_codes_file;   // The console's one-time sign-in codes.
  std::string internal_socket;      // Path of the unix socket over which the services call each other.
  std::string database;             // libpq connection string of a role that may create roles and schemas.
  std::string buildkit;             // Address of BuildKit; empty = no agent in this process.
  int build_slots = 2;              // Builds at a time of this process's agent; 0 = no agent.
  std::string agent_name;
  std::string agent_dir;  // Caches and log spool of the agent.
  // Hosts, host:port or CIDR blocks that may be private and may be reached over plain HTTP: git servers and registries.
  std::vector<std::string> allowed_hosts;
  absl::Duration lease_ttl = absl::Seconds(30);
  std::string public_url;          // Where people see builds, for links of commit statuses; empty = no links.
  std::string oauth_apps_file;     // OAuth applications of git providers; empty = none.
  std::string webhook_public_url;  // The webhook gateway as git providers reach it; empty = not known.
  double webhook_rate = 0;         // Pushes a second of one webhook, in the long run and at once.
  double webhook_burst = 0;
  absl::Duration event_retention;     // How long the ledger keeps events; zero = for ever.
  absl::Duration reconcile_interval;  // How often refs are compared with the ledger; zero = never.
};

// The names of the database roles that the services act as.
std::vector<std::string> ServiceRoleNames();

class Services {
 public:
  // Provisions the schemas, makes every service and serves. The references must outlive this. On failure nothing is
  // left running.
  static absl::StatusOr<std::unique_ptr<Services>> Start(const ServicesOptions& options,
                                                         const InstallationSecrets& secrets, Clock& clock,
                                                         RandomSource& random, const Logger& logger,
                                                         metrics::Registry& metrics);

  ~Services();

  // Makes sure that project `default` has a credential for `registry`, under the name `display_name`, so that builds
  // can push there without asking.
  absl::Status RegisterRegistry(const std::string& display_name, const std::string& registry,
                                const std::string& username, const crypto::SecretString& password);

  // An address of the console that signs in whoever opens it first within ten minutes, as the owner of the token. Empty
  // when there is no console.
  absl::StatusOr<std::string> NewSignInLink(const crypto::SecretString& token);

  // Takes no more calls and deliveries, lets open ones end until `deadline`, hands builds back, and ends all loops.
  void Drain(absl::Time deadline);

 private:
  struct Parts;
  explicit Services(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace davit::standalone
