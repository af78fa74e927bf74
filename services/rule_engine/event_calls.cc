// The calls about events.
#include "services/rule_engine/event_calls.h"

#include <google/protobuf/util/time_util.h>

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"
#include "services/rule_engine/build_order.h"
#include "services/rule_engine/event_conversion.h"
#include "services/rule_engine/git_ref.h"
#include "services/rule_engine/page_token.h"
#include "services/rule_engine/rule_matcher.h"

namespace davit::rule_engine {
namespace {

constexpr size_t kMaxRequestIdBytes = 100;
constexpr size_t kMaxRevisionBytes = 1024;
constexpr int kMaxIngested = 256;  // by one call
constexpr size_t kPageBytes = size_t{4} << 20;
constexpr int kTriggerTries = 10;
constexpr char kMetric[] = "davit_rule_engine_events_total";
constexpr char kHelp[] = "Events handed in by gateways, by what they were.";

// A bound of a time range; `otherwise` when it is not set.
absl::StatusOr<absl::Time> ReadBound(absl::string_view field, bool set, const google::protobuf::Timestamp& time,
                                     absl::Time otherwise) {
  if (!set) return otherwise;
  using google::protobuf::util::TimeUtil;
  if (time.seconds() < TimeUtil::kTimestampMinSeconds || time.seconds() > TimeUtil::kTimestampMaxSeconds) {
    return absl::InvalidArgumentError(absl::StrCat(field, ": outside the years 1 to 9999"));
  }
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

absl::StatusOr<EventFilter> FilterFromRequest(const rules::v1::ListEventsRequest& request) {
  EventFilter filter;
  filter.connection_id = request.connection_id();
  filter.repository = request.repository();
  filter.ref = request.ref();
  filter.delivery_id = request.delivery_id();
  for (int i = 0; i < request.states_size(); ++i) {
    if (request.states(i) < rules::v1::Event::STATE_RECEIVED || request.states(i) > rules::v1::Event::STATE_IGNORED) {
      return absl::InvalidArgumentError(
          absl::StrCat("states[", i, "]: accepted: STATE_RECEIVED, STATE_EVALUATED, STATE_IGNORED"));
    }
    filter.states.push_back(static_cast<EventState>(request.states(i)));
  }
  DAVIT_ASSIGN_OR_RETURN(filter.start,
                         ReadBound("start_time", request.has_start_time(), request.start_time(), absl::InfinitePast()));
  DAVIT_ASSIGN_OR_RETURN(filter.end,
                         ReadBound("end_time", request.has_end_time(), request.end_time(), absl::InfiniteFuture()));
  return filter;
}

absl::StatusOr<Event> ReadIngested(const auth::Caller& caller, const rules::v1::IngestEventRequest& request) {
  if (request.project().empty()) return absl::InvalidArgumentError("project: required; it is the webhook's");
  DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request.project()));
  return EventFromRequest(project, request);
}

rules::v1::IngestEventResponse ToResponse(const Recorded& recorded) {
  rules::v1::IngestEventResponse response;
  response.set_event_id(recorded.event_id);
  response.set_duplicate(recorded.duplicate);
  return response;
}

}  // namespace

EventCalls::EventCalls(RuleStore& rules, EventLedger& ledger, EventEvaluator& evaluator, SourceDirectory& directory,
                       Clock& clock, metrics::Registry& metrics, Wakeups wakeups)
    : rules_(rules),
      ledger_(ledger),
      evaluator_(evaluator),
      directory_(directory),
      clock_(clock),
      wakeups_(std::move(wakeups)),
      ingested_(metrics.GetCounter(kMetric, kHelp, {{"kind", "received"}})),
      ignored_(metrics.GetCounter(kMetric, kHelp, {{"kind", "ignored"}})),
      repeated_(metrics.GetCounter(kMetric, kHelp, {{"kind", "repeated"}})) {}

absl::StatusOr<rules::v1::IngestEventResponse> EventCalls::Ingest(const auth::Caller& caller,
                                                                  const rules::v1::IngestEventRequest& request) {
  DAVIT_ASSIGN_OR_RETURN(const Event event, ReadIngested(caller, request));
  DAVIT_ASSIGN_OR_RETURN(const Recorded recorded, ledger_.Ingest(event));
  Count(event, recorded);
  return ToResponse(recorded);
}

absl::StatusOr<rules::v1::IngestEventsResponse> EventCalls::IngestAll(const auth::Caller& caller,
                                                                      const rules::v1::IngestEventsRequest& request) {
  if (request.events().empty() || request.events_size() > kMaxIngested) {
    return absl::InvalidArgumentError(absl::StrCat("events: 1 to ", kMaxIngested, " are accepted"));
  }
  std::vector<absl::StatusOr<Event>> events;
  events.reserve(static_cast<size_t>(request.events_size()));
  for (const auto& one : request.events()) events.push_back(ReadIngested(caller, one));
  // Those of one project are stored together.
  std::map<std::string, std::vector<size_t>> places;
  for (size_t i = 0; i < events.size(); ++i) {
    if (events[i].ok()) places[events[i]->project].push_back(i);
  }
  std::vector<absl::StatusOr<Recorded>> answers;
  answers.reserve(events.size());
  for (const absl::StatusOr<Event>& event : events) {
    answers.emplace_back(event.ok() ? absl::InternalError("not stored") : event.status());
  }
  for (const auto& [project, some] : places) {
    std::vector<const Event*> together;
    for (const size_t place : some) together.push_back(&*events[place]);
    std::vector<absl::StatusOr<Recorded>> stored = ledger_.IngestEach(project, together);
    for (size_t i = 0; i < some.size(); ++i) answers[some[i]] = std::move(stored[i]);
  }
  rules::v1::IngestEventsResponse response;
  for (size_t i = 0; i < events.size(); ++i) {
    const absl::StatusOr<Recorded>& recorded = answers[i];
    rules::v1::IngestEventsResponse::Outcome& outcome = *response.add_outcomes();
    if (recorded.ok()) {
      Count(*events[i], *recorded);
      *outcome.mutable_event() = ToResponse(*recorded);
    } else {
      outcome.set_code(static_cast<int>(recorded.status().code()));
      outcome.set_message(std::string(recorded.status().message()));
    }
  }
  return response;
}

void EventCalls::Count(const Event& event, const Recorded& recorded) {
  if (recorded.duplicate) {
    repeated_.Increment();
  } else if (event.state == EventState::kIgnored) {
    ignored_.Increment();
  } else {
    ingested_.Increment();
    wakeups_.events_received();
  }
}

absl::StatusOr<rules::v1::ListEventsResponse> EventCalls::List(const auth::Caller& caller,
                                                               const rules::v1::ListEventsRequest& request) {
  DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request.project()));
  DAVIT_ASSIGN_OR_RETURN(const int page_size, PageSize(request.page_size()));
  DAVIT_ASSIGN_OR_RETURN(const int64_t before, DecodePosition(request.page_token()));
  DAVIT_ASSIGN_OR_RETURN(const EventFilter filter, FilterFromRequest(request));
  DAVIT_ASSIGN_OR_RETURN(const EventPage page, ledger_.List(project, filter, before, page_size));
  rules::v1::ListEventsResponse response;
  const bool full = request.view() == rules::v1::EVENT_VIEW_FULL;
  size_t bytes = 0;
  for (size_t i = 0; i < page.events.size(); ++i) {
    rules::v1::Event listed = ToProto(page.events[i]);
    // A page of pushes with all their commits could be larger than a message may be.
    if (!full && listed.push().commits_size() > 0) {
      listed.mutable_push()->clear_commits();
      listed.mutable_push()->set_commits_truncated(true);
    }
    bytes += listed.ByteSizeLong();
    if (i > 0 && bytes > kPageBytes) {
      response.set_next_page_token(EncodePageToken(absl::StrCat(page.places[i - 1])));
      return response;
    }
    *response.add_events() = std::move(listed);
  }
  if (page.next > 0) response.set_next_page_token(EncodePageToken(absl::StrCat(page.next)));
  return response;
}

absl::StatusOr<rules::v1::GetEventResponse> EventCalls::Get(const auth::Caller& caller,
                                                            const rules::v1::GetEventRequest& request) {
  DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request.project()));
  DAVIT_ASSIGN_OR_RETURN(const Event event, ledger_.Get(project, request.id()));
  rules::v1::GetEventResponse response;
  *response.mutable_event() = ToProto(event);
  return response;
}

absl::StatusOr<rules::v1::ReplayEventResponse> EventCalls::Replay(const auth::Caller& caller,
                                                                  const rules::v1::ReplayEventRequest& request) {
  DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request.project()));
  if (request.request_id().size() > kMaxRequestIdBytes) {
    return absl::InvalidArgumentError("request_id: longer than 100 characters");
  }
  ReplayOptions options;
  options.rebuild = request.force() ? Rebuild::kForced : Rebuild::kNo;
  options.requested_by = caller.name;
  options.request_id = request.request_id();
  const auto evaluate = [this](const Event& event, absl::Span<const Rule> rules) {
    return evaluator_.Evaluate(event, rules);
  };
  DAVIT_ASSIGN_OR_RETURN(const int ordered, ledger_.Replay(project, request.id(), options, evaluate));
  if (ordered > 0) wakeups_.builds_ordered();
  DAVIT_ASSIGN_OR_RETURN(const Event event, ledger_.Get(project, request.id()));
  rules::v1::ReplayEventResponse response;
  *response.mutable_event() = ToProto(event);
  return response;
}

absl::StatusOr<rules::v1::TriggerRuleResponse> EventCalls::TriggerRule(const auth::Caller& caller,
                                                                       const rules::v1::TriggerRuleRequest& request) {
  DAVIT_ASSIGN_OR_RETURN(const std::string project, auth::ResolveProject(caller, request.project()));
  if (request.request_id().size() > kMaxRequestIdBytes) {
    return absl::InvalidArgumentError("request_id: longer than 100 characters");
  }
  if (request.revision().size() > kMaxRevisionBytes) {
    return absl::InvalidArgumentError("revision: longer than 1024 bytes");
  }
  DAVIT_ASSIGN_OR_RETURN(const Rule rule, rules_.Get(project, request.id()));
  absl::StatusOr<Event> event = absl::NotFoundError("no request id");
  if (!request.request_id().empty()) event = ledger_.FindDelivery(project, rule.id, request.request_id());
  if (absl::IsNotFound(event.status())) {
    absl::StatusOr<std::string> id = Trigger(caller, rule, request);
    for (int i = 1; i < kTriggerTries && absl::IsAborted(id.status()); ++i) {
      // Another build of the rule has just got the number that this one was to have.
      DAVIT_ASSIGN_OR_RETURN(const Rule again, rules_.Get(project, request.id()));
      id = Trigger(caller, again, request);
    }
    if (!id.ok()) return id.status();
    event = ledger_.Get(project, *id);
  }
  if (!event.ok()) return event.status();
  rules::v1::TriggerRuleResponse response;
  *response.mutable_event() = ToProto(*event);
  return response;
}

absl::StatusOr<std::string> EventCalls::Trigger(const auth::Caller& caller, const Rule& rule,
                                                const rules::v1::TriggerRuleRequest& request) {
  const absl::StatusOr<ResolvedRevision> revision = directory_.Resolve(rule, request.revision(), caller.request_id);
  if (!revision.ok()) return Annotate(revision.status(), "revision");
  std::optional<GitRef> ref;
  if (!revision->ref.empty()) {
    absl::StatusOr<GitRef> parsed = GitRef::Parse(revision->ref);
    if (!parsed.ok()) return Annotate(parsed.status(), "revision");
    ref = *std::move(parsed);
  }
  DAVIT_ASSIGN_OR_RETURN(
      std::vector<std::string> tags,
      RenderTags(rule.tag_templates, TagInputs{ref, revision->commit, clock_.Now(), rule.build_number + 1}));
  if (tags.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "revision: none of the rule's tag templates applies to ",
        ref.has_value() ? absl::StrCat("a ", ref->kind_name()) : "a bare commit",
        "; build a branch or a tag that they name, or add a template such as \"{commit:12}\" to the rule"));
  }
  Event event;
  event.id = ledger_.NewEventId();
  event.project = rule.project;
  event.kind = EventKind::kManual;
  event.state = EventState::kEvaluated;
  event.connection_id = rule.connection_id;
  event.source_id = rule.id;
  event.delivery_id = request.request_id().empty() ? event.id : request.request_id();
  event.push.set_repository(rule.repository);
  event.push.set_ref(revision->ref);
  event.push.set_after(revision->commit);
  event.push.set_pusher(caller.name);
  event.detail = absl::StrCat("triggered by ", caller.name);
  Outcome outcome;
  const int64_t number = NamesNumber(rule.tag_templates, ref) ? rule.build_number + 1 : 0;
  outcome.order = OrderForManual(rule, event, BuildSubject{ref, revision->commit, tags, number, caller.name});
  outcome.explanation = Explanation{rule.id, rule.display_name, Reason::kMatched, event.detail, "", std::move(tags)};
  DAVIT_ASSIGN_OR_RETURN(const Recorded recorded, ledger_.RecordManual(event, outcome));
  if (!recorded.duplicate) wakeups_.builds_ordered();
  return recorded.event_id;
}

}  // namespace davit::rule_engine
