// What evaluating events writes: explanations, orders and ends, in the caller's transaction. Owns nothing; any thread.
#pragma once

#include <pqxx/pqxx>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/postgres/transaction.h"
#include "services/rule_engine/event.h"
#include "services/rule_engine/event_ledger.h"
#include "services/rule_engine/recent_events.h"

namespace davit::rule_engine {

// Writes what a rule that was triggered by hand makes of its event, which has just been stored. ABORTED: the order's
// number is not the rule's next any more.
absl::Status WriteManualOutcome(postgres::Transaction& transaction, const Event& event, const Outcome& outcome);

// Evaluates the claimed rows of the queue and takes them out of it: their rules are read, and their ends are written,
// by one statement. Those whose changed paths are to be asked for stay. Events that `recent` holds are not read; when
// the transaction fails they are read the next time.
absl::Status EvaluateQueued(postgres::Transaction& transaction, const pqxx::result& claimed, RecentEvents& recent,
                            EventLedger::Evaluate evaluate);

// Evaluates a locked past event again, as EventLedger::Replay says; options.request_id is not empty. Returns how many
// builds were ordered.
absl::StatusOr<int> EvaluateAgain(postgres::Transaction& transaction, const Event& event, const ReplayOptions& options,
                                  EventLedger::Evaluate evaluate);

}  // namespace davit::rule_engine
