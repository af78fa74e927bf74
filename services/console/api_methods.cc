// Implements api_methods.h.
#include "services/console/api_methods.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "davit/registry/v1/identity.pb.h"
#include "davit/registry/v1/token_registry.pb.h"
#include "davit/rules/v1/rule_engine.pb.h"
#include "davit/scheduler/v1/scheduler.pb.h"

namespace davit::console {
namespace {

namespace pb = google::protobuf;

constexpr absl::Duration kTimeout = absl::Seconds(10);
// For calls that wait for a server of the user's: a git provider or a registry. The page waits 30 s.
constexpr absl::Duration kFarTimeout = absl::Seconds(28);

// The methods of one service that people may call.
struct Allowed {
  const char* name;  // in the console's addresses
  Backend backend;
  const pb::FileDescriptor* file;
  const char* service;
  std::vector<const char*> near;  // answered from the service's own data
  std::vector<const char*> far;   // wait for servers elsewhere
};

// Everything for services and agents stays out: SetCommitStatus, GetWebhookSecret, Grant…, Issue…,
// Revoke…BuildCredentials, IngestEvent, IntrospectToken; streams have handlers of their own.
std::vector<Allowed> AllowedMethods() {
  return {
      {"registry",
       Backend::kTokenRegistry,
       registry::v1::CreateConnectionRequest::descriptor()->file(),
       "TokenRegistry",
       {"GetConnection", "ListConnections", "GetRegistryCredential", "ListRegistryCredentials",
        "DeleteRegistryCredential", "CreateWebhook", "ListWebhooks", "DeleteWebhook"},
       {"CreateConnection", "UpdateConnection", "RotateConnectionToken", "DeleteConnection", "VerifyConnection",
        "ListRepositories", "ListOrganizations", "ListRefs", "GetCommit", "CreateRegistryCredential", "EnsureWebhook",
        "RemoveWebhook"}},
      {"identity",
       Backend::kTokenRegistry,
       registry::v1::GetCallerRequest::descriptor()->file(),
       "IdentityService",
       {"CreateApiToken", "ListApiTokens", "RevokeApiToken", "GetCaller"},
       {}},
      {"rules",
       Backend::kRuleEngine,
       rules::v1::CreateRuleRequest::descriptor()->file(),
       "RuleEngine",
       {"GetRule", "ListRules", "DeleteRule", "EnableRule", "DisableRule", "PreviewTags", "ListEvents", "GetEvent"},
       {"CreateRule", "UpdateRule", "TriggerRule", "SimulateRule", "ReplayEvent"}},
      {"scheduler",
       Backend::kScheduler,
       scheduler::v1::CreateBuildRequest::descriptor()->file(),
       "Scheduler",
       {"GetBuild", "ListBuilds", "CancelBuild", "RetryBuild", "ExplainQueue", "ListAgents", "DrainAgent",
        "UndrainAgent"},
       {"CreateBuild"}},
  };
}

}  // namespace

ApiMethods::ApiMethods() {
  pb::MessageFactory& factory = *pb::MessageFactory::generated_factory();
  for (const Allowed& allowed : AllowedMethods()) {
    const pb::ServiceDescriptor* service = allowed.file->FindServiceByName(allowed.service);
    const auto add = [&](const char* name, absl::Duration timeout) {
      const pb::MethodDescriptor* method = service == nullptr ? nullptr : service->FindMethodByName(name);
      if (method == nullptr) return;  // not in this version of the contract
      methods_[absl::StrCat(allowed.name, "/", name)] = {
          allowed.backend, absl::StrCat("/", service->full_name(), "/", name),
          factory.GetPrototype(method->input_type()), factory.GetPrototype(method->output_type()), timeout};
    };
    for (const char* name : allowed.near) add(name, kTimeout);
    for (const char* name : allowed.far) add(name, kFarTimeout);
  }
}

const ApiMethod* ApiMethods::Find(absl::string_view service, absl::string_view method) const {
  const auto found = methods_.find(absl::StrCat(service, "/", method));
  return found == methods_.end() ? nullptr : &found->second;
}

}  // namespace davit::console
