// The commands about builder-agents. Each runs on the main thread.
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "davit/scheduler/v1/scheduler.grpc.pb.h"
#include "libs/status/status_macros.h"
#include "services/cli/command.h"
#include "services/cli/output.h"
#include "services/cli/session.h"

namespace davit::cli {
namespace {

namespace v1 = ::davit::scheduler::v1;
using Scheduler = v1::Scheduler::Stub;

std::unique_ptr<Scheduler> NewScheduler(Session& session) {
  return v1::Scheduler::NewStub(session.channel(Api::kScheduler));
}

std::string StateText(const v1::Agent& agent) { return EnumText(v1::Agent::State_Name(agent.state()), "STATE_"); }

absl::StatusOr<int> AgentsList(Session& session) {
  DAVIT_ASSIGN_OR_RETURN(const int64_t limit, session.arguments().GetNumber("limit", 50, 1));
  const auto stub = NewScheduler(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::ListAgentsResponse response,
                         ListAll(session, *stub, &Scheduler::ListAgents, v1::ListAgentsRequest(), limit,
                                 [](v1::ListAgentsResponse& page) { return page.mutable_agents(); }));
  std::vector<std::vector<std::string>> rows;
  for (const v1::Agent& agent : response.agents()) {
    const std::map<std::string, std::string> labels(agent.labels().begin(), agent.labels().end());
    rows.push_back(
        {agent.id(), agent.name(), StateText(agent), absl::StrCat(agent.build_ids_size(), "/", agent.slots()),
         absl::StrJoin(labels, ",", absl::PairFormatter("=")), agent.version(), TimeText(agent.last_seen_time())});
  }
  return session.Show(response, ToTable({"ID", "NAME", "STATE", "BUILDS", "LABELS", "VERSION", "LAST SEEN"}, rows));
}

absl::StatusOr<int> AgentsDrain(Session& session) {
  v1::DrainAgentRequest request;
  request.set_id(session.arguments().positionals()[0]);
  const auto stub = NewScheduler(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::DrainAgentResponse response, session.Call(*stub, &Scheduler::DrainAgent, request));
  return session.Show(response.agent(),
                      absl::StrCat(response.agent().name(), " is ", StateText(response.agent()), "\n"));
}

absl::StatusOr<int> AgentsUndrain(Session& session) {
  v1::UndrainAgentRequest request;
  request.set_id(session.arguments().positionals()[0]);
  const auto stub = NewScheduler(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::UndrainAgentResponse response,
                         session.Call(*stub, &Scheduler::UndrainAgent, request));
  return session.Show(response.agent(),
                      absl::StrCat(response.agent().name(), " is ", StateText(response.agent()), "\n"));
}

const Positional kAgent = {"AGENT", "its id, agt_..."};

}  // namespace

std::vector<Command> FleetCommands() {
  return {
      {"agents list", "List the builder-agents.", "", "", {}, {kLimitOption}, AgentsList},
      {"agents drain", "Give an agent no more builds; those that it has go on.", "", "", {kAgent}, {}, AgentsDrain},
      {"agents undrain", "Give a drained agent builds again.", "", "", {kAgent}, {}, AgentsUndrain},
  };
}

}  // namespace davit::cli
