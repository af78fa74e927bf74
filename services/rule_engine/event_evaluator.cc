// Evaluation of events by the matcher. Thread-safe through the cache's own lock.
#include "services/rule_engine/event_evaluator.h"

#include "absl/strings/str_cat.h"
#include "services/rule_engine/build_order.h"
#include "services/rule_engine/git_ref.h"
#include "services/rule_engine/rule_matcher.h"

namespace davit::rule_engine {
namespace {

// Whether the provider may know more, and was not asked. A new ref has nothing to be compared with.
bool MayBeCompared(const Event& event) {
  return !event.changes.has_value() && IsCommitId(event.push.before()) && event.push.before() != event.push.after();
}

}  // namespace

Evaluation EventEvaluator::Evaluate(const Event& event, absl::Span<const Rule> rules) {
  Evaluation evaluation;
  const absl::StatusOr<GitRef> ref = GitRef::Parse(event.push.ref());
  if (!ref.ok() || !IsCommitId(event.push.after())) {
    evaluation.state = EventState::kIgnored;
    evaluation.detail = ref.ok() ? "the push names no commit" : std::string(ref.status().message());
    return evaluation;
  }
  const PushFacts facts = FactsOf(event.push, event.changes);
  int matched = 0;
  for (const Rule& rule : rules) {
    if (!ConcernsRepository(rule, event.push.repository())) continue;
    TagInputs inputs{*ref, event.push.after(), event.receive_time, rule.build_number + 1};
    Verdict verdict = MatchRule(rule, inputs, facts, patterns_);
    Outcome outcome;
    if (verdict.reason == Reason::kMatched) {
      ++matched;
      evaluation.wants_changes |= verdict.paths_unknown && MayBeCompared(event);
      const int64_t number = NamesNumber(rule.tag_templates, *ref) ? inputs.number : 0;
      outcome.order = OrderForPush(
          rule, event,
          BuildSubject{*ref, event.push.after(), verdict.tags, number, absl::StrCat("rule ", rule.display_name)});
    }
    outcome.explanation =
        Explanation{rule.id, rule.display_name, verdict.reason, std::move(verdict.detail), "", std::move(verdict.tags)};
    evaluation.outcomes.push_back(std::move(outcome));
  }
  const size_t considered = evaluation.outcomes.size();
  evaluation.detail = considered == 0
                          ? absl::StrCat("no rule for ", event.push.repository())
                          : absl::StrCat(matched, " of ", considered, considered == 1 ? " rule" : " rules", " matched");
  return evaluation;
}

}  // namespace davit::rule_engine
