// Tests of the queue behind EventLedger::EvaluateReceived on a real PostgreSQL: what is passed by, and what an
// installation of the former version leaves.
#include <algorithm>
#include <string>
#include <vector>

#include "libs/postgres/scope.h"
#include "libs/postgres/transaction.h"
#include "services/rule_engine/event_evaluator.h"
#include "services/rule_engine/testing/store_fixture.h"

namespace davit::rule_engine {
namespace {

using postgres::Scope;
using postgres::Transaction;

constexpr char kFormerEvents[] = R"sql(
insert into events (id, project, kind, state, connection_id, source_id, delivery_id, repository_key, ref, payload, detail, evaluate_time)
values ('evt_1', 'default', 'webhook', 'evaluated', 'con_1', 'whk_1', 'd1', 'team/app', 'refs/heads/main', '', 'as before', now()),
    ('evt_2', 'default', 'webhook', 'received', 'con_1', 'whk_1', 'd2', 'team/app', 'refs/heads/main', '', '', null),
    ('evt_3', 'default', 'webhook', 'received', 'con_1', 'whk_1', 'd3', 'team/app', 'refs/heads/main', '', '', null),
    ('evt_4', 'default', 'webhook', 'ignored', 'con_1', 'whk_1', 'd4', 'team/app', 'refs/heads/main', '', 'ref deleted', null);
insert into event_explanations (event_id, rule_id, project, position, rule_display_name, reason, detail, tags)
values ('evt_1', 'rul_1', 'default', 0, 'app', 3, '', '[]');
)sql";

// Runs a script on all projects.
void RunScript(postgres::Pool& pool, const char* script) {
  const absl::Status ran =
      pool.Transact(Scope::AllProjects(), [&](Transaction& transaction) { return transaction.ExecuteScript(script); });
  ASSERT_TRUE(ran.ok()) << ran;
}

int Count(postgres::Pool& pool, const std::string& table) {
  const std::string name = "count_" + table;
  const std::string text = "select count(*) from " + table;
  const auto count = pool.Transact(Scope::AllProjects(), [&](Transaction& transaction) -> absl::StatusOr<int> {
    const auto rows = transaction.Execute(postgres::Statement{name.c_str(), text.c_str()});
    if (!rows.ok()) return rows.status();
    return (*rows)[0][0].as<int>();
  });
  EXPECT_TRUE(count.ok()) << count.status();
  return count.value_or(-1);
}

// The events that are evaluated, in that order.
std::vector<std::string> EvaluateSome(PostgresEventLedger& ledger, int limit) {
  std::vector<std::string> seen;
  const auto evaluated = ledger.EvaluateReceived(limit, [&](const Event& event, absl::Span<const Rule>) {
    seen.push_back(event.id);
    return Evaluation{EventState::kEvaluated, "no rule", {}, false};
  });
  EXPECT_TRUE(evaluated.ok()) << evaluated.status();
  EXPECT_EQ(evaluated.value_or(-1), static_cast<int>(seen.size()));
  return seen;
}

class EventQueueTest : public StoreFixture {};

TEST_F(EventQueueTest, WhatWaitsIsNeitherForgottenNorEvaluatedUnderLoad) {
  const std::string first = ledger_.Ingest(MakeEvent("first"))->event_id;
  RunScript(*pool_, "insert into event_changes (event_id, project) select event_id, project from event_queue");
  const std::string next = ledger_.Ingest(MakeEvent("next"))->event_id;
  std::vector<std::string> seen;
  // Something new is there for each claim.
  const auto evaluate = [&](int number) {
    const std::string ref = absl::StrCat("refs/heads/branch-", number);
    ASSERT_TRUE(ledger_.Ingest(MakeEvent(absl::StrCat("d", number), ref)).ok());
    for (const std::string& id : EvaluateSome(ledger_, 10)) seen.push_back(id);
  };
  for (int i = 0; i < 40; ++i) evaluate(i);
  EXPECT_EQ(seen.size(), 40u) << "the first waits for its changed paths, and the next of its ref for the first";
  EXPECT_EQ(ledger_.CountReceived()->count, 2);
  RunScript(*pool_, "update event_changes set paths = '[]'");
  for (int i = 40; i < 80; ++i) evaluate(i);
  EXPECT_EQ(seen.size(), 82u);
  EXPECT_LT(std::find(seen.begin(), seen.end(), first), std::find(seen.begin(), seen.end(), next));
  EXPECT_EQ(Count(*pool_, "event_queue"), 0);
}

TEST_F(EventQueueTest, AnotherReplicaEvaluatesTheSameEventInTheSameOrder) {
  PostgresEventLedger other(*pool_, clock_, random_);
  const auto remember = [](std::vector<Event>& seen) {
    return [&seen](const Event& event, absl::Span<const Rule>) {
      seen.push_back(event);
      return Evaluation{EventState::kEvaluated, "no rule", {}, false};
    };
  };
  for (int i = 0; i < 6; ++i) {
    PostgresEventLedger& ledger = i % 2 == 0 ? ledger_ : other;
    ASSERT_TRUE(ledger.Ingest(MakeEvent(absl::StrCat("d", i), absl::StrCat("refs/heads/", i))).ok());
  }
  std::vector<Event> seen;
  ASSERT_EQ(*ledger_.EvaluateReceived(10, remember(seen)), 6);
  for (size_t i = 0; i < seen.size(); ++i) {
    const Event read = *ledger_.Get("default", seen[i].id);
    EXPECT_EQ(seen[i].delivery_id, absl::StrCat("d", i));
    EXPECT_EQ(seen[i].project, read.project);
    EXPECT_EQ(seen[i].connection_id, read.connection_id);
    EXPECT_EQ(seen[i].source_id, read.source_id);
    EXPECT_EQ(seen[i].headers, read.headers);
    EXPECT_EQ(seen[i].push.SerializeAsString(), read.push.SerializeAsString());
    EXPECT_EQ(seen[i].receive_time, read.receive_time);
  }
}

TEST_F(EventQueueTest, AnEvaluationThatFailsIsDoneAgain) {
  const std::string id = ledger_.Ingest(MakeEvent("d1"))->event_id;
  const auto failed = ledger_.EvaluateReceived(10, [&](const Event&, absl::Span<const Rule>) {
    // Two outcomes of one rule cannot be stored.
    Outcome outcome;
    outcome.explanation = Explanation{"rul_1", "app", Reason::kBranchNotMatched, "", "", {}};
    return Evaluation{EventState::kEvaluated, "twice", {outcome, outcome}, false};
  });
  EXPECT_FALSE(failed.ok());
  EXPECT_EQ(EvaluateSome(ledger_, 10), std::vector<std::string>{id});
}

TEST_F(EventQueueTest, ARowOfTheLedgerIsNotChangedByItsEvaluation) {
  const std::string id = ledger_.Ingest(MakeEvent("d1"))->event_id;
  EvaluateSome(ledger_, 10);
  EXPECT_EQ(Count(*pool_, "events where state = 'queued' and xmax = 0"), 1);
  EXPECT_EQ(ledger_.Get("default", id)->state, EventState::kEvaluated);
}

TEST_F(EventQueueTest, WithAnEventGoesAllThatBelongsToIt) {
  ASSERT_TRUE(rules_.Create(MakeRule()).ok());
  ASSERT_TRUE(ledger_.Ingest(MakeEvent("d1", "refs/heads/dev")).ok());
  EventEvaluator evaluator;
  ASSERT_EQ(*ledger_.EvaluateReceived(
                10, [&](const Event& event, absl::Span<const Rule> rules) { return evaluator.Evaluate(event, rules); }),
            1);
  RunScript(*pool_, "insert into event_changes (event_id, project, paths) select id, project, '[]' from events");
  EXPECT_EQ(Count(*pool_, "event_explanations"), 1);
  EXPECT_EQ(*ledger_.DeleteOld(absl::ZeroDuration(), 10), 1);
  for (const char* table : {"events", "event_outcomes", "event_explanations", "event_changes"})
    EXPECT_EQ(Count(*pool_, table), 0) << table;
}

// A replica of the former version may run for a while beside those of this one.
TEST_F(EventQueueTest, WhatAReplicaOfTheFormerVersionReceivesIsEvaluated) {
  EXPECT_TRUE(EvaluateSome(ledger_, 10).empty());
  RunScript(*pool_, kFormerEvents);
  EXPECT_EQ(EvaluateSome(ledger_, 10), std::vector<std::string>{"evt_2"});
  EXPECT_EQ(EvaluateSome(ledger_, 10), std::vector<std::string>{"evt_3"});
  EXPECT_EQ(Count(*pool_, "events where state = 'received'"), 0);
}

TEST(EventQueueMigrationTest, TheLedgerOfTheFormerVersionIsKeptAndWhatWaitsIsEvaluated) {
  postgres::TestDatabase database("rule_engine");
  std::vector<postgres::Statement> former;
  for (const postgres::Statement& migration : migrations::kAll) {
    if (absl::string_view(migration.name) < "0010") former.push_back(migration);
  }
  ASSERT_EQ(former.size(), 9u);
  database.Migrate("rule_engine", former);
  const auto pool = database.OpenPool("rule_engine", 2);
  RunScript(*pool, kFormerEvents);
  database.Migrate("rule_engine", migrations::kAll);

  FakeClock clock;
  FakeRandom random;
  PostgresEventLedger ledger(*pool, clock, random);
  EXPECT_EQ(ledger.Get("default", "evt_1")->detail, "as before");
  EXPECT_EQ(ledger.Get("default", "evt_1")->explanations.size(), 1u);
  EXPECT_EQ(ledger.Get("default", "evt_2")->state, EventState::kReceived);
  EXPECT_EQ(ledger.Get("default", "evt_4")->detail, "ref deleted");
  EXPECT_EQ(ledger.FindDelivery("default", "whk_1", "d3")->id, "evt_3");
  EXPECT_EQ(*ledger.DeleteOld(absl::ZeroDuration(), 1), 0) << "these ids hold no time: they are later than any";
  EXPECT_EQ(EvaluateSome(ledger, 10), std::vector<std::string>{"evt_2"});
  EXPECT_EQ(EvaluateSome(ledger, 10), std::vector<std::string>{"evt_3"});
  EXPECT_TRUE(EvaluateSome(ledger, 10).empty());
  const auto page = ledger.List("default", {.states = {EventState::kEvaluated}}, 0, 10);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->events.size(), 3u);
}

}  // namespace
}  // namespace davit::rule_engine
