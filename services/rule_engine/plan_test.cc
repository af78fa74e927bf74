// Plans of the hot statements over 100,000 rules of 10,000 repositories and a large ledger: none may scan a table.
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "libs/postgres/scope.h"
#include "libs/postgres/transaction.h"
#include "libs/status/status_macros.h"
#include "services/rule_engine/queries.h"
#include "services/rule_engine/testing/store_fixture.h"

namespace davit::rule_engine {
namespace {

using postgres::Scope;
using postgres::Statement;
using postgres::Transaction;

constexpr char kFill[] = R"sql(
insert into rules (id, project, display_name, enabled, connection_id, repository, repository_key, case_sensitive, spec, version)
select 'rul_' || i, 'default', 'rule ' || i, true, 'con_1', 'team/app' || i % 10000, 'team/app' || i % 10000, false,
    jsonb_build_object('destination', jsonb_build_object('repository', '127.0.0.1:5000/app' || i % 10000)), 1
from generate_series(1, 100000) i;
insert into events (id, project, kind, state, connection_id, source_id, delivery_id, repository_key, ref, payload, detail)
select 'evt_' || i, 'default', 'webhook', case when i % 100 = 0 then 'queued' else 'evaluated' end, 'con_1', 'whk_1', 'd' || i,
    'team/app' || i % 10000, 'refs/heads/main', '', ''
from generate_series(1, 100000) i;
insert into event_queue (seq, event_id, project, lane)
select seq, id, project, event_lane(connection_id, repository_key, ref)
from events
where state = 'queued';
insert into event_outcomes (event_id, project, state, detail)
select id, project, 'evaluated', ''
from events
where state = 'evaluated';
insert into event_explanations (event_id, rule_id, project, position, rule_display_name, reason, detail, tags)
select 'evt_' || i, 'rul_' || i, 'default', 0, '', 1, '', '[]'
from generate_series(1, 100000) i;
insert into rule_builds (rule_id, ref, commit_id, project, event_id)
select 'rul_' || i, 'refs/heads/main', repeat('a', 40), 'default', 'evt_' || i
from generate_series(1, 100000) i;
insert into build_orders (project, rule_id, ref, commit_id, event_id, request_id, request, next_attempt)
select 'default', 'rul_' || i, 'refs/heads/main', repeat('a', 40), 'evt_' || i, 'r' || i, '', now() + i * interval '1 second'
from generate_series(-100, 50000) i;
insert into event_changes (event_id, project, paths)
select 'evt_' || i, 'default', case when i % 100 = 0 then null else '[]'::jsonb end
from generate_series(1, 20000) i;
)sql";

class PlanTest : public StoreFixture {
 protected:
  PlanTest() {
    // Filling takes seconds, and on a busy machine longer than a statement may take in the service.
    auto patient = postgres::Pool::Open({.conninfo = database_.app_conninfo("rule_engine"),
                                         .max_connections = 1,
                                         .statement_timeout = absl::Minutes(10),
                                         .idle_in_transaction_timeout = absl::Minutes(10)});
    EXPECT_TRUE(patient.ok()) << patient.status();
    const absl::Status filled = (*patient)->Transact(
        Scope::AllProjects(), [](Transaction& transaction) { return transaction.ExecuteScript(kFill); });
    EXPECT_TRUE(filled.ok()) << filled;
    for (const char* table : {"rules", "events", "event_queue", "event_outcomes", "event_explanations", "rule_builds",
                              "build_orders", "event_changes"})
      Analyze(table);
  }

  // Only the owner may gather statistics.
  void Analyze(const std::string& table) { RunAsOwner(absl::StrCat("analyze ", table)); }

  void RunAsOwner(const std::string& script) {
    auto owner = postgres::Pool::Open({.conninfo = database_.owner_conninfo("rule_engine"),
                                       .max_connections = 1,
                                       .statement_timeout = absl::Minutes(10)});
    ASSERT_TRUE(owner.ok()) << owner.status();
    const absl::Status status = (*owner)->Transact(
        Scope::AllProjects(), [&](Transaction& transaction) { return transaction.ExecuteScript(script.c_str()); });
    ASSERT_TRUE(status.ok()) << status;
  }

  // The plan of a statement of the service, under row-level security, without its parameters' values being known.
  template <typename... Args>
  std::string Plan(const Statement& statement, const Scope& scope, Args... args) {
    const std::string name = absl::StrCat("explain_", statement.name);
    const std::string text = absl::StrCat("explain (costs off) ", statement.text);
    const Statement explain{name.c_str(), text.c_str()};
    const auto plan = pool_->Transact(scope, [&](Transaction& transaction) -> absl::StatusOr<std::string> {
      if (use_indexes_) DAVIT_RETURN_IF_ERROR(transaction.Execute(queries::kUseIndexes).status());
      DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(explain, args...));
      std::string lines;
      for (const pqxx::row& row : rows) absl::StrAppend(&lines, row[0].c_str(), "\n");
      return lines;
    });
    EXPECT_TRUE(plan.ok()) << plan.status();
    return plan.value_or("Seq Scan");
  }

  // As the ledger has it when it evaluates.
  bool use_indexes_ = false;
};

TEST_F(PlanTest, NoHotStatementScansATable) {
  const Scope project = Scope::Project("default");
  const Scope all = Scope::AllProjects();
  constexpr int64_t kNewest = int64_t{1} << 60;
  const std::vector<std::string> kAny;
  const absl::Time kFirst = absl::InfinitePast();
  const absl::Time kLast = absl::InfiniteFuture();
  const std::string plans[] = {
      Plan(queries::kSelectRulesOfRepositories, all, std::vector<std::string>{"default"},
           std::vector<std::string>{"con_1"}, std::vector<std::string>{"team/app7"}),
      Plan(queries::kGetRule, project, "default", "rul_7"),
      Plan(queries::kListRules, project, "default", "", "", "rule 5", 50),
      Plan(queries::kFindEventOfDelivery, project, "default", "whk_1", "d7"),
      Plan(queries::kClaimReceivedEvents, all, 50, 0),
      Plan(queries::kQueueReceivedEvents, all, 50),
      Plan(queries::kGetQueuedEvents, all, std::vector<std::string>{"evt_7", "evt_8"}),
      Plan(queries::kFinishEvents, all, std::vector<int64_t>{7, 8}, std::vector<std::string>{"evt_7", "evt_8"},
           std::vector<std::string>{"default", "default"}, std::vector<std::string>{"evaluated", "ignored"},
           std::vector<std::string>{"", ""}),
      Plan(queries::kClaimChangeRequest, all, absl::Minutes(1)),
      Plan(queries::kAnswerChangeRequest, project, "evt_7", "[]", ""),
      Plan(queries::kGetEvent, project, "default", "evt_7"),
      Plan(queries::kListEvents, project, "default", "", kNewest, 50, "", "", kAny, kAny, kFirst, kLast),
      Plan(queries::kListEvents, project, "default", "team/app7", kNewest, 50, "", "", kAny, kAny, kFirst, kLast),
      Plan(queries::kListEventsOfDelivery, project, "default", "", kNewest, 50, "", "", kAny, kAny, kFirst, kLast,
           "d7"),
      Plan(queries::kListRulesOfImage, project, "default", "127.0.0.1:5000/app7", "rul_7"),
      Plan(queries::kDeleteOldEvents, all, absl::Hours(24 * 90), 500, "evt_5"),
      Plan(queries::kListPushesOfRefs, project, "default", "con_1", "team/app7", kFirst,
           std::vector<std::string>{"refs/heads/main"}),
      Plan(queries::kListExplanations, project, "default", "evt_7", std::string(40, 'a')),
      Plan(queries::kGetRuleBuild, all, "rul_7", "refs/heads/main", std::string(40, 'a')),
      Plan(queries::kClaimBuildOrders, all, 4, absl::Seconds(20)),
      Plan(queries::kFinishBuildOrder, all, 7, "bld_7"),
      Plan(queries::kRefuseBuildOrder, all, 7, "no"),
  };
  for (const std::string& plan : plans) EXPECT_FALSE(absl::StrContains(plan, "Seq Scan")) << plan;
  EXPECT_TRUE(absl::StrContains(plans[0], "rules_of_repository")) << plans[0];
}

TEST_F(PlanTest, APlanThatIsMadeWhileTheQueueIsEmptyServesWhenItIsFull) {
  RunAsOwner("truncate event_queue; analyze event_queue");
  use_indexes_ = true;
  const std::string claim = Plan(queries::kClaimReceivedEvents, Scope::AllProjects(), 50, 0);
  EXPECT_TRUE(absl::StrContains(claim, "Index Scan using event_queue_pkey on event_queue q")) << claim;
  EXPECT_TRUE(absl::StrContains(claim, "Index Scan using event_queue_of_lane on event_queue earlier")) << claim;
  const std::string finish =
      Plan(queries::kFinishEvents, Scope::AllProjects(), std::vector<int64_t>{7, 8},
           std::vector<std::string>{"evt_7", "evt_8"}, std::vector<std::string>{"default", "default"},
           std::vector<std::string>{"evaluated", "ignored"}, std::vector<std::string>{"", ""});
  EXPECT_TRUE(absl::StrContains(finish, "Index Scan using event_queue_pkey")) << finish;
}

}  // namespace
}  // namespace davit::rule_engine
