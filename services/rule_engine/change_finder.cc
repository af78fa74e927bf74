// Asking for changed paths.
#include "services/rule_engine/change_finder.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/status/retry.h"
#include "libs/status/status_macros.h"

namespace davit::rule_engine {
namespace {

constexpr absl::Duration kFirstDelay = absl::Seconds(1);
constexpr absl::Duration kMaxDelay = absl::Seconds(30);
constexpr int kMaxDoublings = 10;
constexpr char kMetric[] = "davit_rule_engine_change_requests_total";
constexpr char kHelp[] = "Pushes whose changed paths were asked of their provider, by outcome.";

absl::Duration DelayAfter(int attempts, RandomSource& random) {
  Backoff backoff(kFirstDelay, kMaxDelay, 2, 0.3, random);
  absl::Duration delay = backoff.Next();
  for (int i = 1; i < std::min(attempts, kMaxDoublings); ++i) delay = backoff.Next();
  return delay;
}

}  // namespace

ChangeFinder::ChangeFinder(ChangeRequests& requests, SourceDirectory& directory, RandomSource& random,
                           const Logger& logger, metrics::Registry& metrics, std::function<void()> on_answered)
    : requests_(requests),
      directory_(directory),
      random_(random),
      logger_(logger),
      on_answered_(std::move(on_answered)),
      known_(metrics.GetCounter(kMetric, kHelp, {{"outcome", "known"}})),
      unknown_(metrics.GetCounter(kMetric, kHelp, {{"outcome", "unknown"}})),
      postponed_(metrics.GetCounter(kMetric, kHelp, {{"outcome", "postponed"}})) {}

absl::StatusOr<bool> ChangeFinder::Step() {
  DAVIT_ASSIGN_OR_RETURN(const std::optional<ChangeRequest> request, requests_.Claim(kClaim));
  if (!request.has_value()) return false;
  // Of many that have waited while the provider was away, none waits for the others' time-outs.
  const absl::StatusOr<ChangedPaths> asked = request->attempts > 1 && request->age > kPatience
                                                 ? absl::UnavailableError("it did not answer before")
                                                 : directory_.ListChangedPaths(*request);
  DAVIT_RETURN_IF_ERROR(Answer(*request, asked));
  return true;
}

absl::Status ChangeFinder::Answer(const ChangeRequest& request, const absl::StatusOr<ChangedPaths>& asked) {
  if (absl::IsUnavailable(asked.status()) && request.age < kPatience) {
    postponed_.Increment();
    return requests_.Postpone(request, DelayAfter(request.attempts, random_));
  }
  ChangedPaths changes;
  if (asked.ok()) {
    changes = *asked;
  } else {
    changes.incomplete = absl::StrCat("the provider could not be asked: ", asked.status().message());
    logger_.Warning("could not find out what a push changed",
                    {{"event", request.event_id}, {"repository", request.repository}, {"error", asked.status()}});
  }
  DAVIT_RETURN_IF_ERROR(requests_.Answer(request, changes));
  (changes.incomplete.empty() ? known_ : unknown_).Increment();
  on_answered_();
  return absl::OkStatus();
}

}  // namespace davit::rule_engine
