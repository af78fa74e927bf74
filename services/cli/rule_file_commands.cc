// The commands that keep rules in a file: rule export, rule apply. Each runs on the main thread.
#include <fstream>
#include <iterator>
#include <ostream>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "davit/rules/v1/rule_engine.grpc.pb.h"
#include "libs/recipe/policy.h"
#include "libs/recipe/recipe.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"
#include "services/cli/command.h"
#include "services/cli/rule_document.h"
#include "services/cli/rule_file.h"
#include "services/cli/session.h"

namespace davit::cli {
namespace {

namespace v1 = ::davit::rules::v1;
using RuleEngine = v1::RuleEngine::Stub;

// More rules than a project has.
constexpr int64_t kMostRules = 100000;

absl::StatusOr<std::vector<v1::Rule>> FetchRules(Session& session, RuleEngine& stub) {
  v1::ListRulesRequest request;
  request.set_project(session.project());
  DAVIT_ASSIGN_OR_RETURN(const v1::ListRulesResponse response,
                         ListAll(session, stub, &RuleEngine::ListRules, request, kMostRules,
                                 [](v1::ListRulesResponse& page) { return page.mutable_rules(); }));
  return std::vector<v1::Rule>(response.rules().begin(), response.rules().end());
}

absl::StatusOr<int> RuleExport(Session& session) {
  const auto stub = v1::RuleEngine::NewStub(session.channel(Api::kRuleEngine));
  DAVIT_ASSIGN_OR_RETURN(std::vector<v1::Rule> rules, FetchRules(session, *stub));
  const std::vector<std::string>& wanted = session.arguments().positionals();
  for (const std::string& id : wanted) {
    if (absl::c_none_of(rules, [&](const v1::Rule& rule) { return rule.id() == id; })) {
      return absl::NotFoundError(absl::StrCat("no rule ", id));
    }
  }
  if (!wanted.empty()) {
    std::erase_if(rules, [&](const v1::Rule& rule) { return !absl::c_linear_search(wanted, rule.id()); });
  }
  v1::ListRulesResponse shown;
  shown.mutable_rules()->Assign(rules.begin(), rules.end());
  return session.Show(shown, WriteRules(rules));
}

// What is to be done with one rule of the file.
struct Change {
  // As stored; without an id: there is none of this name.
  v1::Rule current;
  v1::Rule wanted;
  std::vector<std::string> fields;
  // The difference for people.
  std::string text;
};

absl::StatusOr<Change> PlanChange(const std::vector<v1::Rule>& stored, const v1::Rule& wanted) {
  Change change;
  change.wanted = wanted;
  const std::string name = absl::StrCat("rule \"", wanted.display_name(), "\"");
  // As the server will store it; else a file that leaves out a default would differ for ever.
  absl::Status status = recipe::Normalize("recipe", *change.wanted.mutable_recipe());
  if (status.ok()) status = recipe::NormalizeDestination("destination", *change.wanted.mutable_destination());
  if (status.ok()) status = recipe::NormalizePolicy("policy", *change.wanted.mutable_policy());
  if (!status.ok()) return Annotate(status, name);
  const auto found =
      absl::c_find_if(stored, [&](const v1::Rule& rule) { return rule.display_name() == wanted.display_name(); });
  if (found != stored.end()) {
    change.current = *found;
  } else {
    change.current.set_enabled(wanted.enabled());
  }
  const std::string difference =
      DescribeDifference(StripServerFields(change.current), StripServerFields(change.wanted), change.fields);
  if (difference.empty()) return change;
  for (const char* fixed : {"connection_id", "repository"}) {
    if (!change.current.id().empty() && absl::c_linear_search(change.fields, fixed)) {
      return absl::FailedPreconditionError(absl::StrCat(name, ": ", fixed, " cannot be changed; delete ",
                                                        change.current.id(), " first, or give the rule another name"));
    }
  }
  change.text = absl::StrCat(change.current.id().empty() ? "create " : "update ", name, "\n", difference);
  return change;
}

absl::Status ShowWarnings(Session& session, const google::protobuf::RepeatedPtrField<std::string>& warnings) {
  for (const std::string& warning : warnings) session.environment().err << "warning: " << warning << "\n";
  return absl::OkStatus();
}

absl::Status SetEnabled(Session& session, RuleEngine& stub, const std::string& id, bool enabled) {
  if (enabled) {
    v1::EnableRuleRequest request;
    request.set_project(session.project());
    request.set_id(id);
    return session.Call(stub, &RuleEngine::EnableRule, request).status();
  }
  v1::DisableRuleRequest request;
  request.set_project(session.project());
  request.set_id(id);
  return session.Call(stub, &RuleEngine::DisableRule, request).status();
}

absl::Status Create(Session& session, RuleEngine& stub, const Change& change) {
  v1::CreateRuleRequest request;
  request.set_project(session.project());
  *request.mutable_rule() = change.wanted;
  DAVIT_ASSIGN_OR_RETURN(const v1::CreateRuleResponse response, session.Call(stub, &RuleEngine::CreateRule, request));
  DAVIT_RETURN_IF_ERROR(ShowWarnings(session, response.warnings()));
  return change.wanted.enabled() ? absl::OkStatus() : SetEnabled(session, stub, response.rule().id(), false);
}

absl::Status Update(Session& session, RuleEngine& stub, const Change& change) {
  v1::UpdateRuleRequest request;
  request.set_project(session.project());
  *request.mutable_rule() = change.wanted;
  request.mutable_rule()->set_id(change.current.id());
  request.mutable_rule()->set_etag(change.current.etag());
  for (const std::string& field : change.fields) {
    if (field != "enabled") request.mutable_update_mask()->add_paths(field);
  }
  if (!request.update_mask().paths().empty()) {
    DAVIT_ASSIGN_OR_RETURN(const v1::UpdateRuleResponse response, session.Call(stub, &RuleEngine::UpdateRule, request));
    DAVIT_RETURN_IF_ERROR(ShowWarnings(session, response.warnings()));
  }
  if (change.current.enabled() == change.wanted.enabled()) return absl::OkStatus();
  return SetEnabled(session, stub, change.current.id(), change.wanted.enabled());
}

absl::StatusOr<int> RuleApply(Session& session) {
  const Arguments& arguments = session.arguments();
  DAVIT_RETURN_IF_ERROR(arguments.Require("file"));
  DAVIT_ASSIGN_OR_RETURN(const std::vector<v1::Rule> wanted, ReadRuleFile(session, arguments.Get("file")));
  const auto stub = v1::RuleEngine::NewStub(session.channel(Api::kRuleEngine));
  DAVIT_ASSIGN_OR_RETURN(const std::vector<v1::Rule> stored, FetchRules(session, *stub));
  std::vector<Change> changes;
  for (const v1::Rule& rule : wanted) {
    DAVIT_ASSIGN_OR_RETURN(Change change, PlanChange(stored, rule));
    if (!change.text.empty()) changes.push_back(std::move(change));
  }
  std::ostream& out = session.environment().out;
  for (const Change& change : changes) out << change.text;
  if (changes.empty()) {
    out << "nothing to change\n";
    return kExitOk;
  }
  if (!arguments.Has("yes")) {
    out << "nothing was changed: add --yes to make " << changes.size() << (changes.size() == 1 ? " change" : " changes")
        << "\n";
    return kExitOk;
  }
  for (const Change& change : changes) {
    const absl::Status made =
        change.current.id().empty() ? Create(session, *stub, change) : Update(session, *stub, change);
    if (!made.ok()) return Annotate(made, absl::StrCat("rule \"", change.wanted.display_name(), "\""));
  }
  out << "made " << changes.size() << (changes.size() == 1 ? " change" : " changes") << "\n";
  return kExitOk;
}

}  // namespace

absl::StatusOr<std::vector<v1::Rule>> ReadRuleFile(Session& session, const std::string& file) {
  std::string text;
  if (file == "-") {
    text.assign(std::istreambuf_iterator<char>(session.environment().in), {});
  } else {
    std::ifstream in(file, std::ios::binary);
    if (!in) return UsageError(absl::StrCat("cannot read ", file));
    text.assign(std::istreambuf_iterator<char>(in), {});
  }
  absl::StatusOr<std::vector<v1::Rule>> rules = ReadRules(text);
  if (!rules.ok()) return Annotate(rules.status(), file);
  return rules;
}

std::vector<Command> RuleFileCommands() {
  return {
      {"rule export",
       "Write rules as YAML, for rule apply.",
       "All rules of the project, or those that are named.",
       "davit rule export > rules.yaml",
       {{"RULE", "ids, rul_...", Positional::Count::kMany}},
       {},
       RuleExport},
      {"rule apply",
       "Make the rules those of a file.",
       "Shows the difference; changes nothing without --yes. Rules are known by their names; rules that the file does "
       "not have stay as they are. Applying a file again changes nothing.",
       "davit rule apply -f rules.yaml\n"
       "davit rule apply -f rules.yaml --yes",
       {},
       {{"file", 'f', "FILE", "The YAML file; - is standard input."}, {"yes", 'y', "", "Make the changes."}},
       RuleApply},
  };
}

}  // namespace davit::cli
