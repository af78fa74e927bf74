// What of EventLedger is the same for all implementations.
#include "services/rule_engine/event_ledger.h"

#include "libs/status/retry.h"

namespace davit::rule_engine {

absl::StatusOr<Recorded> EventLedger::Ingest(const Event& event) {
  const Event* const one = &event;
  absl::StatusOr<std::vector<Recorded>> recorded = IngestAll(event.project, absl::MakeConstSpan(&one, 1));
  if (!recorded.ok()) return recorded.status();
  return std::move(recorded->front());
}

std::vector<absl::StatusOr<Recorded>> EventLedger::IngestEach(const std::string& project,
                                                              absl::Span<const Event* const> events) {
  using Answers = std::vector<absl::StatusOr<Recorded>>;
  absl::StatusOr<std::vector<Recorded>> recorded = IngestAll(project, events);
  if (recorded.ok()) return Answers(recorded->begin(), recorded->end());
  // When the database cannot be asked, asking again for each would make it worse.
  if (events.size() == 1 || IsRetryable(recorded.status().code())) return Answers(events.size(), recorded.status());
  Answers answers;
  for (const Event* event : events) answers.push_back(Ingest(*event));
  return answers;
}

}  // namespace davit::rule_engine
