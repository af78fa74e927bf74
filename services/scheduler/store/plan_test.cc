// Tests that the queue's statements stay off sequential scans of large tables: with 200,000 queued builds, as the
// application's role under row-level security.
#include <gmock/gmock.h>

#include <pqxx/pqxx>
#include <string>

#include "absl/strings/str_cat.h"
#include "services/scheduler/queries.h"
#include "services/scheduler/store/store_fixture.h"

namespace davit::scheduler {
namespace {

constexpr char kFill[] = R"sql(
insert into builds (id, project, request_digest, pool, priority, spec, image_repository, repository, rule_id, timeout, state)
  select 'bld_' || lpad(n::text, 26, '0'), 'p' || n % 200, '', 'default', 0, repeat('x', 200)::bytea, 'r/i', 'o/r', 'rul_x',
         interval '1 hour', 1
  from generate_series(1, 200000) n;
insert into build_queue (pool, project, priority, sequence, build_id)
  select 'default', project, 0, sequence, id from builds;
insert into queue_lanes (pool, project, queued, max_running)
  select 'default', 'p' || n, 1000, 20 from generate_series(0, 199) n;
insert into agents (id, name, pool, session_id)
  select 'agt_' || lpad(n::text, 26, '0'), 'agent' || n, 'default', 'ses_' || n from generate_series(1, 100) n;
insert into build_leases (build_id, pool, project, priority, sequence, attempt, agent_id, session_id, fence, expires_at, deadline_at)
  select 'bld_lease' || n, 'default', 'p1', 0, n, 1, 'agt_' || lpad((n % 100 + 1)::text, 26, '0'), 'ses_' || n % 100 + 1, n, now(), now()
  from generate_series(1, 2000) n;
insert into build_attempts (build_id, attempt, project, agent_id, agent_name, session_id, fence)
  select id, 1, project, 'agt', 'one', 'ses', sequence from builds where sequence <= 50000;
insert into build_events (build_id, project, revision, state) select id, project, 1, 1 from builds;
insert into build_logs (build_id, attempt, log_offset, project, data)
  select build_id, 1, chunk * 10, project, 'xxxxxxxxxx'::bytea from build_attempts, generate_series(0, 1) chunk where fence <= 20000;
insert into commit_statuses (project, connection_id, repository, commit_id, context, build_id, sequence, revision, state, due_at, changed_at)
  select project, 'con_1', 'o/r', lpad(to_hex(sequence), 40, '0'), 'davit/main', id, sequence, 1, 1,
         case when sequence % 1000 = 0 then now() end, now() - sequence * interval '1 minute'
  from builds where sequence <= 100000;
insert into grant_revocations (project, build_id, fence, due_at)
  select project, id, sequence, now() + (sequence - 100) * interval '1 second' from builds where sequence <= 20000;
insert into publications (build_id, project, sequence, image_repository, registry_credential_id, digest, due_at)
  select id, project, sequence, 'r/i', 'rcr_1', 'sha256:x', now() + (sequence - 100) * interval '1 second'
  from builds where sequence <= 20000;
insert into concurrency_members (project, concurrency_key, sequence, build_id)
  select project, sha256((sequence % 5000)::text::bytea), sequence, id from builds;
insert into rule_waits (project, rule_id, priority, sequence, pool, build_id, max_concurrent)
  select project, 'rul_' || sequence % 100, 0, sequence, 'default', id, 2 from builds;
insert into rule_slots (project, rule_id, sequence, max_concurrent)
  select 'p' || n % 200, 'rul_' || n, n, 2 from generate_series(1, 2000) n;
analyze;
)sql";

class PlanTest : public StoreFixture {
 protected:
  // The plan that the application's role gets for a statement with these argument texts.
  std::string Plan(const postgres::Statement& statement, const std::string& arguments,
                   const std::string& project = "*") {
    pqxx::connection connection(database_.app_conninfo("scheduler"));
    pqxx::work work(connection);
    work.exec(absl::StrCat("select set_config('davit.project', '", project, "', true)"));
    work.exec("set local plan_cache_mode = force_generic_plan");
    work.exec(absl::StrCat("prepare planned as ", statement.text));
    std::string plan;
    for (const pqxx::row& row : work.exec(absl::StrCat("explain (costs off) execute planned", arguments))) {
      absl::StrAppend(&plan, row[0].as<std::string>(), "\n");
    }
    work.exec("deallocate planned");
    return plan;
  }

  // Fails when the plan reads a large table from end to end.
  void ExpectIndexed(const postgres::Statement& statement, const std::string& arguments,
                     const std::string& project = "*") {
    const std::string plan = Plan(statement, arguments, project);
    for (const char* table :
         {"builds", "build_queue", "build_attempts", "build_events", "build_logs", "commit_statuses",
          "grant_revocations", "publications", "concurrency_members", "rule_waits"}) {
      EXPECT_THAT(plan, ::testing::Not(::testing::HasSubstr(absl::StrCat("Seq Scan on ", table, " "))))
          << statement.name << "\n"
          << plan;
      EXPECT_THAT(plan, ::testing::Not(::testing::HasSubstr(absl::StrCat("Seq Scan on ", table, "\n"))))
          << statement.name << "\n"
          << plan;
    }
  }
};

TEST_F(PlanTest, TheQueuesStatementsUseIndexes) {
  Sql(kFill);
  const std::string build = "'bld_00000000000000000000000042'";
  ExpectIndexed(queries::kClaimBuilds,
                "('default', '*', '{agt_00000000000000000000000001,agt_00000000000000000000000002}', '{ses_1,ses_2}', "
                "'30 s', '1 min')");
  ExpectIndexed(queries::kRenewLeases, "('ses_1', '{bld_lease1,bld_lease2}', '{1,2}', '30 s')");
  ExpectIndexed(queries::kReportPhases, "('{bld_lease1}', '{1}', '{2}', 'ses_1')");
  ExpectIndexed(queries::kSelectSessionLeases, "('ses_1')");
  ExpectIndexed(queries::kSelectLeasesOfSession, "('ses_1')");
  ExpectIndexed(queries::kDeleteLease, "('bld_lease1', 1)");
  ExpectIndexed(queries::kSelectDeadLeasesLocked, "(50)");
  ExpectIndexed(queries::kLockBuild, absl::StrCat("(", build, ")"));
  ExpectIndexed(queries::kAdvanceBuild, absl::StrCat("(", build, ", 3, 0, null, '', 0, '', false)"));
  ExpectIndexed(queries::kEndAttempt, absl::StrCat("(", build, ", 1, 1, 0, '', 0)"));
  ExpectIndexed(queries::kForgetAttempt, absl::StrCat("(", build, ", 1)"));
  ExpectIndexed(queries::kDequeueBuild, "('default', 'p42', 0, 42)");
  ExpectIndexed(queries::kPromoteDueDelays, "(10, '{default}', '{p42}', 20)");
  ExpectIndexed(queries::kReconcileLane, "('default', 'p42', 20)");
  ExpectIndexed(queries::kQueueDepths, "");
}

TEST_F(PlanTest, TheOutboxesStatementsUseIndexes) {
  Sql(kFill);
  const std::string status = absl::StrCat("'con_1', 'o/r', '", std::string(38, '0'), "ff', 'davit/main', 'p55'");
  ExpectIndexed(queries::kMarkCommits, "('{bld_00000000000000000000000042}')");
  ExpectIndexed(queries::kTakeCommitStatus, "('2 min')");
  ExpectIndexed(queries::kFinishCommitStatus, absl::StrCat("(", status, ", 'bld_00000000000000000000000255', 1)"));
  ExpectIndexed(queries::kPostponeCommitStatus, absl::StrCat("(", status, ", '1 min')"));
  ExpectIndexed(queries::kPostponeConnectionStatuses, "('con_1', '1 min')");
  ExpectIndexed(queries::kDeleteOldCommitStatuses, "('30 days', 1000)");
  ExpectIndexed(queries::kTakeRevocations, "(20, '1 min')");
  ExpectIndexed(queries::kTakePublications, "(1, '1 min')");
}

TEST_F(PlanTest, WhatBuildsShareIsFoundByIndexes) {
  Sql(kFill);
  const std::string key = "sha256('42')";
  ExpectIndexed(queries::kSelectOlderMembers, absl::StrCat("('p42', ", key, ", 200000)"), "p42");
  ExpectIndexed(queries::kLeaveGroup, absl::StrCat("('p42', ", key, ", 42)"), "p42");
  ExpectIndexed(queries::kAdmitWaiting, "('p42', 'rul_42', 20)", "p42");
  ExpectIndexed(queries::kReleaseRuleSlot, "('p42', 'rul_42', 42)");
  ExpectIndexed(queries::kCancelRuleWait, "('p42', 'rul_42', 0, 42)");
}

TEST_F(PlanTest, TheClientsStatementsUseIndexes) {
  Sql(kFill);
  const std::string build = "'bld_00000000000000000000000042'";
  ExpectIndexed(queries::kSelectBuild, absl::StrCat("(", build, ")"), "p42");
  ExpectIndexed(queries::kListBuilds, "('p42', null, '', '', 9223372036854775807, 50)", "p42");
  ExpectIndexed(queries::kSelectBuildByRequest, "('p42', 'x')", "p42");
  ExpectIndexed(queries::kSelectBuildAttempts, absl::StrCat("(", build, ")"), "p42");
  ExpectIndexed(queries::kSelectBuildEvents, absl::StrCat("(", build, ")"), "p42");
  ExpectIndexed(queries::kSelectVersions, absl::StrCat("(array[", build, "])"));
  ExpectIndexed(queries::kExplainQueue, absl::StrCat("(", build, ", '1 min')"), "p42");
  ExpectIndexed(queries::kLockLog, absl::StrCat("(", build, ", 42)"));
  ExpectIndexed(queries::kNewestFence, absl::StrCat("(", build, ")"));
  ExpectIndexed(queries::kAppendLog, absl::StrCat("(", build, ", 1, 20, 'p42', 'x')"));
  ExpectIndexed(queries::kReadLog, absl::StrCat("(", build, ", 1, 5, 64)"), "p42");
  ExpectIndexed(queries::kSelectLogState, absl::StrCat("(", build, ", 0)"), "p42");
}

}  // namespace
}  // namespace davit::scheduler
