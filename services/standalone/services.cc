// Implements the composition of all services.
#include "services/standalone/services.h"

#include <grpcpp/channel.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/postgres/provision.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/server.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"
#include "services/builder_agent/builder_agent_app.h"
#include "services/console/console_app.h"
#include "services/rule_engine/rule_engine_app.h"
#include "services/scheduler/scheduler_app.h"
#include "services/standalone/registry_registration.h"
#include "services/token_registry/token_registry_app.h"
#include "services/webhook_gateway/webhook_gateway_app.h"

namespace davit::standalone {
namespace {

constexpr const char* kServicesWithSchemas[] = {"token_registry", "rule_engine", "scheduler"};

// The connection strings of one service's roles.
struct RoleDatabases {
  std::string app;
  std::string owner;
};

absl::StatusOr<RoleDatabases> Provision(const std::string& admin, const std::string& service) {
  DAVIT_RETURN_IF_ERROR(
      Annotate(postgres::ProvisionSchema(admin, service), absl::StrCat("Failed to provision the schema of ", service)));
  const postgres::ServiceRoles roles(service);
  RoleDatabases databases;
  DAVIT_ASSIGN_OR_RETURN(databases.app, postgres::ConninfoForRole(admin, roles.app));
  DAVIT_ASSIGN_OR_RETURN(databases.owner, postgres::ConninfoForRole(admin, roles.owner));
  return databases;
}

}  // namespace

std::vector<std::string> ServiceRoleNames() {
  std::vector<std::string> names;
  for (const char* service : kServicesWithSchemas) {
    const postgres::ServiceRoles roles(service);
    names.push_back(roles.owner);
    names.push_back(roles.app);
  }
  return names;
}

// What runs, in the order in which it is made; destroyed the other way round.
struct Services::Parts {
  std::shared_ptr<grpc::Channel> ChannelAs(const crypto::SecretString& token) const {
    return rpc::MakeChannel(absl::StrCat("unix:", internal_socket), rpc::ClientOptions{.token = token});
  }

  std::string internal_socket;
  std::shared_ptr<grpc::Channel> admin;
  std::unique_ptr<token_registry::TokenRegistryApp> token_registry;
  std::unique_ptr<scheduler::SchedulerApp> scheduler;
  std::unique_ptr<rule_engine::RuleEngineApp> rule_engine;
  std::unique_ptr<webhook_gateway::WebhookGatewayApp> gateway;
  std::unique_ptr<builder_agent::BuilderAgentApp> agent;  // Null when builds run elsewhere.
  std::unique_ptr<rpc::Server> server;
  std::unique_ptr<console::ConsoleApp> console;  // Null when there is none.
};

Services::Services(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Services::~Services() = default;

absl::StatusOr<std::unique_ptr<Services>> Services::Start(const ServicesOptions& options,
                                                          const InstallationSecrets& secrets, Clock& clock,
                                                          RandomSource& random, const Logger& logger,
                                                          metrics::Registry& metrics) {
  auto parts = std::make_unique<Parts>();
  // The services call each other over a socket of their own: their channels exist before the server does.
  parts->internal_socket = options.internal_socket;
  parts->admin = parts->ChannelAs(secrets.admin_token);

  DAVIT_ASSIGN_OR_RETURN(const RoleDatabases token_registry_database, Provision(options.database, "token_registry"));
  token_registry::TokenRegistryOptions token_registry;
  token_registry.database = token_registry_database.app;
  token_registry.owner_database = token_registry_database.owner;
  token_registry.key_file = secrets.key_file;
  token_registry.bootstrap_tokens_file = secrets.bootstrap_tokens_file;
  token_registry.allowed_hosts = options.allowed_hosts;
  token_registry.oauth_apps_file = options.oauth_apps_file;
  token_registry.webhook_public_url = options.webhook_public_url;
  DAVIT_ASSIGN_OR_RETURN(parts->token_registry,
                         token_registry::TokenRegistryApp::Create(token_registry, clock, random,
                                                                  logger.ForService("token-registry"), metrics));
  auth::Authenticator& authenticator = parts->token_registry->authenticator();

  DAVIT_ASSIGN_OR_RETURN(const RoleDatabases scheduler_database, Provision(options.database, "scheduler"));
  scheduler::SchedulerOptions scheduler;
  scheduler.database = scheduler_database.app;
  scheduler.owner_database = scheduler_database.owner;
  scheduler.allowed_hosts = options.allowed_hosts;
  scheduler.lease_ttl = options.lease_ttl;
  scheduler.public_url = options.public_url;
  DAVIT_ASSIGN_OR_RETURN(parts->scheduler, scheduler::SchedulerApp::Create(
                                               scheduler, {clock, random, logger.ForService("scheduler"), metrics,
                                                           authenticator, parts->ChannelAs(secrets.scheduler_token)}));

  DAVIT_ASSIGN_OR_RETURN(const RoleDatabases rule_engine_database, Provision(options.database, "rule_engine"));
  rule_engine::RuleEngineOptions rule_engine;
  rule_engine.conninfo = rule_engine_database.app;
  rule_engine.owner_conninfo = rule_engine_database.owner;
  rule_engine.event_retention = options.event_retention;
  rule_engine.reconcile_interval = options.reconcile_interval;
  const auto as_rule_engine = parts->ChannelAs(secrets.rule_engine_token);
  DAVIT_ASSIGN_OR_RETURN(parts->rule_engine, rule_engine::RuleEngineApp::Create(
                                                 rule_engine, clock, random, logger.ForService("rule-engine"), metrics,
                                                 authenticator, as_rule_engine, as_rule_engine));

  webhook_gateway::WebhookGatewayOptions gateway;
  gateway.listen = options.webhook_listen;
  gateway.rate_limit = {options.webhook_rate, options.webhook_burst};
  // Every delivery waits for this call: within a process it needs no protocol.
  webhook_gateway::IngestCall ingest = [&rule_engine = *parts->rule_engine, token = secrets.gateway_token](
                                           const rules::v1::IngestEventsRequest& request, absl::Duration) {
    return rule_engine.IngestEvents(token, request);
  };
  DAVIT_ASSIGN_OR_RETURN(parts->gateway, webhook_gateway::WebhookGatewayApp::Create(
                                             gateway, clock, random, logger.ForService("webhook-gateway"), metrics,
                                             parts->ChannelAs(secrets.gateway_token), std::move(ingest)));

  if (!options.buildkit.empty() && options.build_slots > 0) {
    builder_agent::BuilderAgentOptions agent;
    agent.agent_name = options.agent_name;
    agent.slots = options.build_slots;
    agent.work_directory = options.agent_dir;
    agent.buildkit = options.buildkit;
    agent.allowed_hosts = options.allowed_hosts;
    const auto as_agent = parts->ChannelAs(secrets.agent_token);
    DAVIT_ASSIGN_OR_RETURN(
        parts->agent, builder_agent::BuilderAgentApp::Create(agent, clock, random, logger.ForService("builder-agent"),
                                                             metrics, as_agent, as_agent));
  }

  if (!options.console_listen.empty()) {
    console::ConsoleOptions console;
    console.listen = options.console_listen;
    console.public_url = options.public_url;
    console.sign_in_codes_file = options.sign_in_codes_file;
    const auto as_nobody = parts->ChannelAs(crypto::SecretString());  // Each call carries its person's token.
    DAVIT_ASSIGN_OR_RETURN(parts->console,
                           console::ConsoleApp::Create(console, clock, random, logger.ForService("console"), metrics,
                                                       as_nobody, as_nobody, as_nobody));
  }

  rpc::ServerOptions server;
  server.listen = options.listen;
  server.listen.push_back(absl::StrCat("unix:", options.internal_socket));
  server.quiet_methods = {"/davit.scheduler.v1.AgentService/Synchronize", "/davit.scheduler.v1.AgentService/AppendLog"};
  std::vector<grpc::Service*> services;
  for (const auto& some :
       {parts->token_registry->services(), parts->scheduler->services(), parts->rule_engine->services()}) {
    services.insert(services.end(), some.begin(), some.end());
  }
  DAVIT_RETURN_IF_ERROR(parts->token_registry->Start());
  DAVIT_ASSIGN_OR_RETURN(parts->server, rpc::Server::Start(server, services, logger, metrics));
  DAVIT_RETURN_IF_ERROR(parts->scheduler->Start());
  DAVIT_RETURN_IF_ERROR(parts->rule_engine->Start());
  DAVIT_RETURN_IF_ERROR(parts->gateway->Start());
  if (parts->agent != nullptr) DAVIT_RETURN_IF_ERROR(parts->agent->Start());
  if (parts->console != nullptr) DAVIT_RETURN_IF_ERROR(parts->console->Start());
  return std::unique_ptr<Services>(new Services(std::move(parts)));
}

absl::Status Services::RegisterRegistry(const std::string& display_name, const std::string& registry,
                                        const std::string& username, const crypto::SecretString& password) {
  return RegisterRegistryCredential(parts_->admin, {display_name, registry, username, password});
}

absl::StatusOr<std::string> Services::NewSignInLink(const crypto::SecretString& token) {
  if (parts_->console == nullptr) return std::string();
  return parts_->console->NewSignInLink(token);
}

void Services::Drain(absl::Time deadline) {
  if (parts_->console != nullptr) parts_->console->Drain(deadline);
  parts_->gateway->Drain(deadline);
  parts_->rule_engine->Drain(deadline);
  // The agent hands its builds back through the server, so it comes before what it calls.
  if (parts_->agent != nullptr) parts_->agent->Drain(deadline);
  parts_->scheduler->Drain(deadline);
  parts_->server->Drain(deadline);
  parts_->token_registry->Drain(deadline);
}

}  // namespace davit::standalone
