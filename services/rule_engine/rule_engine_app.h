// The rule engine as one object that main.cc, standalone and tests wire alike. Owns its database pool, its service and
// its loops.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "davit/rules/v1/rule_engine.pb.h"
#include "libs/auth/authenticator.h"
#include "libs/clock/clock.h"
#include "libs/crypto/secret.h"
#include "libs/ids/random.h"
#include "libs/logging/logger.h"
#include "libs/metrics/metrics.h"

namespace grpc {
class Channel;
class Service;
}  // namespace grpc

namespace davit::rule_engine {

// How the rule engine is made.
struct RuleEngineOptions {
  // Of the application's role.
  std::string conninfo;
  // Of the role that owns the schema, to bring it up to date; empty = somebody else does.
  std::string owner_conninfo;
  int max_connections = 8;
  // How long the ledger keeps events; zero = for ever.
  absl::Duration event_retention = absl::Hours(90 * 24);
  // How often a repository's refs are compared with the ledger, to find pushes whose webhook did not come; zero =
  // never.
  absl::Duration reconcile_interval = absl::Minutes(5);
  // For how long a push's webhook is waited for; the interval at most.
  absl::Duration reconcile_grace = absl::Minutes(1);
};

// Thread-safe after Start.
class RuleEngineApp {
 public:
  // Migrates and opens the database. References must outlive the app; the channels carry the rule engine's own token.
  // Errors are those of the database.
  static absl::StatusOr<std::unique_ptr<RuleEngineApp>> Create(const RuleEngineOptions& options, Clock& clock,
                                                               RandomSource& random, Logger logger,
                                                               metrics::Registry& metrics,
                                                               auth::Authenticator& authenticator,
                                                               std::shared_ptr<grpc::Channel> token_registry,
                                                               std::shared_ptr<grpc::Channel> scheduler);
  ~RuleEngineApp();
  RuleEngineApp(const RuleEngineApp&) = delete;
  RuleEngineApp& operator=(const RuleEngineApp&) = delete;

  // To be served by an rpc::Server; they live as long as the app.
  std::vector<grpc::Service*> services();

  // RuleEngine.IngestEvents for a caller in this process, whose token is checked as everyone's. Blocks for the
  // database.
  absl::StatusOr<rules::v1::IngestEventsResponse> IngestEvents(const crypto::SecretString& token,
                                                               const rules::v1::IngestEventsRequest& request);

  // Starts evaluating events and sending orders. Events that are ingested before wait.
  absl::Status Start();

  // Ends the loops after the step that they are in, which takes a few seconds at most. What is left undone is in the
  // database.
  void Drain(absl::Time deadline);

 private:
  class Parts;
  explicit RuleEngineApp(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace davit::rule_engine
