// Sending of orders, one after the other.
#include "services/rule_engine/build_dispatcher.h"

#include <algorithm>
#include <utility>

#include "libs/status/retry.h"
#include "libs/status/status_macros.h"

namespace davit::rule_engine {
namespace {

constexpr absl::Duration kFirstDelay = absl::Seconds(1);
constexpr absl::Duration kMaxDelay = absl::Minutes(2);
// After so many tries the delay has long been at its maximum.
constexpr int kMaxDoublings = 10;
constexpr char kMetric[] = "davit_rule_engine_build_orders_total";
constexpr char kHelp[] = "Orders sent to the scheduler, by outcome.";

absl::Duration DelayAfter(int attempts, RandomSource& random) {
  Backoff backoff(kFirstDelay, kMaxDelay, 2, 0.3, random);
  absl::Duration delay = backoff.Next();
  for (int i = 1; i < std::min(attempts, kMaxDoublings); ++i) delay = backoff.Next();
  return delay;
}

}  // namespace

BuildDispatcher::BuildDispatcher(BuildOutbox& outbox, BuildCreator& scheduler, RandomSource& random, Logger logger,
                                 metrics::Registry& metrics)
    : outbox_(outbox),
      scheduler_(scheduler),
      random_(random),
      logger_(std::move(logger)),
      sent_(metrics.GetCounter(kMetric, kHelp, {{"outcome", "sent"}})),
      refused_(metrics.GetCounter(kMetric, kHelp, {{"outcome", "refused"}})),
      postponed_(metrics.GetCounter(kMetric, kHelp, {{"outcome", "postponed"}})) {}

bool BuildDispatcher::IsRefusal(const absl::Status& status) {
  return absl::IsInvalidArgument(status) || absl::IsNotFound(status) || absl::IsFailedPrecondition(status) ||
         absl::IsAlreadyExists(status) || absl::IsOutOfRange(status);
}

absl::StatusOr<int> BuildDispatcher::Dispatch() {
  DAVIT_ASSIGN_OR_RETURN(const std::vector<ClaimedOrder> orders, outbox_.Claim(kBatch, kClaim));
  for (const ClaimedOrder& order : orders) DAVIT_RETURN_IF_ERROR(Send(order));
  return static_cast<int>(orders.size());
}

absl::Status BuildDispatcher::Send(const ClaimedOrder& order) {
  const absl::StatusOr<std::string> build_id = scheduler_.CreateBuild(order.request);
  if (build_id.ok()) {
    sent_.Increment();
    logger_.Info("ordered a build", {{"build", *build_id}, {"rule", order.rule_id}, {"event", order.event_id}});
    return outbox_.Finish(order.id, *build_id);
  }
  const absl::Status& error = build_id.status();
  if (IsRefusal(error)) {
    refused_.Increment();
    logger_.Warning("the scheduler refused a build",
                    {{"rule", order.rule_id}, {"event", order.event_id}, {"error", error}});
    return outbox_.Refuse(order.id, std::string(error.message()));
  }
  postponed_.Increment();
  const absl::Duration delay = DelayAfter(order.attempts, random_);
  logger_.Warning("could not order a build, will try again", {{"rule", order.rule_id},
                                                              {"event", order.event_id},
                                                              {"attempts", order.attempts},
                                                              {"delay", delay},
                                                              {"error", error}});
  return outbox_.Postpone(order.id, delay, error.ToString());
}

}  // namespace davit::rule_engine
