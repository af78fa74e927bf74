// The statements behind RuleStore.
#include "services/rule_engine/postgres_rule_store.h"

#include "absl/strings/str_cat.h"
#include "libs/ids/ids.h"
#include "libs/postgres/error.h"
#include "libs/postgres/transaction.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"
#include "services/rule_engine/postgres_rows.h"
#include "services/rule_engine/queries.h"
#include "services/rule_engine/rule_conversion.h"

namespace davit::rule_engine {
namespace {

using postgres::Scope;
using postgres::Transaction;

absl::Status NoSuchRule(const std::string& id) { return absl::NotFoundError(absl::StrCat("no rule ", id)); }

absl::Status Explain(const absl::Status& status, const Rule& rule) {
  if (absl::IsAlreadyExists(status) && postgres::ViolatedConstraint(status) == "rules_display_name_key") {
    return absl::AlreadyExistsError(absl::StrCat("rule.display_name: the project has a rule \"", rule.display_name,
                                                 "\" already; choose another name"));
  }
  return Annotate(status, "Failed to store the rule");
}

absl::StatusOr<Rule> GetIn(Transaction& transaction, const std::string& project, const std::string& id) {
  DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kGetRule, project, id));
  if (rows.empty()) return NoSuchRule(id);
  return ReadRule(rows[0]);
}

}  // namespace

absl::StatusOr<Rule> PostgresRuleStore::Create(const Rule& rule) {
  DAVIT_ASSIGN_OR_RETURN(const std::string spec, SpecToJson(rule));
  absl::StatusOr<Rule> stored =
      pool_.Transact(Scope::Project(rule.project), [&](Transaction& transaction) -> absl::StatusOr<Rule> {
        DAVIT_ASSIGN_OR_RETURN(
            const pqxx::result rows,
            transaction.Execute(queries::kInsertRule, NewId("rul", clock_, random_), rule.project, rule.display_name,
                                rule.enabled, rule.connection_id, rule.repository, RepositoryKey(rule.repository),
                                rule.repository_case == NameCase::kSensitive, spec));
        return ReadRule(rows[0]);
      });
  if (!stored.ok()) return Explain(stored.status(), rule);
  return stored;
}

absl::StatusOr<Rule> PostgresRuleStore::Get(const std::string& project, const std::string& id) {
  return pool_.Read(Scope::Project(project), [&](Transaction& transaction) { return GetIn(transaction, project, id); });
}

absl::StatusOr<std::vector<Rule>> PostgresRuleStore::List(const std::string& project, const RuleFilter& filter,
                                                          const std::string& after, int limit) {
  return pool_.Read(Scope::Project(project), [&](Transaction& transaction) -> absl::StatusOr<std::vector<Rule>> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows,
                           transaction.Execute(queries::kListRules, project, filter.connection_id,
                                               RepositoryKey(filter.repository), after, limit));
    return ReadRules(rows);
  });
}

absl::StatusOr<std::vector<Rule>> PostgresRuleStore::ListOfImage(const Rule& rule) {
  return pool_.Read(Scope::Project(rule.project), [&](Transaction& transaction) -> absl::StatusOr<std::vector<Rule>> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kListRulesOfImage, rule.project,
                                                                        rule.destination.repository(), rule.id));
    return ReadRules(rows);
  });
}

absl::StatusOr<Rule> PostgresRuleStore::Update(const Rule& rule) {
  DAVIT_ASSIGN_OR_RETURN(const std::string spec, SpecToJson(rule));
  absl::StatusOr<Rule> stored =
      pool_.Transact(Scope::Project(rule.project), [&](Transaction& transaction) -> absl::StatusOr<Rule> {
        DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kUpdateRule, rule.project, rule.id,
                                                                            rule.display_name, spec, rule.version));
        if (!rows.empty()) return ReadRule(rows[0]);
        DAVIT_RETURN_IF_ERROR(GetIn(transaction, rule.project, rule.id).status());
        return absl::FailedPreconditionError("stale");
      });
  // A status of code ABORTED would make the pool run the transaction again.
  if (absl::IsFailedPrecondition(stored.status()) && postgres::SqlState(stored.status()).empty()) {
    return absl::AbortedError("rule.etag: the rule was changed since it was read; read it again and repeat the change");
  }
  if (!stored.ok() && !absl::IsNotFound(stored.status())) return Explain(stored.status(), rule);
  return stored;
}

absl::StatusOr<Rule> PostgresRuleStore::SetEnabled(const std::string& project, const std::string& id, bool enabled) {
  return pool_.Transact(Scope::Project(project), [&](Transaction& transaction) -> absl::StatusOr<Rule> {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows,
                           transaction.Execute(queries::kSetRuleEnabled, project, id, enabled));
    if (rows.empty()) return NoSuchRule(id);
    return ReadRule(rows[0]);
  });
}

absl::Status PostgresRuleStore::Delete(const std::string& project, const std::string& id) {
  return pool_.Transact(Scope::Project(project), [&](Transaction& transaction) -> absl::Status {
    DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kDeleteRule, project, id));
    if (rows.empty()) return NoSuchRule(id);
    // Whether it was the last rule of its repository shows later: two may go at once.
    return transaction
        .Execute(queries::kInsertHookRelease, project, postgres::ReadText(rows[0]["connection_id"]),
                 postgres::ReadText(rows[0]["repository_key"]), postgres::ReadText(rows[0]["repository"]))
        .status();
  });
}

}  // namespace davit::rule_engine
