// The statements behind ChangeRequests.
#include "services/rule_engine/postgres_change_requests.h"

#include <utility>

#include "davit/rules/v1/rule_engine.pb.h"
#include "libs/postgres/transaction.h"
#include "libs/status/status_macros.h"
#include "services/rule_engine/postgres_rows.h"
#include "services/rule_engine/queries.h"

namespace davit::rule_engine {

using postgres::ReadText;
using postgres::Scope;
using postgres::Transaction;

absl::StatusOr<std::optional<ChangeRequest>> PostgresChangeRequests::Claim(absl::Duration claim) {
  return pool_.Transact(
      Scope::AllProjects(), [&](Transaction& transaction) -> absl::StatusOr<std::optional<ChangeRequest>> {
        DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kClaimChangeRequest, claim));
        if (rows.empty()) return std::nullopt;
        const pqxx::row row = rows[0];
        rules::v1::IngestEventRequest payload;
        // What cannot be read has no commits, about which nothing can be asked.
        static_cast<void>(payload.ParseFromString(postgres::ReadBytes(row["payload"])));
        return ChangeRequest{ReadText(row["event_id"]),      ReadText(row["project"]),
                             ReadText(row["connection_id"]), payload.push().repository(),
                             payload.push().before(),        payload.push().after(),
                             row["attempts"].as<int>(),      absl::Seconds(row["age"].as<double>())};
      });
}

absl::Status PostgresChangeRequests::Answer(const ChangeRequest& request, const ChangedPaths& changes) {
  return pool_.Transact(Scope::Project(request.project), [&](Transaction& transaction) {
    return transaction
        .Execute(queries::kAnswerChangeRequest, request.event_id, TextsToJson(changes.paths), changes.incomplete)
        .status();
  });
}

absl::Status PostgresChangeRequests::Postpone(const ChangeRequest& request, absl::Duration delay) {
  return pool_.Transact(Scope::Project(request.project), [&](Transaction& transaction) {
    return transaction.Execute(queries::kPostponeChangeRequest, request.event_id, delay).status();
  });
}

}  // namespace davit::rule_engine
