// Tests of finding missed pushes, on a real PostgreSQL, with a source of refs that the test plays.
#include "services/rule_engine/reconciler.h"

#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "services/rule_engine/event_evaluator.h"
#include "services/rule_engine/testing/store_fixture.h"

namespace davit::rule_engine {
namespace {

using Told = std::set<std::pair<std::string, std::string>>;

TEST(CompareHeadsTest, AHeadThatNobodyToldOfIsWaitedForAndThenMissed) {
  const RemoteHeads remote{{{"refs/heads/main", "b"}}, false};
  WatchedHeads known{{"refs/heads/main", {"a", "", {}}}};
  Comparison comparison = CompareHeads(known, remote, {}, absl::Minutes(1));
  EXPECT_TRUE(comparison.waiting);
  EXPECT_TRUE(comparison.missed.empty());
  EXPECT_EQ(comparison.changes.record.at("refs/heads/main").commit, "a");
  EXPECT_EQ(comparison.changes.record.at("refs/heads/main").pending_commit, "b");

  known["refs/heads/main"] = {"a", "b", absl::Seconds(30)};
  comparison = CompareHeads(known, remote, {}, absl::Minutes(1));
  EXPECT_TRUE(comparison.waiting && comparison.missed.empty() && comparison.changes.record.empty());

  known["refs/heads/main"].pending_for = absl::Seconds(61);
  comparison = CompareHeads(known, remote, {}, absl::Minutes(1));
  ASSERT_EQ(comparison.missed.size(), 1);
  EXPECT_EQ(comparison.missed[0].before, "a");
  EXPECT_EQ(comparison.missed[0].after, "b");
  EXPECT_FALSE(comparison.waiting);
  EXPECT_EQ(comparison.changes.record.at("refs/heads/main").commit, "b");
}

TEST(CompareHeadsTest, AHeadThatTheLedgerKnowsIsRecordedOnly) {
  const WatchedHeads known{{"refs/heads/main", {"a", "b", absl::Hours(1)}}};
  const Comparison comparison =
      CompareHeads(known, {{{"refs/heads/main", "b"}}, false}, Told{{"refs/heads/main", "b"}}, absl::Minutes(1));
  EXPECT_TRUE(comparison.missed.empty());
  EXPECT_FALSE(comparison.waiting);
  EXPECT_EQ(comparison.changes.record.at("refs/heads/main").commit, "b");
}

TEST(CompareHeadsTest, ADeletedRefIsForgottenUnlessTheListWasCutShort) {
  const WatchedHeads known{{"refs/heads/gone", {"a", "", {}}}};
  EXPECT_EQ(CompareHeads(known, {{}, false}, {}, absl::Minutes(1)).changes.forget.size(), 1);
  EXPECT_TRUE(CompareHeads(known, {{}, true}, {}, absl::Minutes(1)).changes.forget.empty());
}

// A server whose refs the test sets.
class FakeDirectory : public SourceDirectory {
 public:
  absl::StatusOr<SourceConnection> GetConnection(const std::string&, const std::string&, const std::string&) override {
    return SourceConnection{};
  }
  absl::Status CheckSecret(const std::string&, const std::string&, const std::string&) override {
    return absl::OkStatus();
  }
  absl::StatusOr<DestinationCredential> GetRegistryCredential(const std::string&, const std::string&,
                                                              const std::string&) override {
    return DestinationCredential{};
  }
  absl::StatusOr<ResolvedRevision> Resolve(const Rule&, const std::string&, const std::string&) override {
    return ResolvedRevision{};
  }
  absl::StatusOr<ChangedPaths> ListChangedPaths(const ChangeRequest&) override { return ChangedPaths{}; }
  absl::StatusOr<RemoteHeads> ListHeads(const std::string&, const std::string&, const std::string&) override {
    ++looks;
    if (!failure.ok()) return failure;
    return heads;
  }

  RemoteHeads heads;
  absl::Status failure;
  std::atomic<int> looks = 0;
};

class ReconcilerTest : public StoreFixture {
 protected:
  ReconcilerTest() : watches_(*pool_) { EXPECT_TRUE(rules_.Create(MakeRule()).ok()); }

  Reconciler MakeReconciler(absl::Duration grace = absl::ZeroDuration()) {
    return Reconciler({.interval = absl::ZeroDuration(), .grace = grace, .connection_gap = absl::ZeroDuration()},
                      watches_, ledger_, directory_, clock_, Logger::Discarding(), metrics_, [this] { ++wakeups_; });
  }

  void Step(Reconciler& reconciler) {
    const auto looked = reconciler.Step();
    ASSERT_TRUE(looked.ok()) << looked.status();
  }

  void EvaluateAll() {
    while (*ledger_.EvaluateReceived(10, [this](const Event& event, absl::Span<const Rule> rules) {
      return evaluator_.Evaluate(event, rules);
    }) > 0) {
    }
  }

  std::vector<Event> Reconciled() {
    auto page = ledger_.List("default", {.kinds = {EventKind::kReconciled}}, 0, 100);
    EXPECT_TRUE(page.ok()) << page.status();
    return page.ok() ? std::move(page->events) : std::vector<Event>();
  }

  void SetHead(int commit, const std::string& ref = "refs/heads/main") {
    directory_.heads.commits[ref] = CommitNumber(commit);
  }

  PostgresRepositoryWatches watches_;
  FakeDirectory directory_;
  metrics::Registry metrics_;
  EventEvaluator evaluator_;
  std::atomic<int> wakeups_ = 0;
};

TEST_F(ReconcilerTest, TheFirstLookOnlyRecordsHeads) {
  SetHead(1);
  SetHead(2, "refs/tags/v1");
  Reconciler reconciler = MakeReconciler();
  for (int i = 0; i < 4; ++i) Step(reconciler);
  EXPECT_EQ(directory_.looks, 4);
  EXPECT_TRUE(Reconciled().empty());
}

TEST_F(ReconcilerTest, APushWhoseWebhookNeverCameIsBuilt) {
  SetHead(1);
  Reconciler reconciler = MakeReconciler();
  Step(reconciler);
  SetHead(2);
  Step(reconciler);
  EXPECT_TRUE(Reconciled().empty()) << "its webhook may be on its way";
  Step(reconciler);
  Step(reconciler);
  const std::vector<Event> events = Reconciled();
  ASSERT_EQ(events.size(), 1);
  EXPECT_EQ(events[0].push.before(), CommitNumber(1));
  EXPECT_EQ(events[0].push.after(), CommitNumber(2));
  EXPECT_TRUE(events[0].push.commits_truncated());
  EXPECT_EQ(wakeups_, 1);
  EvaluateAll();
  EXPECT_EQ(outbox_.Count()->count, 1);
}

TEST_F(ReconcilerTest, AWebhookThatComesInTimeOrLateMakesNoSecondBuild) {
  SetHead(1);
  Reconciler reconciler = MakeReconciler();
  Step(reconciler);
  ASSERT_TRUE(ledger_.Ingest(MakeEvent("in time", "refs/heads/main", CommitNumber(2))).ok());
  SetHead(2);
  for (int i = 0; i < 3; ++i) Step(reconciler);
  EXPECT_TRUE(Reconciled().empty());
  SetHead(3);
  for (int i = 0; i < 3; ++i) Step(reconciler);
  EXPECT_EQ(Reconciled().size(), 1);
  ASSERT_TRUE(ledger_.Ingest(MakeEvent("late", "refs/heads/main", CommitNumber(3))).ok());
  EvaluateAll();
  EXPECT_EQ(outbox_.Count()->count, 2) << "one for each of the two commits";
}

TEST_F(ReconcilerTest, TheWebhookHasTheGraceToCome) {
  SetHead(1);
  Reconciler reconciler = MakeReconciler(absl::Hours(1));
  Step(reconciler);
  SetHead(2);
  for (int i = 0; i < 3; ++i) Step(reconciler);
  EXPECT_TRUE(Reconciled().empty());
}

TEST_F(ReconcilerTest, OnlyRepositoriesWithEnabledTriggersAreWatched) {
  EXPECT_EQ(*watches_.Sync(), 1);
  Rule by_hand = MakeRule("by hand");
  by_hand.repository = "team/other";
  by_hand.branches.clear();
  ASSERT_TRUE(rules_.Create(by_hand).ok());
  EXPECT_EQ(*watches_.Sync(), 1);
  const auto rules = rules_.List("default", RuleFilter{"", "team/app"}, "", 10);
  ASSERT_TRUE(rules_.SetEnabled("default", rules->at(0).id, false).ok());
  EXPECT_EQ(*watches_.Sync(), 0);
  EXPECT_FALSE(watches_.Claim(absl::Minutes(1), absl::ZeroDuration())->has_value());
}

TEST_F(ReconcilerTest, AServerThatDoesNotAnswerIsTriedAgain) {
  directory_.failure = absl::UnavailableError("away");
  Reconciler reconciler = MakeReconciler();
  Step(reconciler);
  const auto watch = watches_.Claim(absl::Minutes(1), absl::ZeroDuration());
  ASSERT_TRUE(watch.ok() && watch->has_value()) << watch.status();
  EXPECT_EQ((*watch)->failures, 1);
  EXPECT_FALSE((*watch)->look_time.has_value());
}

TEST_F(ReconcilerTest, OneHolderAtATimeAndAnOldClaimChangesNothing) {
  ASSERT_TRUE(watches_.Sync().ok());
  const auto first = *watches_.Claim(absl::ZeroDuration(), absl::ZeroDuration());
  ASSERT_TRUE(first.has_value());
  const auto second = *watches_.Claim(absl::Minutes(1), absl::ZeroDuration());
  ASSERT_TRUE(second.has_value());
  EXPECT_FALSE(watches_.Claim(absl::Minutes(1), absl::ZeroDuration())->has_value()) << "the second holds it";
  SetHead(1);
  EXPECT_FALSE(*watches_.Finish(*first, FirstLook(directory_.heads), absl::ZeroDuration()));
  EXPECT_TRUE(watches_.Heads(*second)->empty());
  EXPECT_TRUE(*watches_.Finish(*second, FirstLook(directory_.heads), absl::ZeroDuration()));
  EXPECT_EQ(watches_.Heads(*second)->size(), 1);
  EXPECT_FALSE(watches_.Claim(absl::Minutes(1), absl::Hours(1))->has_value())
      << "the connection is left alone for a while";
}

TEST_F(ReconcilerTest, ReplicasThatLookAtOnceFindAMissedPushOnce) {
  SetHead(1);
  Reconciler first = MakeReconciler();
  Step(first);
  SetHead(2);
  std::vector<std::thread> replicas;
  for (int i = 0; i < 4; ++i) {
    replicas.emplace_back([this] {
      Reconciler replica = MakeReconciler();
      for (int look = 0; look < 10; ++look) Step(replica);
    });
  }
  for (std::thread& replica : replicas) replica.join();
  EXPECT_EQ(Reconciled().size(), 1);
}

}  // namespace
}  // namespace davit::rule_engine
