// Deliveries that come at the same time share a call into the ledger of the rule-engine. Thread-safe.
#pragma once

#include <memory>

#include "absl/time/time.h"
#include "libs/clock/clock.h"
#include "libs/ids/random.h"
#include "services/webhook_gateway/backends.h"

namespace davit::webhook_gateway {

// Makes one call for the deliveries that come at the same time, and again for each that fails in a way that may pass,
// for about `timeout` in all: most providers deliver once only. `clock` and `random` must outlive the ledger, whose end
// waits for all answers.
std::unique_ptr<EventLedger> MakeBatchingLedger(IngestCall call, absl::Duration timeout, Clock& clock,
                                                RandomSource& random);

}  // namespace davit::webhook_gateway
