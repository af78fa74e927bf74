// The commands that try rules and try events again: rule simulate, events replay. Each runs on the main thread.
#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "davit/rules/v1/rule_engine.grpc.pb.h"
#include "libs/ids/ids.h"
#include "libs/status/status_macros.h"
#include "services/cli/command.h"
#include "services/cli/output.h"
#include "services/cli/rule_file.h"
#include "services/cli/session.h"

namespace davit::cli {
namespace {

namespace v1 = ::davit::rules::v1;
using RuleEngine = v1::RuleEngine::Stub;

std::unique_ptr<RuleEngine> NewRuleEngine(Session& session) {
  return v1::RuleEngine::NewStub(session.channel(Api::kRuleEngine));
}

// The rule that is stored, or the one of a file.
absl::StatusOr<v1::Rule> ChosenRule(Session& session, RuleEngine& stub) {
  const Arguments& arguments = session.arguments();
  if (arguments.Has("file") != arguments.positionals().empty()) return UsageError("give either RULE or --file");
  if (!arguments.Has("file")) {
    v1::GetRuleRequest request;
    request.set_project(session.project());
    request.set_id(arguments.positionals()[0]);
    DAVIT_ASSIGN_OR_RETURN(const v1::GetRuleResponse response, session.Call(stub, &RuleEngine::GetRule, request));
    return response.rule();
  }
  DAVIT_ASSIGN_OR_RETURN(const std::vector<v1::Rule> rules, ReadRuleFile(session, arguments.Get("file")));
  if (!arguments.Has("name") && rules.size() == 1) return rules[0];
  const auto found =
      absl::c_find_if(rules, [&](const v1::Rule& rule) { return rule.display_name() == arguments.Get("name"); });
  if (found != rules.end()) return *found;
  return UsageError("option --name is the name of one of the file's rules");
}

absl::StatusOr<int> RuleSimulate(Session& session) {
  const Arguments& arguments = session.arguments();
  DAVIT_ASSIGN_OR_RETURN(const int64_t limit, arguments.GetNumber("limit", 50, 1));
  const auto stub = NewRuleEngine(session);
  v1::SimulateRuleRequest request;
  request.set_project(session.project());
  DAVIT_ASSIGN_OR_RETURN(*request.mutable_rule(), ChosenRule(session, *stub));
  request.set_ref(arguments.Get("ref"));
  request.set_commit(arguments.Get("commit"));
  for (const std::string& path : arguments.GetAll("path")) request.add_paths(path);
  DAVIT_ASSIGN_OR_RETURN(const v1::SimulateRuleResponse response,
                         ListAll(session, *stub, &RuleEngine::SimulateRule, request, limit,
                                 [](v1::SimulateRuleResponse& page) { return page.mutable_simulations(); }));
  std::vector<std::vector<std::string>> rows;
  for (const v1::Simulation& simulation : response.simulations()) {
    rows.push_back({simulation.event_id(), TimeText(simulation.receive_time()), RefText(simulation.ref()),
                    simulation.commit().substr(0, 7), simulation.would_build() ? "yes" : "no",
                    absl::StrJoin(simulation.explanation().tags(), ","), simulation.explanation().detail()});
  }
  return session.Show(response,
                      ToTable({"EVENT", "RECEIVED", "REF", "COMMIT", "BUILDS", "IMAGE TAGS", "DETAIL"}, rows));
}

absl::StatusOr<int> EventsReplay(Session& session) {
  const Arguments& arguments = session.arguments();
  v1::ReplayEventRequest request;
  request.set_project(session.project());
  request.set_id(arguments.positionals()[0]);
  request.set_force(arguments.Has("force"));
  request.set_request_id(arguments.Has("request-id")
                             ? arguments.Get("request-id")
                             : NewId("cli", session.environment().clock, session.environment().random));
  const auto stub = NewRuleEngine(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::ReplayEventResponse response,
                         session.Call(*stub, &RuleEngine::ReplayEvent, request));
  return session.Show(response.event(), absl::StrCat(response.event().id(), ": ", response.event().detail(),
                                                     "\nsee davit events get ", response.event().id(), "\n"));
}

}  // namespace

std::vector<Command> RuleTrialCommands() {
  return {
      {"rule simulate",
       "Show what a rule would make of past events or of a ref, without building.",
       "The rule is a stored one, or one of a file that was not applied yet.",
       "davit rule simulate rul_...\n"
       "davit rule simulate -f rules.yaml --name app --ref refs/heads/main --path src/main.go",
       {{"RULE", "its id, rul_...", Positional::Count::kOptional}},
       {{"file", 'f', "FILE", "Try a rule of this YAML file; - is standard input."},
        {"name", 0, "NAME", "Which rule of the file."},
        {"ref", 0, "REF", "Try this full ref instead of past events."},
        {"commit", 0, "SHA", "With --ref: the commit; default: an example."},
        {"path", 0, "PATH", "With --ref: a path that the push changes.", Repeat::kMany},
        kLimitOption},
       RuleSimulate},
      {"events replay",
       "Let the rules look at a past event again.",
       "Builds what matches now and was not built.",
       "",
       {{"EVENT", "its id, evt_..."}},
       {{"force", 0, "", "Build again what was built, too."},
        {"request-id", 0, "TEXT", "Makes repeating the command safe: the same text again makes no further build."}},
       EventsReplay},
  };
}

}  // namespace davit::cli
