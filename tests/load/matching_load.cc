// The figure `matching`: CPU of one event's evaluation against 100,000 rules of 10,000 repositories, on a real
// PostgreSQL. Counts what the rule engine itself uses: the statements' client side, reading the rules, matching,
// writing explanations and orders. Prints `matching MILLISECONDS bound ok|short`, and the database's wall-clock share
// as a part.
#include <sys/resource.h>

#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "absl/time/clock.h"
#include "libs/clock/clock.h"
#include "libs/ids/random.h"
#include "libs/postgres/scope.h"
#include "libs/postgres/testing/test_database.h"
#include "libs/postgres/transaction.h"
#include "services/rule_engine/event_evaluator.h"
#include "services/rule_engine/migrations.h"
#include "services/rule_engine/postgres_event_ledger.h"

namespace davit::rule_engine {
namespace {

constexpr int kRules = 100000;
constexpr int kRulesAtOnce = 10000;
constexpr int kEvents = 2000;
constexpr int kBatch = 20;
constexpr double kBoundMilliseconds = 1;

// Ten rules a repository, each with patterns of every kind; one of them matches a push to main.
constexpr char kFill[] = R"sql(
insert into rules (id, project, display_name, enabled, connection_id, repository, repository_key, case_sensitive, spec, version)
select 'rul_' || i, 'default', 'rule ' || i, true, 'con_1', 'team/app' || i % 10000, 'team/app' || i % 10000, false,
    jsonb_build_object(
        'trigger', jsonb_build_object(
            'branches', case when i / 10000 = 3 then '["release/*", "main"]'::jsonb else '["release/*", "dev", "re:refs/heads/v[0-9]+"]'::jsonb end,
            'exclude_branches', '["release/old-*"]'::jsonb,
            'paths', '["src/", "**/*.cc"]'::jsonb,
            'exclude_paths', '["**/*.md"]'::jsonb,
            'exclude_authors', '["*[bot]"]'::jsonb),
        'recipe', '{"dockerfile_path": "Dockerfile", "context_dir": "."}'::jsonb,
        'destination', jsonb_build_object('repository', '127.0.0.1:5000/app' || i),
        'tag_templates', '["{branch}-{commit:7}", "latest"]'::jsonb), 1
from generate_series($0, $1) i;
)sql";

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// The push number `i`: of a repository, and of a commit that no other is of.
Event MakeEvent(int i) {
  Event event;
  event.project = "default";
  event.connection_id = "con_1";
  event.source_id = "whk_1";
  event.delivery_id = absl::StrCat("d", i);
  event.push.set_repository(absl::StrCat("Team/App", i * 7919 % 10000));
  event.push.set_ref("refs/heads/main");
  event.push.set_after(absl::StrCat(absl::Hex(i + 1, absl::kZeroPad16), std::string(24, 'c')));
  rules::v1::PushedCommit& commit = *event.push.add_commits();
  commit.set_id(event.push.after());
  commit.set_message("a change");
  commit.set_author_name("someone");
  for (int path = 0; path < 20; ++path) commit.add_modified(absl::StrCat("docs/part", path, "/README.md"));
  commit.add_modified("src/main.cc");
  return event;
}

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "matching: %s\n", status.ToString().c_str());
  return 1;
}

absl::Status RunScript(postgres::Pool& pool, const std::string& script) {
  return pool.Transact(postgres::Scope::AllProjects(),
                       [&](postgres::Transaction& transaction) { return transaction.ExecuteScript(script.c_str()); });
}

int Run() {
  postgres::TestDatabase database("rule_engine");
  database.Migrate("rule_engine", migrations::kAll);
  const auto pool = database.OpenPool("rule_engine", 2);
  for (int first = 0; first < kRules; first += kRulesAtOnce) {
    const absl::Status filled = RunScript(*pool, absl::Substitute(kFill, first, first + kRulesAtOnce - 1));
    if (!filled.ok()) return Fail(filled);
  }
  // Only the owner may gather statistics, which a running database has.
  const auto owner = postgres::Pool::Open({.conninfo = database.owner_conninfo("rule_engine"), .max_connections = 1});
  const absl::Status analyzed = owner.ok() ? RunScript(**owner, "analyze rules") : owner.status();
  if (!analyzed.ok()) return Fail(analyzed);
  RealClock clock;
  SystemRandom random;
  PostgresEventLedger ledger(*pool, clock, random);
  for (int i = 0; i < kEvents; ++i) {
    const auto recorded = ledger.Ingest(MakeEvent(i));
    if (!recorded.ok()) return Fail(recorded.status());
  }
  EventEvaluator evaluator;
  double matching = 0;
  int matched = 0;
  const auto evaluate = [&](const Event& event, absl::Span<const Rule> rules) {
    const double start = CpuSeconds();
    Evaluation evaluation = evaluator.Evaluate(event, rules);
    matching += CpuSeconds() - start;
    for (const Outcome& outcome : evaluation.outcomes) matched += outcome.order.has_value() ? 1 : 0;
    return evaluation;
  };
  const absl::Time start = absl::Now();
  const double cpu_before = CpuSeconds();
  int events = 0;
  for (int evaluated = 1; evaluated > 0; events += evaluated) {
    const auto batch = ledger.EvaluateReceived(kBatch, evaluate);
    if (!batch.ok()) return Fail(batch.status());
    evaluated = *batch;
  }
  const double cpu = (CpuSeconds() - cpu_before) * 1000 / events;
  const double wall = absl::ToDoubleMilliseconds(absl::Now() - start) / events;
  if (events != kEvents || matched != kEvents) {
    return Fail(absl::InternalError(absl::StrCat(events, " events, ", matched, " matches, of ", kEvents)));
  }
  std::printf("# matching: deciding alone %.3f ms CPU, with the database %.3f ms wall clock per event\n",
              matching * 1000 / events, wall);
  std::printf("matching %.3f %.0f %s\n", cpu, kBoundMilliseconds, cpu < kBoundMilliseconds ? "ok" : "short");
  return cpu < kBoundMilliseconds ? 0 : 1;
}

}  // namespace
}  // namespace davit::rule_engine

int main() { return davit::rule_engine::Run(); }
