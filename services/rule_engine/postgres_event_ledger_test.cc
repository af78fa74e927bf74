// Tests of the ledger and the outbox on a real PostgreSQL: durability, exactly one effect, order, isolation.
#include "services/rule_engine/postgres_event_ledger.h"

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/synchronization/mutex.h"
#include "davit/scheduler/v1/scheduler.pb.h"
#include "services/rule_engine/event_evaluator.h"
#include "services/rule_engine/testing/store_fixture.h"

namespace davit::rule_engine {
namespace {

class EventLedgerTest : public StoreFixture {
 protected:
  std::string Ingest(const Event& event) {
    const auto recorded = ledger_.Ingest(event);
    EXPECT_TRUE(recorded.ok()) << recorded.status();
    return recorded.ok() ? recorded->event_id : "";
  }

  // Evaluates until nothing is left; returns how many events that were.
  int EvaluateAll() {
    int total = 0;
    for (int evaluated = 1; evaluated > 0; total += evaluated) evaluated = EvaluateSome(10);
    return total;
  }

  int EvaluateSome(int limit) {
    const auto evaluated = ledger_.EvaluateReceived(
        limit, [this](const Event& event, absl::Span<const Rule> rules) { return evaluator_.Evaluate(event, rules); });
    EXPECT_TRUE(evaluated.ok()) << evaluated.status();
    return evaluated.value_or(0);
  }

  Event Get(const std::string& id) {
    const auto event = ledger_.Get("default", id);
    EXPECT_TRUE(event.ok()) << event.status();
    return event.value_or(Event());
  }

  // Evaluates the event again; returns how many builds that ordered.
  int Replay(const std::string& id, Rebuild rebuild = Rebuild::kNo, const std::string& request_id = "") {
    const auto ordered = ledger_.Replay(
        "default", id, ReplayOptions{rebuild, "alice", request_id},
        [this](const Event& event, absl::Span<const Rule> rules) { return evaluator_.Evaluate(event, rules); });
    EXPECT_TRUE(ordered.ok()) << ordered.status();
    return ordered.value_or(-1);
  }

  // How many events a filter finds.
  size_t CountEvents(const EventFilter& filter) {
    const auto page = ledger_.List("default", filter, 0, 100);
    EXPECT_TRUE(page.ok()) << page.status();
    return page.ok() ? page->events.size() : 0;
  }

  std::vector<ClaimedOrder> Claim(int limit) {
    auto orders = outbox_.Claim(limit, absl::Minutes(1));
    EXPECT_TRUE(orders.ok()) << orders.status();
    return std::move(orders).value_or(std::vector<ClaimedOrder>());
  }

  EventEvaluator evaluator_;
};

TEST_F(EventLedgerTest, SeveralEventsAreStoredInOneTransaction) {
  const std::string earlier = Ingest(MakeEvent("d2"));
  Event event = MakeEvent("d1");
  event.push.add_commits()->set_message(std::string("a\0b", 3));
  const Event repeated = MakeEvent("d2");
  Event other = MakeEvent("d3");
  other.state = EventState::kIgnored;
  other.detail = R"(because "é", \ {and}, NULL)";
  const Event* const events[] = {&other, &event, &repeated, &event};
  const auto recorded = ledger_.IngestAll("default", events);
  ASSERT_TRUE(recorded.ok()) << recorded.status();
  ASSERT_EQ(recorded->size(), 4u);
  EXPECT_FALSE((*recorded)[0].duplicate);
  EXPECT_EQ((*recorded)[2].event_id, earlier);
  EXPECT_TRUE((*recorded)[2].duplicate);
  const Event read = Get((*recorded)[1].event_id);
  EXPECT_EQ(read.headers, event.headers);
  EXPECT_EQ(read.push.commits(0).message(), event.push.commits(0).message());
  EXPECT_EQ(read.state, EventState::kReceived);
  const Event ignored = Get((*recorded)[0].event_id);
  EXPECT_EQ(ignored.detail, other.detail);
  EXPECT_EQ(ignored.state, EventState::kIgnored);
  // Of the same delivery twice in one transaction the first is stored.
  EXPECT_FALSE((*recorded)[1].duplicate);
  EXPECT_TRUE((*recorded)[3].duplicate);
  EXPECT_EQ((*recorded)[1].event_id, (*recorded)[3].event_id);
  // The ledger keeps the order in which they came.
  const auto page = ledger_.List("default", {}, 0, 10);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->events.size(), 3u);
  EXPECT_EQ(page->events[0].delivery_id, "d1");
  EXPECT_EQ(page->events[1].delivery_id, "d3");
  EXPECT_EQ(page->events[2].delivery_id, "d2");
}

TEST_F(EventLedgerTest, OfSeveralEventsAllAreStoredOrNone) {
  const Event good = MakeEvent("d1");
  Event bad = MakeEvent("d2");
  bad.source_id = "";
  const Event* const events[] = {&good, &bad};
  EXPECT_EQ(ledger_.IngestAll("default", events).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::IsNotFound(ledger_.FindDelivery("default", "whk_1", "d1").status()));
  const auto each = ledger_.IngestEach("default", events);
  ASSERT_EQ(each.size(), 2u);
  EXPECT_TRUE(each[0].ok()) << each[0].status();
  EXPECT_EQ(each[1].status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ledger_.FindDelivery("default", "whk_1", "d1")->id, each[0]->event_id);
}

TEST_F(EventLedgerTest, AnEventIsStoredWithItsPayload) {
  Event event = MakeEvent("d1");
  event.push.set_pusher("alice");
  event.push.add_commits()->set_message(std::string("a\0b", 3));
  const Event read = Get(Ingest(event));
  EXPECT_EQ(read.state, EventState::kReceived);
  EXPECT_EQ(read.kind, EventKind::kWebhook);
  EXPECT_EQ(read.headers, event.headers);
  EXPECT_EQ(read.push.SerializeAsString(), event.push.SerializeAsString());
  EXPECT_FALSE(read.evaluate_time.has_value());
}

TEST_F(EventLedgerTest, ARepeatedDeliveryIsTheSameEvent) {
  const auto first = ledger_.Ingest(MakeEvent("d1"));
  const auto second = ledger_.Ingest(MakeEvent("d1"));
  ASSERT_TRUE(first.ok() && second.ok()) << first.status() << second.status();
  EXPECT_FALSE(first->duplicate);
  EXPECT_TRUE(second->duplicate);
  EXPECT_EQ(first->event_id, second->event_id);
  Event of_another_webhook = MakeEvent("d1");
  of_another_webhook.source_id = "whk_2";
  EXPECT_FALSE(ledger_.Ingest(of_another_webhook)->duplicate);
}

TEST_F(EventLedgerTest, SixteenThreadsWithOneDeliveryMakeOneEvent) {
  absl::Mutex mutex;
  std::set<std::string> ids;
  int fresh = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] {
      const auto recorded = ledger_.Ingest(MakeEvent("same"));
      absl::MutexLock lock(&mutex);
      ASSERT_TRUE(recorded.ok()) << recorded.status();
      ids.insert(recorded->event_id);
      fresh += recorded->duplicate ? 0 : 1;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ids.size(), 1);
  EXPECT_EQ(fresh, 1);
}

TEST_F(EventLedgerTest, EvaluationExplainsEveryRuleAndOrdersTheBuild) {
  ASSERT_TRUE(rules_.Create(MakeRule("app")).ok());
  Rule of_dev = MakeRule("dev");
  of_dev.branches = {"dev"};
  ASSERT_TRUE(rules_.Create(of_dev).ok());
  const std::string id = Ingest(MakeEvent("d1"));
  EXPECT_EQ(EvaluateAll(), 1);
  Event event = Get(id);
  EXPECT_EQ(event.state, EventState::kEvaluated);
  EXPECT_EQ(event.detail, "1 of 2 rules matched");
  EXPECT_TRUE(event.evaluate_time.has_value());
  ASSERT_EQ(event.explanations.size(), 2);
  EXPECT_EQ(event.explanations[0].reason, Reason::kMatched);
  EXPECT_EQ(event.explanations[0].tags, (std::vector<std::string>{"main-0123456", "latest"}));
  EXPECT_EQ(event.explanations[1].reason, Reason::kBranchNotMatched);

  const std::vector<ClaimedOrder> orders = Claim(10);
  ASSERT_EQ(orders.size(), 1);
  EXPECT_EQ(orders[0].attempts, 1);
  ASSERT_TRUE(outbox_.Finish(orders[0].id, "bld_1").ok());
  EXPECT_EQ(Get(id).explanations[0].build_id, "bld_1");
  EXPECT_EQ(outbox_.Count()->count, 0);
}

TEST_F(EventLedgerTest, AnotherDeliveryOfTheSameCommitPointsToTheBuildOfTheFirst) {
  ASSERT_TRUE(rules_.Create(MakeRule()).ok());
  const std::string first = Ingest(MakeEvent("d1"));
  const std::string second = Ingest(MakeEvent("d2"));
  EXPECT_EQ(EvaluateAll(), 2);
  const std::vector<ClaimedOrder> orders = Claim(10);
  ASSERT_EQ(orders.size(), 1);
  EXPECT_EQ(orders[0].event_id, first);
  EXPECT_EQ(Get(second).explanations.at(0).reason, Reason::kAlreadyBuilt);
  EXPECT_EQ(Get(second).explanations.at(0).build_id, "");
  ASSERT_TRUE(outbox_.Finish(orders[0].id, "bld_1").ok());
  EXPECT_EQ(Get(second).explanations.at(0).build_id, "bld_1");
}

TEST_F(EventLedgerTest, ARefusalIsShownAndALaterPushTriesAgain) {
  ASSERT_TRUE(rules_.Create(MakeRule()).ok());
  const std::string first = Ingest(MakeEvent("d1"));
  EvaluateAll();
  ASSERT_TRUE(outbox_.Refuse(Claim(10).at(0).id, "spec.tags: too many").ok());
  EXPECT_EQ(Get(first).explanations.at(0).reason, Reason::kBuildRefused);
  EXPECT_EQ(Get(first).explanations.at(0).detail, "spec.tags: too many");
  Ingest(MakeEvent("d2"));
  EvaluateAll();
  EXPECT_EQ(Claim(10).size(), 1);
}

TEST_F(EventLedgerTest, OrdersOfOneRefLeaveOneAfterTheOther) {
  ASSERT_TRUE(rules_.Create(MakeRule()).ok());
  for (int i = 0; i < 3; ++i) Ingest(MakeEvent(absl::StrCat("d", i), "refs/heads/main", CommitNumber(i)));
  EXPECT_EQ(EvaluateAll(), 3);
  const std::vector<ClaimedOrder> first = Claim(10);
  ASSERT_EQ(first.size(), 1);
  EXPECT_TRUE(Claim(10).empty());
  ASSERT_TRUE(outbox_.Postpone(first[0].id, absl::Hours(1), "UNAVAILABLE: away").ok());
  EXPECT_TRUE(Claim(10).empty()) << "a later build of the ref must not overtake the one that waits";
  ASSERT_TRUE(outbox_.Postpone(first[0].id, absl::ZeroDuration(), "").ok());
  const std::vector<ClaimedOrder> again = Claim(10);
  ASSERT_EQ(again.size(), 1);
  EXPECT_EQ(again[0].id, first[0].id);
  EXPECT_EQ(again[0].attempts, 2);
  ASSERT_TRUE(outbox_.Finish(again[0].id, "bld_1").ok());
  EXPECT_GT(Claim(10).at(0).id, first[0].id);
}

TEST_F(EventLedgerTest, AnAbandonedClaimIsDueAgain) {
  ASSERT_TRUE(rules_.Create(MakeRule()).ok());
  Ingest(MakeEvent("d1"));
  EvaluateAll();
  ASSERT_EQ(outbox_.Claim(1, absl::ZeroDuration())->size(), 1);
  EXPECT_EQ(Claim(1).at(0).attempts, 2);
}

TEST_F(EventLedgerTest, EventsOfOneRefAreEvaluatedInTheirOrder) {
  for (int i = 0; i < 3; ++i) Ingest(MakeEvent(absl::StrCat("d", i), "refs/heads/main", CommitNumber(i)));
  Ingest(MakeEvent("other", "refs/heads/dev"));
  EXPECT_EQ(EvaluateSome(10), 2) << "the first of main and the one of dev";
  EXPECT_EQ(EvaluateSome(10), 1);
  EXPECT_EQ(EvaluateSome(10), 1);
  EXPECT_EQ(EvaluateSome(10), 0);
}

TEST_F(EventLedgerTest, ReplicasThatEvaluateAtOnceMakeEachEffectOnce) {
  ASSERT_TRUE(rules_.Create(MakeRule("one")).ok());
  ASSERT_TRUE(rules_.Create(MakeRule("two")).ok());
  constexpr int kEvents = 40;
  // Every commit is pushed twice.
  for (int i = 0; i < kEvents; ++i) Ingest(MakeEvent(absl::StrCat("d", i), "refs/heads/main", CommitNumber(i / 2)));
  std::vector<std::thread> replicas;
  for (int i = 0; i < 4; ++i) {
    replicas.emplace_back([this] {
      while (ledger_.CountReceived()->count > 0) EvaluateSome(3);
    });
  }
  for (std::thread& replica : replicas) replica.join();
  EXPECT_EQ(outbox_.Count()->count, kEvents);  // Half as many commits, two rules.
  const auto page = ledger_.List("default", {}, 0, 100);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->events.size(), kEvents);
  for (const Event& event : page->events) EXPECT_EQ(Get(event.id).explanations.size(), 2);
}

TEST_F(EventLedgerTest, ALostConnectionInTheMiddleLosesNothing) {
  ASSERT_TRUE(rules_.Create(MakeRule()).ok());
  const std::string id = Ingest(MakeEvent("d1"));
  bool broken = false;
  const auto evaluated = ledger_.EvaluateReceived(10, [&](const Event& event, absl::Span<const Rule> rules) {
    if (!broken) database_.BreakConnections();
    broken = true;
    return evaluator_.Evaluate(event, rules);
  });
  if (!evaluated.ok()) EvaluateAll();
  EXPECT_EQ(Get(id).explanations.size(), 1);
  EXPECT_EQ(outbox_.Count()->count, 1);
}

TEST_F(EventLedgerTest, AnIgnoredEventIsNotEvaluated) {
  Event event = MakeEvent("d1");
  event.state = EventState::kIgnored;
  event.detail = "ref deleted";
  const std::string id = Ingest(event);
  EXPECT_EQ(EvaluateAll(), 0);
  EXPECT_EQ(Get(id).detail, "ref deleted");
}

TEST_F(EventLedgerTest, AManualEventBuildsAgainAndRepeatsUnderItsRequestId) {
  const auto rule = rules_.Create(MakeRule());
  ASSERT_TRUE(rule.ok()) << rule.status();
  Ingest(MakeEvent("d1"));
  EvaluateAll();
  const auto trigger = [&](const std::string& delivery) {
    Event event = MakeEvent(delivery);
    event.id = ledger_.NewEventId();
    event.kind = EventKind::kManual;
    event.state = EventState::kEvaluated;
    event.source_id = rule->id;
    Outcome outcome;
    outcome.explanation = Explanation{rule->id, "app", Reason::kMatched, "by hand", "", {"latest"}};
    outcome.order = BuildOrder{rule->id, "refs/heads/main", kCommit, "manual/" + event.id, "request"};
    return ledger_.RecordManual(event, outcome);
  };
  const auto first = trigger("r1");
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_FALSE(first->duplicate);
  EXPECT_TRUE(trigger("r1")->duplicate);
  EXPECT_EQ(outbox_.Count()->count, 2);
  EXPECT_EQ(Get(first->event_id).explanations.size(), 1);
  EXPECT_EQ(ledger_.FindDelivery("default", rule->id, "r1")->id, first->event_id);
  EXPECT_EQ(ledger_.FindDelivery("default", rule->id, "r2").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(EventLedgerTest, EventsAreListedNewestFirstInPages) {
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(Ingest(MakeEvent(absl::StrCat("d", i))));
  Event elsewhere = MakeEvent("d3");
  elsewhere.push.set_repository("team/other");
  Ingest(elsewhere);
  const auto first = ledger_.List("default", {.repository = "TEAM/app"}, 0, 2);
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_EQ(first->events.size(), 2);
  EXPECT_EQ(first->events[0].id, ids[2]);
  ASSERT_GT(first->next, 0);
  const auto second = ledger_.List("default", {.repository = "team/app"}, first->next, 2);
  ASSERT_EQ(second->events.size(), 1);
  EXPECT_EQ(second->events[0].id, ids[0]);
  EXPECT_EQ(second->next, 0);
}

TEST_F(EventLedgerTest, EventsAreFoundByRefStateConnectionTimeAndDelivery) {
  Ingest(MakeEvent("d1"));
  EvaluateAll();
  Ingest(MakeEvent("d2", "refs/tags/main"));
  Ingest(MakeEvent("d3", "refs/heads/dev"));
  EXPECT_EQ(CountEvents({}), 3);
  EXPECT_EQ(CountEvents({.ref = "refs/heads/main"}), 1);
  EXPECT_EQ(CountEvents({.ref = "main"}), 2) << "the branch and the tag";
  EXPECT_EQ(CountEvents({.states = {EventState::kReceived}}), 2);
  EXPECT_EQ(CountEvents({.states = {EventState::kReceived, EventState::kEvaluated}}), 3);
  EXPECT_EQ(CountEvents({.kinds = {EventKind::kManual}}), 0);
  EXPECT_EQ(CountEvents({.connection_id = "con_1"}), 3);
  EXPECT_EQ(CountEvents({.connection_id = "con_2"}), 0);
  EXPECT_EQ(CountEvents({.delivery_id = "d2"}), 1);
  EXPECT_EQ(CountEvents({.ref = "dev", .delivery_id = "d2"}), 0);
  const absl::Time last = ledger_.List("default", {.delivery_id = "d3"}, 0, 1)->events.at(0).receive_time;
  EXPECT_EQ(CountEvents({.start = last}), 1);
  EXPECT_EQ(CountEvents({.end = last}), 2);
}

TEST_F(EventLedgerTest, AReplayBuildsWhatWasNotBuiltAndNothingTwice) {
  const std::string id = Ingest(MakeEvent("d1"));
  EvaluateAll();
  EXPECT_EQ(Get(id).detail, "no rule for Team/App");
  const auto rule = rules_.Create(MakeRule());
  ASSERT_TRUE(rule.ok()) << rule.status();
  EXPECT_EQ(Replay(id), 1);
  EXPECT_EQ(Get(id).detail, "1 of 1 rule matched; replayed by alice");
  EXPECT_EQ(Get(id).explanations.at(0).reason, Reason::kMatched);
  ASSERT_TRUE(outbox_.Finish(Claim(10).at(0).id, "bld_1").ok());
  EXPECT_EQ(Replay(id), 0);
  EXPECT_EQ(Get(id).explanations.at(0).build_id, "bld_1") << "the build that it made stays shown";
  EXPECT_EQ(Get(id).explanations.at(0).reason, Reason::kMatched);
  EXPECT_EQ(outbox_.Count()->count, 0);

  const std::string again = Ingest(MakeEvent("d2"));
  EvaluateAll();
  EXPECT_EQ(Replay(again), 0);
  EXPECT_EQ(Get(again).explanations.at(0).reason, Reason::kAlreadyBuilt);
}

TEST_F(EventLedgerTest, AForcedReplayBuildsAgainOncePerRequestId) {
  ASSERT_TRUE(rules_.Create(MakeRule()).ok());
  const std::string id = Ingest(MakeEvent("d1"));
  EvaluateAll();
  ASSERT_TRUE(outbox_.Finish(Claim(10).at(0).id, "bld_1").ok());
  EXPECT_EQ(Replay(id, Rebuild::kForced, "r1"), 1);
  EXPECT_EQ(Replay(id, Rebuild::kForced, "r1"), 1);
  const std::vector<ClaimedOrder> orders = Claim(10);
  ASSERT_EQ(orders.size(), 1);
  scheduler::v1::CreateBuildRequest request;
  ASSERT_TRUE(request.ParseFromString(orders[0].request));
  EXPECT_TRUE(absl::EndsWith(request.request_id(), "/r1")) << request.request_id();
  ASSERT_TRUE(outbox_.Finish(orders[0].id, "bld_2").ok());
  EXPECT_EQ(Get(id).explanations.at(0).build_id, "bld_2");
  EXPECT_EQ(Replay(id, Rebuild::kForced), 1);
  EXPECT_EQ(Replay(id, Rebuild::kForced), 1);
  EXPECT_EQ(outbox_.Count()->count, 2) << "without a request id each call builds";
}

TEST_F(EventLedgerTest, AnEventThatWaitsOrWasTriggeredByHandIsNotReplayed) {
  ASSERT_TRUE(rules_.Create(MakeRule()).ok());
  const std::string id = Ingest(MakeEvent("d1"));
  EXPECT_EQ(Replay(id), 0);
  EXPECT_EQ(Get(id).state, EventState::kReceived);
  const auto unknown =
      ledger_.Replay("default", "evt_0", {}, [](const Event&, absl::Span<const Rule>) { return Evaluation(); });
  EXPECT_EQ(unknown.status().code(), absl::StatusCode::kNotFound);
}

TEST_F(EventLedgerTest, OldEventsGoButNeverOneWithWorkOutstanding) {
  ASSERT_TRUE(rules_.Create(MakeRule()).ok());
  const std::string done = Ingest(MakeEvent("d1"));
  EvaluateAll();
  ASSERT_TRUE(outbox_.Finish(Claim(10).at(0).id, "bld_1").ok());
  const std::string ordered = Ingest(MakeEvent("d2", "refs/heads/main", CommitNumber(1)));
  EvaluateAll();
  const std::string waiting = Ingest(MakeEvent("d3", "refs/heads/main", CommitNumber(2)));
  EXPECT_EQ(*ledger_.DeleteOld(absl::Hours(1), 10), 0);
  EXPECT_EQ(*ledger_.DeleteOld(absl::ZeroDuration(), 10), 1);
  EXPECT_EQ(ledger_.Get("default", done).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Get(ordered).explanations.size(), 1);
  EXPECT_EQ(Get(waiting).state, EventState::kReceived);
  // The build stays known: a late delivery of the same push does not build again.
  const std::string late = Ingest(MakeEvent("d4"));
  EvaluateAll();
  EXPECT_EQ(Get(late).explanations.at(0).reason, Reason::kAlreadyBuilt);
}

TEST_F(EventLedgerTest, OtherProjectsSeeNothing) {
  const std::string id = Ingest(MakeEvent("d1"));
  EXPECT_EQ(ledger_.Get("other", id).status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(ledger_.List("other", {}, 0, 10)->events.empty());
  // A rule of another project does not see the push, whatever connection it names.
  ASSERT_TRUE(rules_.Create(MakeRule("app", "other")).ok());
  EvaluateAll();
  EXPECT_EQ(Get(id).detail, "no rule for Team/App");
}

TEST_F(EventLedgerTest, ADeletedRuleLeavesItsExplanations) {
  const auto rule = rules_.Create(MakeRule());
  ASSERT_TRUE(rule.ok()) << rule.status();
  const std::string id = Ingest(MakeEvent("d1"));
  EvaluateAll();
  ASSERT_TRUE(rules_.Delete("default", rule->id).ok());
  EXPECT_EQ(Get(id).explanations.size(), 1);
  ASSERT_TRUE(outbox_.Finish(Claim(1).at(0).id, "bld_1").ok());
  EXPECT_EQ(Get(id).explanations[0].build_id, "bld_1");
}

}  // namespace
}  // namespace davit::rule_engine
