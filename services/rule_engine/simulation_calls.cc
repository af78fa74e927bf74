// Simulation of rules.
#include "services/rule_engine/simulation_calls.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"
#include "services/rule_engine/event_conversion.h"
#include "services/rule_engine/git_ref.h"
#include "services/rule_engine/page_token.h"
#include "services/rule_engine/rule_conversion.h"
#include "services/rule_engine/rule_validation.h"

namespace davit::rule_engine {
namespace {

constexpr char kExampleCommit[] = "0123456789abcdef0123456789abcdef01234567";
constexpr int kMaxPaths = 3000;

absl::StatusOr<Event> EventOfRef(const Rule& rule, const rules::v1::SimulateRuleRequest& request, absl::Time now) {
  if (const auto ref = GitRef::Parse(request.ref()); !ref.ok()) return Annotate(ref.status(), "ref");
  if (!request.commit().empty() && !IsCommitId(request.commit())) {
    return absl::InvalidArgumentError("commit: 40 lower-case hexadecimal digits are expected");
  }
  if (request.paths_size() > kMaxPaths) {
    return absl::InvalidArgumentError(absl::StrCat("paths: more than ", kMaxPaths));
  }
  Event event;
  event.project = rule.project;
  event.connection_id = rule.connection_id;
  event.receive_time = now;
  event.push.set_repository(rule.repository);
  event.push.set_ref(request.ref());
  event.push.set_after(request.commit().empty() ? kExampleCommit : request.commit());
  if (!request.paths().empty()) {
    rules::v1::PushedCommit& commit = *event.push.add_commits();
    commit.set_id(event.push.after());
    *commit.mutable_modified() = request.paths();
  }
  return event;
}

}  // namespace

absl::StatusOr<rules::v1::SimulateRuleResponse> SimulationCalls::Simulate(
    const auth::Caller& caller, const rules::v1::SimulateRuleRequest& request) {
  Rule rule;
  DAVIT_ASSIGN_OR_RETURN(rule.project, auth::ResolveProject(caller, request.project()));
  AssignWritable(request.rule(), rule);
  rule.id = request.rule().id();
  DAVIT_RETURN_IF_ERROR(ValidateRule(rule));
  rules::v1::SimulateRuleResponse response;
  if (!request.ref().empty()) {
    DAVIT_ASSIGN_OR_RETURN(const Event event, EventOfRef(rule, request, clock_.Now()));
    *response.add_simulations() = Try(rule, event);
    return response;
  }
  DAVIT_ASSIGN_OR_RETURN(const int page_size, PageSize(request.page_size()));
  DAVIT_ASSIGN_OR_RETURN(const int64_t before, DecodePosition(request.page_token()));
  EventFilter filter;
  filter.connection_id = rule.connection_id;
  filter.repository = rule.repository;
  filter.kinds = {EventKind::kWebhook, EventKind::kReconciled};
  DAVIT_ASSIGN_OR_RETURN(const EventPage page, ledger_.List(rule.project, filter, before, page_size));
  for (const Event& event : page.events) *response.add_simulations() = Try(rule, event);
  if (page.next > 0) response.set_next_page_token(EncodePageToken(absl::StrCat(page.next)));
  return response;
}

rules::v1::Simulation SimulationCalls::Try(const Rule& rule, const Event& event) {
  rules::v1::Simulation simulation;
  simulation.set_event_id(event.id);
  simulation.set_ref(event.push.ref());
  simulation.set_commit(event.push.after());
  if (!event.id.empty()) *simulation.mutable_receive_time() = ToProto(event).receive_time();
  Evaluation evaluation = evaluator_.Evaluate(event, absl::MakeConstSpan(&rule, 1));
  if (evaluation.outcomes.empty()) {
    simulation.mutable_explanation()->set_detail(evaluation.detail);
    return simulation;
  }
  simulation.set_would_build(evaluation.outcomes[0].order.has_value());
  *simulation.mutable_explanation() = ToProto(evaluation.outcomes[0].explanation);
  return simulation;
}

}  // namespace davit::rule_engine
