// The commands of the rule-engine: rule, events. Each runs on the main thread.
#include <map>
#include <ostream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "davit/rules/v1/rule_engine.grpc.pb.h"
#include "libs/ids/ids.h"
#include "libs/status/status_macros.h"
#include "services/cli/build_waiter.h"
#include "services/cli/command.h"
#include "services/cli/output.h"
#include "services/cli/policy_options.h"
#include "services/cli/recipe_options.h"
#include "services/cli/session.h"

namespace davit::cli {
namespace {

namespace v1 = ::davit::rules::v1;
using RuleEngine = v1::RuleEngine::Stub;

std::unique_ptr<RuleEngine> NewRuleEngine(Session& session) {
  return v1::RuleEngine::NewStub(session.channel(Api::kRuleEngine));
}

// An option that lists patterns of the trigger.
struct PatternOption {
  const char* name;
  const char* field;
  google::protobuf::RepeatedPtrField<std::string>* (v1::Trigger::*list)();
  const char* help;
};

constexpr PatternOption kPatternOptions[] = {
    {"branch", "trigger.branches", &v1::Trigger::mutable_branches,
     "Build pushes to matching branches: a name, a glob or re:EXPRESSION."},
    {"tag", "trigger.tags", &v1::Trigger::mutable_tags, "Build pushes of matching git tags."},
    {"exclude-branch", "trigger.exclude_branches", &v1::Trigger::mutable_exclude_branches,
     "Do not build these branches although --branch matches."},
    {"exclude-tag", "trigger.exclude_tags", &v1::Trigger::mutable_exclude_tags,
     "Do not build these git tags although --tag matches."},
    {"path", "trigger.paths", &v1::Trigger::mutable_paths,
     "Build a branch's push only when a changed path matches: src/, **/*.go."},
    {"exclude-path", "trigger.exclude_paths", &v1::Trigger::mutable_exclude_paths, "Changed paths that do not count."},
    {"author", "trigger.authors", &v1::Trigger::mutable_authors,
     "Build a branch's push only when its last commit's author matches, by name or address."},
    {"exclude-author", "trigger.exclude_authors", &v1::Trigger::mutable_exclude_authors,
     "Authors whose pushes do not build: *[bot]."},
};

std::string PairsText(const google::protobuf::Map<std::string, std::string>& pairs) {
  const std::map<std::string, std::string> sorted(pairs.begin(), pairs.end());
  return absl::StrJoin(sorted, ", ", absl::PairFormatter("="));
}

std::string SecretsText(const common::v1::Recipe& recipe) {
  return absl::StrJoin(recipe.secrets(), ", ", [](std::string* out, const common::v1::RecipeSecret& secret) {
    absl::StrAppend(out, secret.id(), secret.id() == secret.secret() ? "" : "=",
                    secret.id() == secret.secret() ? "" : secret.secret());
  });
}

std::string RuleText(const v1::Rule& rule) {
  std::vector<std::pair<std::string, std::string>> fields = {
      {"id", rule.id()},
      {"name", rule.display_name()},
      {"project", rule.project()},
      {"enabled", rule.enabled() ? "yes" : "no"},
      {"connection", rule.connection_id()},
      {"repository", rule.repository()},
      {"branches", absl::StrJoin(rule.trigger().branches(), ", ")},
      {"tags", absl::StrJoin(rule.trigger().tags(), ", ")},
      {"not branches", absl::StrJoin(rule.trigger().exclude_branches(), ", ")},
      {"not tags", absl::StrJoin(rule.trigger().exclude_tags(), ", ")},
      {"paths", absl::StrJoin(rule.trigger().paths(), ", ")},
      {"not paths", absl::StrJoin(rule.trigger().exclude_paths(), ", ")},
      {"authors", absl::StrJoin(rule.trigger().authors(), ", ")},
      {"not authors", absl::StrJoin(rule.trigger().exclude_authors(), ", ")},
      {"skip marks", rule.trigger().ignore_skip_marks() ? "ignored" : ""},
      {"image", rule.destination().repository()},
      {"image tags", absl::StrJoin(rule.tag_templates(), ", ")},
      {"credential", rule.destination().registry_credential_id()},
      {"dockerfile", rule.recipe().dockerfile_path()},
      {"context", rule.recipe().context_dir()},
      {"target", rule.recipe().target()},
      {"platform", rule.recipe().platform()},
      {"build args", PairsText(rule.recipe().build_args())},
      {"labels", PairsText(rule.recipe().labels())},
      {"secrets", SecretsText(rule.recipe())},
      {"timeout", rule.recipe().has_timeout() ? absl::StrCat(rule.recipe().timeout().seconds(), "s") : ""}};
  for (auto& text : PolicyTexts(rule.policy())) fields.push_back(std::move(text));
  fields.emplace_back("updated", TimeText(rule.update_time()));
  return ToFields(fields);
}

// Puts the options of create and update into `rule`; returns the paths of those that were given.
absl::StatusOr<std::vector<std::string>> ReadRule(const Arguments& arguments, v1::Rule& rule) {
  DAVIT_ASSIGN_OR_RETURN(RecipeValues values, ReadRecipe(arguments));
  *rule.mutable_recipe() = values.recipe;
  *rule.mutable_destination() = values.destination;
  std::vector<std::string> fields = std::move(values.fields);
  DAVIT_ASSIGN_OR_RETURN(const PolicyValues policy, ReadPolicy(arguments));
  if (!policy.fields.empty()) *rule.mutable_policy() = policy.policy;
  fields.insert(fields.end(), policy.fields.begin(), policy.fields.end());
  const auto list = [&](const char* option, const char* path, auto* to) {
    for (const std::string& value : arguments.GetAll(option)) *to->Add() = value;
    if (arguments.Has(option)) fields.emplace_back(path);
  };
  if (arguments.Has("name")) {
    rule.set_display_name(arguments.Get("name"));
    fields.emplace_back("display_name");
  }
  for (const PatternOption& option : kPatternOptions) {
    auto* to = (rule.mutable_trigger()->*option.list)();
    list(option.name, option.field, to);
  }
  if (arguments.Has("ignore-skip-marks")) {
    rule.mutable_trigger()->set_ignore_skip_marks(true);
    fields.emplace_back("trigger.ignore_skip_marks");
  }
  list("image-tag", "tag_templates", rule.mutable_tag_templates());
  if (!values.image_tag.empty()) {
    rule.add_tag_templates(values.image_tag);
    if (!arguments.Has("image-tag")) fields.emplace_back("tag_templates");
  }
  return fields;
}

absl::StatusOr<int> RuleCreate(Session& session) {
  const Arguments& arguments = session.arguments();
  for (const char* option : {"name", "connection", "repository", "image"}) {
    DAVIT_RETURN_IF_ERROR(arguments.Require(option));
  }
  v1::CreateRuleRequest request;
  request.set_project(session.project());
  v1::Rule& rule = *request.mutable_rule();
  DAVIT_RETURN_IF_ERROR(ReadRule(arguments, rule).status());
  rule.set_connection_id(arguments.Get("connection"));
  rule.set_repository(arguments.Get("repository"));
  if (rule.tag_templates().empty())
    return UsageError("option --image-tag is required, for example --image-tag '{branch}'");
  const auto stub = NewRuleEngine(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::CreateRuleResponse response, session.Call(*stub, &RuleEngine::CreateRule, request));
  for (const std::string& warning : response.warnings()) session.environment().err << "warning: " << warning << "\n";
  return session.Show(response.rule(), RuleText(response.rule()));
}

absl::StatusOr<std::string> ClearedField(const std::string& name) {
  static const auto* const fields =
      new std::map<std::string, std::string>{{"ignore-skip-marks", "trigger.ignore_skip_marks"},
                                             {"build-arg", "recipe.build_args"},
                                             {"label", "recipe.labels"},
                                             {"secret", "recipe.secrets"},
                                             {"target", "recipe.target"},
                                             {"platform", "recipe.platform"},
                                             {"timeout", "recipe.timeout"},
                                             {"file", "recipe.dockerfile_path"},
                                             {"context", "recipe.context_dir"},
                                             {"registry-credential", "destination.registry_credential_id"}};
  const auto found = fields->find(name);
  if (found != fields->end()) return found->second;
  for (const auto& [option, field] : PolicyFields()) {
    if (name == option) return field;
  }
  for (const PatternOption& option : kPatternOptions) {
    if (name == option.name) return std::string(option.field);
  }
  return UsageError(
      absl::StrCat("option --clear is ",
                   absl::StrJoin(*fields, ", ", [](std::string* out, const auto& field) { *out += field.first; }),
                   ", not \"", name, "\""));
}

absl::StatusOr<int> RuleUpdate(Session& session) {
  const Arguments& arguments = session.arguments();
  v1::UpdateRuleRequest request;
  request.set_project(session.project());
  v1::Rule& rule = *request.mutable_rule();
  DAVIT_ASSIGN_OR_RETURN(std::vector<std::string> fields, ReadRule(arguments, rule));
  for (const std::string& name : arguments.GetAll("clear")) {
    if (arguments.Has(name)) return UsageError(absl::StrCat("--clear ", name, " and --", name, " exclude each other"));
    DAVIT_ASSIGN_OR_RETURN(const std::string field, ClearedField(name));
    fields.emplace_back(field);
  }
  if (fields.empty()) return UsageError("nothing to change: give one of the options, see davit help rule update");
  for (const std::string& field : fields) request.mutable_update_mask()->add_paths(field);
  rule.set_id(arguments.positionals()[0]);
  rule.set_etag(arguments.Get("etag"));
  const auto stub = NewRuleEngine(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::UpdateRuleResponse response, session.Call(*stub, &RuleEngine::UpdateRule, request));
  for (const std::string& warning : response.warnings()) session.environment().err << "warning: " << warning << "\n";
  return session.Show(response.rule(), RuleText(response.rule()));
}

absl::StatusOr<int> RuleList(Session& session) {
  const Arguments& arguments = session.arguments();
  DAVIT_ASSIGN_OR_RETURN(const int64_t limit, arguments.GetNumber("limit", 50, 1));
  v1::ListRulesRequest request;
  request.set_project(session.project());
  request.set_connection_id(arguments.Get("connection"));
  request.set_repository(arguments.Get("repository"));
  const auto stub = NewRuleEngine(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::ListRulesResponse response,
                         ListAll(session, *stub, &RuleEngine::ListRules, request, limit,
                                 [](v1::ListRulesResponse& page) { return page.mutable_rules(); }));
  std::vector<std::vector<std::string>> rows;
  for (const v1::Rule& rule : response.rules()) {
    rows.push_back({rule.id(), rule.display_name(), rule.enabled() ? "yes" : "no", rule.repository(),
                    absl::StrJoin(rule.trigger().branches(), ","), absl::StrJoin(rule.trigger().tags(), ","),
                    rule.destination().repository()});
  }
  return session.Show(response, ToTable({"ID", "NAME", "ENABLED", "REPOSITORY", "BRANCHES", "TAGS", "IMAGE"}, rows));
}

// Get, Enable and Disable differ in their names only.
template <typename Request, typename Response>
absl::StatusOr<v1::Rule> CallWithId(Session& session,
                                    grpc::Status (RuleEngine::*method)(grpc::ClientContext*, const Request&, Response*),
                                    const std::string& id) {
  Request request;
  request.set_project(session.project());
  request.set_id(id);
  const auto stub = NewRuleEngine(session);
  DAVIT_ASSIGN_OR_RETURN(const Response response, session.Call(*stub, method, request));
  return response.rule();
}

absl::StatusOr<int> ShowRule(Session& session, const absl::StatusOr<v1::Rule>& rule) {
  if (!rule.ok()) return rule.status();
  return session.Show(*rule, RuleText(*rule));
}

absl::StatusOr<int> RuleGet(Session& session) {
  return ShowRule(session, CallWithId(session, &RuleEngine::GetRule, session.arguments().positionals()[0]));
}

absl::StatusOr<int> RuleEnable(Session& session) {
  return ShowRule(session, CallWithId(session, &RuleEngine::EnableRule, session.arguments().positionals()[0]));
}

absl::StatusOr<int> RuleDisable(Session& session) {
  return ShowRule(session, CallWithId(session, &RuleEngine::DisableRule, session.arguments().positionals()[0]));
}

absl::StatusOr<int> RuleDelete(Session& session) {
  v1::DeleteRuleRequest request;
  request.set_project(session.project());
  request.set_id(session.arguments().positionals()[0]);
  const auto stub = NewRuleEngine(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::DeleteRuleResponse response, session.Call(*stub, &RuleEngine::DeleteRule, request));
  return session.Show(response, absl::StrCat("deleted ", request.id(), "\n"));
}

absl::StatusOr<int> RulePreviewTags(Session& session) {
  const Arguments& arguments = session.arguments();
  const int given = arguments.Has("branch") + arguments.Has("tag");
  if (given != 1) return UsageError("give one of --branch and --tag");
  if (arguments.Has("rule") != arguments.positionals().empty()) {
    return UsageError("give either templates or --rule");
  }
  v1::PreviewTagsRequest request;
  if (arguments.Has("rule")) {
    DAVIT_ASSIGN_OR_RETURN(const v1::Rule rule, CallWithId(session, &RuleEngine::GetRule, arguments.Get("rule")));
    *request.mutable_tag_templates() = rule.tag_templates();
  }
  for (const std::string& text : arguments.positionals()) request.add_tag_templates(text);
  request.set_ref(arguments.Has("branch") ? absl::StrCat("refs/heads/", arguments.Get("branch"))
                                          : absl::StrCat("refs/tags/", arguments.Get("tag")));
  request.set_commit(absl::AsciiStrToLower(arguments.Get("commit")));
  DAVIT_ASSIGN_OR_RETURN(const int64_t number, arguments.GetNumber("number", 0, 1));
  request.set_number(number);
  const auto stub = NewRuleEngine(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::PreviewTagsResponse response,
                         session.Call(*stub, &RuleEngine::PreviewTags, request));
  return session.Show(response,
                      absl::StrCat(absl::StrJoin(response.tags(), "\n"), response.tags().empty() ? "" : "\n"));
}

std::string EventText(const v1::Event& event) {
  std::vector<std::vector<std::string>> rows;
  for (const v1::RuleExplanation& look : event.explanations()) {
    rows.push_back({look.rule_display_name().empty() ? look.rule_id() : look.rule_display_name(),
                    EnumText(v1::RuleExplanation::Reason_Name(look.reason()), "REASON_"), look.build_id(),
                    absl::StrJoin(look.tags(), ","), look.detail()});
  }
  const v1::PushEvent& push = event.push();
  return ToFields({{"id", event.id()},
                   {"project", event.project()},
                   {"kind", EnumText(v1::Event::Kind_Name(event.kind()), "KIND_")},
                   {"state", EnumText(v1::Event::State_Name(event.state()), "STATE_")},
                   {"outcome", event.detail()},
                   {"repository", push.repository()},
                   {"ref", push.ref()},
                   {"before", push.before()},
                   {"after", push.after()},
                   {"pusher", push.pusher()},
                   {"connection", event.connection_id()},
                   {"webhook", event.webhook_id()},
                   {"delivery", event.delivery_id()},
                   {"received", TimeText(event.receive_time())},
                   {"evaluated", TimeText(event.evaluate_time())}}) +
         (rows.empty() ? "" : "\n" + ToTable({"RULE", "REASON", "BUILD", "IMAGE TAGS", "DETAIL"}, rows));
}

absl::StatusOr<v1::Event> GetEvent(Session& session, const std::string& id) {
  v1::GetEventRequest request;
  request.set_project(session.project());
  request.set_id(id);
  const auto stub = NewRuleEngine(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::GetEventResponse response, session.Call(*stub, &RuleEngine::GetEvent, request));
  return response.event();
}

// The build that a triggered event makes, as soon as the scheduler has it.
absl::StatusOr<std::string> AwaitBuildOf(Session& session, const std::string& event_id, const std::string& rule_id) {
  constexpr int kMostLooks = 240;
  for (int look = 0; look < kMostLooks; ++look) {
    DAVIT_ASSIGN_OR_RETURN(const v1::Event event, GetEvent(session, event_id));
    for (const v1::RuleExplanation& explanation : event.explanations()) {
      if (explanation.rule_id() != rule_id) continue;
      if (!explanation.build_id().empty()) return explanation.build_id();
      if (explanation.reason() > v1::RuleExplanation::REASON_MATCHED) {
        return absl::FailedPreconditionError(absl::StrCat("no build was made: ", explanation.detail()));
      }
    }
    if (event.state() == v1::Event::STATE_IGNORED) {
      return absl::FailedPreconditionError(absl::StrCat("no build was made: ", event.detail()));
    }
    session.environment().clock.SleepFor(absl::Milliseconds(250));
  }
  return absl::DeadlineExceededError(
      absl::StrCat("the scheduler has not taken the build yet; see davit events get ", event_id));
}

absl::StatusOr<int> RuleTrigger(Session& session) {
  const Arguments& arguments = session.arguments();
  v1::TriggerRuleRequest request;
  request.set_project(session.project());
  request.set_id(arguments.positionals()[0]);
  request.set_revision(arguments.Get("revision"));
  request.set_request_id(arguments.Has("request-id")
                             ? arguments.Get("request-id")
                             : NewId("cli", session.environment().clock, session.environment().random));
  const auto stub = NewRuleEngine(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::TriggerRuleResponse response,
                         session.Call(*stub, &RuleEngine::TriggerRule, request));
  if (!arguments.Has("wait")) return session.Show(response.event(), EventText(response.event()));
  DAVIT_ASSIGN_OR_RETURN(const std::string build, AwaitBuildOf(session, response.event().id(), request.id()));
  return WaitForBuild(session, build);
}

absl::StatusOr<int> EventsList(Session& session) {
  const Arguments& arguments = session.arguments();
  DAVIT_ASSIGN_OR_RETURN(const int64_t limit, arguments.GetNumber("limit", 50, 1));
  v1::ListEventsRequest request;
  request.set_project(session.project());
  request.set_repository(arguments.Get("repository"));
  request.set_connection_id(arguments.Get("connection"));
  request.set_ref(arguments.Get("ref"));
  request.set_delivery_id(arguments.Get("delivery"));
  for (const std::string& state : arguments.GetAll("state")) {
    v1::Event::State value = v1::Event::STATE_UNSPECIFIED;
    if (!v1::Event::State_Parse(absl::StrCat("STATE_", absl::AsciiStrToUpper(state)), &value)) {
      return UsageError(absl::StrCat("option --state is received, evaluated or ignored, not \"", state, "\""));
    }
    request.add_states(value);
  }
  DAVIT_ASSIGN_OR_RETURN(const absl::Duration since, arguments.GetDuration("since"));
  if (since > absl::ZeroDuration()) {
    request.mutable_start_time()->set_seconds(absl::ToUnixSeconds(session.environment().clock.Now() - since));
  }
  const auto stub = NewRuleEngine(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::ListEventsResponse response,
                         ListAll(session, *stub, &RuleEngine::ListEvents, request, limit,
                                 [](v1::ListEventsResponse& page) { return page.mutable_events(); }));
  std::vector<std::vector<std::string>> rows;
  for (const v1::Event& event : response.events()) {
    rows.push_back({event.id(), TimeText(event.receive_time()), EnumText(v1::Event::Kind_Name(event.kind()), "KIND_"),
                    event.push().repository(), RefText(event.push().ref()), event.push().after().substr(0, 7),
                    EnumText(v1::Event::State_Name(event.state()), "STATE_"), event.detail()});
  }
  return session.Show(response,
                      ToTable({"ID", "RECEIVED", "KIND", "REPOSITORY", "REF", "COMMIT", "STATE", "OUTCOME"}, rows));
}

absl::StatusOr<int> EventsGet(Session& session) {
  DAVIT_ASSIGN_OR_RETURN(const v1::Event event, GetEvent(session, session.arguments().positionals()[0]));
  return session.Show(event, EventText(event));
}

std::vector<Option> RuleOptions(std::vector<Option> first) {
  std::vector<Option> options = std::move(first);
  for (const PatternOption& option : kPatternOptions) {
    options.push_back({option.name, 0, "PATTERN", option.help, Repeat::kMany});
  }
  options.insert(
      options.end(),
      {{"ignore-skip-marks", 0, "", "Build although a commit's message holds [skip ci]."},
       {"image-tag", 't', "TEMPLATE",
        "A tag of the image: text with {branch}, {tag}, {ref}, {commit:7}, {time:%Y%m%d@Europe/Berlin}, {number}.",
        Repeat::kMany}});
  for (Option& option : RecipeOptions()) options.push_back(std::move(option));
  for (Option& option : PolicyOptions()) options.push_back(std::move(option));
  return options;
}

const Positional kRule = {"RULE", "its id, rul_..."};

}  // namespace

std::vector<Command> RuleCommands() {
  return {
      {"rule create",
       "Create a rule: which pushes make which images.",
       "Without --branch and --tag a rule is triggered by hand only. Everything is checked now, so that a rule that is "
       "stored works.",
       "davit rule create --name app --connection con_... --repository team/app --branch main --branch 'release/*' \\\n"
       "    --image 127.0.0.1:5000/team/app --image-tag '{branch}-{commit:7}' --image-tag latest\n"
       "davit rule create --name releases --connection con_... --repository team/app --tag 'v*' \\\n"
       "    --image ghcr.io/team/app --image-tag '{tag}' -f docker/Dockerfile --target runtime",
       {},
       RuleOptions({{"name", 0, "NAME", "What to call it; unique in the project."},
                    {"connection", 0, "ID", "The repository's connection, con_..."},
                    {"repository", 0, "PATH", "The repository, owner/name."}}),
       RuleCreate},
      {"rule list",
       "List the rules.",
       "",
       "",
       {},
       {{"connection", 0, "ID", "Only rules of this connection."},
        {"repository", 0, "PATH", "Only rules of owner/name."},
        kLimitOption},
       RuleList},
      {"rule get", "Show a rule.", "", "", {kRule}, {}, RuleGet},
      {"rule update",
       "Change a rule.",
       "Only what is given changes; a list that is given replaces the old list.",
       "davit rule update rul_... --branch main --branch dev --clear target",
       {kRule},
       RuleOptions({{"name", 0, "NAME", "What to call it."},
                    {"clear", 0, "OPTION", "Empty what this option sets, for example branch or target.", Repeat::kMany},
                    {"etag", 0, "ETAG", "Refuse if the rule has changed since it had this etag."}}),
       RuleUpdate},
      {"rule enable", "Let pushes build again.", "", "", {kRule}, {}, RuleEnable},
      {"rule disable", "Keep pushes from building.", "", "", {kRule}, {}, RuleDisable},
      {"rule delete", "Delete a rule.", "", "", {kRule}, {}, RuleDelete},
      {"rule preview-tags",
       "Show which tags templates give for a ref, without building.",
       "",
       "davit rule preview-tags --branch feature/x '{branch}-{commit:7}' latest\n"
       "davit rule preview-tags --tag v1.2 --rule rul_...",
       {{"TEMPLATE", "templates to try", Positional::Count::kMany}},
       {{"rule", 0, "ID", "Use the templates of this rule."},
        {"branch", 0, "NAME", "For a push to this branch."},
        {"tag", 0, "NAME", "For a push of this git tag."},
        {"commit", 0, "SHA", "For this commit; default: an example."},
        {"number", 0, "NUMBER", "With this build number; default: 1."}},
       RulePreviewTags},
      {"rule trigger",
       "Build a revision as a rule says, now.",
       "",
       "davit rule trigger rul_... --revision main --wait",
       {kRule},
       {{"revision", 0, "REVISION", "A branch, a tag, a full ref or a commit id; default: the default branch."},
        {"wait", 'w', "", "Follow the log and wait for the end; exit code 1 if the build does not succeed."},
        {"request-id", 0, "TEXT", "Makes repeating the command safe: the same text again gives the same event."}},
       RuleTrigger},
      {"events list",
       "List received events, newest first.",
       "",
       "",
       {},
       {{"repository", 0, "PATH", "Only events of owner/name."},
        {"connection", 0, "ID", "Only events of this connection."},
        {"ref", 0, "REF", "Only events of this branch or tag."},
        {"state", 0, "STATE", "Only events that are received, evaluated or ignored.", Repeat::kMany},
        {"delivery", 0, "ID", "Only events of the delivery with this id."},
        {"since", 0, "TIME", "Only events of the last TIME, for example 2h."},
        kLimitOption},
       EventsList},
      {"events get",
       "Show an event and what each rule made of it, and why.",
       "",
       "",
       {{"EVENT", "its id, evt_..."}},
       {},
       EventsGet},
  };
}

}  // namespace davit::cli
