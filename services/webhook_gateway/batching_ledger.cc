// Implements batching_ledger.h: the workers of a Batcher make the calls.
#include "services/webhook_gateway/batching_ledger.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "libs/batch/batcher.h"
#include "libs/status/retry.h"

namespace davit::webhook_gateway {
namespace {

constexpr size_t kMaxCallBytes = size_t{4} << 20;
constexpr absl::Duration kShortestCall = absl::Seconds(1);

// A delivery on its way, and when its sender is not to wait any longer (on the monotonic clock).
struct Pending {
  rules::v1::IngestEventRequest request;
  absl::Duration end;
};

class BatchingLedger : public EventLedger {
 public:
  BatchingLedger(IngestCall call, absl::Duration timeout, Clock& clock, RandomSource& random)
      : call_(std::move(call)),
        timeout_(timeout),
        clock_(clock),
        random_(random),
        batcher_({.max_bytes = kMaxCallBytes}, [this](DeliveryBatcher::Batch& batch) { Send(batch); }) {}

  void Ingest(Delivery delivery, Done done) override {
    Pending pending{{}, clock_.Monotonic() + timeout_};
    rules::v1::IngestEventRequest& request = pending.request;
    request.set_project(std::move(delivery.project));
    request.set_connection_id(std::move(delivery.connection_id));
    request.set_webhook_id(std::move(delivery.webhook_id));
    request.set_delivery_id(std::move(delivery.delivery_id));
    for (auto& [name, value] : delivery.headers) (*request.mutable_headers())[name] = std::move(value);
    *request.mutable_push() = std::move(delivery.push);
    const size_t bytes = request.ByteSizeLong();
    batcher_.Submit(std::move(pending), bytes, std::move(done));
  }

 private:
  using DeliveryBatcher = batch::Batcher<Pending, LedgerEntry>;
  // Places of deliveries in a batch.
  using Places = std::vector<size_t>;

  // Hands the deliveries over, again and again with those that may still be taken, each until its end.
  void Send(DeliveryBatcher::Batch& batch) {
    Backoff backoff(absl::Milliseconds(100), absl::Seconds(1), 2, 0.3, random_);
    Places left;
    for (size_t i = 0; i < batch.size(); ++i) left.push_back(i);
    while (true) {
      std::vector<absl::StatusOr<LedgerEntry>> answers = Call(batch, left);
      Places again;
      std::vector<absl::Status> refusals;
      for (size_t i = 0; i < left.size(); ++i) {
        if (answers[i].ok() || !IsRetryable(answers[i].status().code())) {
          batch.Answer(left[i], std::move(answers[i]));
        } else {
          again.push_back(left[i]);
          refusals.push_back(answers[i].status());
        }
      }
      if (again.empty()) return;
      const absl::Duration pause = backoff.Next();
      const absl::Duration next = clock_.Monotonic() + pause;
      left.clear();
      for (size_t i = 0; i < again.size(); ++i) {
        if (next < batch.item(again[i]).end) {
          left.push_back(again[i]);
        } else {
          batch.Answer(again[i], refusals[i]);
        }
      }
      if (left.empty()) return;
      clock_.SleepFor(pause);
    }
  }

  // Hands the deliveries over, once; as many answers.
  std::vector<absl::StatusOr<LedgerEntry>> Call(DeliveryBatcher::Batch& batch, const Places& places) {
    rules::v1::IngestEventsRequest request;
    absl::Duration end = absl::InfiniteDuration();
    for (const size_t place : places) {
      request.add_events()->Swap(&batch.item(place).request);
      end = std::min(end, batch.item(place).end);
    }
    // One that has waited for long must not cut the others' time short.
    const absl::StatusOr<rules::v1::IngestEventsResponse> response =
        call_(request, std::max(end - clock_.Monotonic(), kShortestCall));
    for (size_t i = 0; i < places.size(); ++i) {
      request.mutable_events(static_cast<int>(i))->Swap(&batch.item(places[i]).request);
    }
    if (!response.ok()) return Failed(batch, places, response.status());
    std::vector<absl::StatusOr<LedgerEntry>> answers;
    for (const auto& outcome : response->outcomes()) {
      if (outcome.code() == 0) {
        answers.emplace_back(LedgerEntry{outcome.event().event_id(), outcome.event().duplicate()});
      } else {
        answers.emplace_back(absl::Status(static_cast<absl::StatusCode>(outcome.code()), outcome.message()));
      }
    }
    answers.resize(places.size(), absl::InternalError("the rule-engine did not answer in full"));
    return answers;
  }

  // What a call that failed as a whole says about each delivery, whatever its code: nothing.
  std::vector<absl::StatusOr<LedgerEntry>> Failed(DeliveryBatcher::Batch& batch, const Places& places,
                                                  const absl::Status& status) {
    using Answers = std::vector<absl::StatusOr<LedgerEntry>>;
    if (IsRetryable(status.code())) return Answers(places.size(), status);
    const bool about_one = absl::IsInternal(status) || absl::IsInvalidArgument(status);
    if (places.size() == 1 || !about_one) return Answers(places.size(), absl::InternalError(status.message()));
    // One of them may be what cannot be read.
    Answers answers;
    for (const size_t place : places) answers.push_back(std::move(Call(batch, {place}).front()));
    return answers;
  }

  const IngestCall call_;
  const absl::Duration timeout_;
  Clock& clock_;
  RandomSource& random_;
  DeliveryBatcher batcher_;  // last: its workers use the others
};

}  // namespace

std::unique_ptr<EventLedger> MakeBatchingLedger(IngestCall call, absl::Duration timeout, Clock& clock,
                                                RandomSource& random) {
  return std::make_unique<BatchingLedger>(std::move(call), timeout, clock, random);
}

}  // namespace davit::webhook_gateway
