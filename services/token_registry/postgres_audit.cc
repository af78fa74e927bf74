// Implements the log of accesses of postgres_store.h.
#include "absl/strings/numbers.h"
#include "libs/postgres/transaction.h"
#include "libs/status/status_macros.h"
#include "services/token_registry/postgres_rows.h"
#include "services/token_registry/postgres_store.h"
#include "services/token_registry/queries.h"

namespace davit::token_registry {

using postgres::ReadText;
using postgres::Transaction;

absl::Status PostgresStore::RecordSecretAccess(const SecretAccess& access) {
  return pool_.Transact(ScopeOf(access.project), [&](Transaction& transaction) {
    return transaction
        .Execute(queries::kRecordSecretAccess, access.at, access.project, access.token_id, access.request,
                 access.record_id, access.field, access.purpose, access.build_id)
        .status();
  });
}

absl::StatusOr<std::vector<SecretAccess>> PostgresStore::ListSecretAccesses(const std::string& project,
                                                                            const SecretAccessFilter& filter,
                                                                            const Page& page) {
  int64_t after = 0;
  if (!page.after.empty() && (!absl::SimpleAtoi(page.after, &after) || after <= 0)) {
    return absl::InvalidArgumentError("page_token: is not a next_page_token of an earlier page");
  }
  return pool_.Read(ScopeOf(project), [&](Transaction& transaction) -> absl::StatusOr<std::vector<SecretAccess>> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows,
                           transaction.Execute(queries::kListSecretAccesses, project, filter.record_id, filter.build_id,
                                               after, page.size));
    std::vector<SecretAccess> accesses;
    for (const pqxx::row& row : rows) {
      SecretAccess access;
      access.number = row["id"].as<int64_t>();
      access.at = postgres::ReadTime(row["at"]);
      access.project = ReadText(row["project"]);
      access.token_id = ReadText(row["token_id"]);
      access.request = ReadText(row["request"]);
      access.record_id = ReadText(row["record_id"]);
      access.field = ReadText(row["field"]);
      access.purpose = ReadText(row["purpose"]);
      access.build_id = ReadText(row["build_id"]);
      accesses.push_back(std::move(access));
    }
    return accesses;
  });
}

}  // namespace davit::token_registry
