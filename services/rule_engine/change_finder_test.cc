// Tests of asking providers for what a push changed: the ledger, its requests and the finder on a real PostgreSQL.
#include "services/rule_engine/change_finder.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/postgres/transaction.h"
#include "services/rule_engine/event_evaluator.h"
#include "services/rule_engine/postgres_change_requests.h"
#include "services/rule_engine/testing/store_fixture.h"

namespace davit::rule_engine {
namespace {

const std::string kBefore(40, 'b');

// Answers what the test says, and remembers what it was asked.
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
  absl::StatusOr<RemoteHeads> ListHeads(const std::string&, const std::string&, const std::string&) override {
    return RemoteHeads{};
  }
  absl::StatusOr<ChangedPaths> ListChangedPaths(const ChangeRequest& request) override {
    asked.push_back(request);
    return answer;
  }

  absl::StatusOr<ChangedPaths> answer = ChangedPaths{};
  std::vector<ChangeRequest> asked;
};

class ChangeFinderTest : public StoreFixture {
 protected:
  ChangeFinderTest() {
    Rule rule = MakeRule();
    rule.paths = {"src/"};
    EXPECT_TRUE(rules_.Create(rule).ok());
  }

  // A push of GitHub's or GitLab's whose list of commits was cut short.
  Event CutShort(const std::string& delivery_id, const std::string& listed = "README.md") {
    Event event = MakeEvent(delivery_id);
    event.push.set_before(kBefore);
    event.push.set_commits_truncated(true);
    rules::v1::PushedCommit& commit = *event.push.add_commits();
    commit.set_id(kCommit);
    commit.add_modified(listed);
    return event;
  }

  std::string Ingest(const Event& event) {
    const auto recorded = ledger_.Ingest(event);
    EXPECT_TRUE(recorded.ok()) << recorded.status();
    return recorded->event_id;
  }

  int Evaluate() {
    const auto evaluated = ledger_.EvaluateReceived(
        10, [this](const Event& event, absl::Span<const Rule> rules) { return evaluator_.Evaluate(event, rules); });
    EXPECT_TRUE(evaluated.ok()) << evaluated.status();
    return *evaluated;
  }

  bool Find() {
    const auto found = finder_.Step();
    EXPECT_TRUE(found.ok()) << found.status();
    return *found;
  }

  // The event's only explanation.
  Explanation Explained(const std::string& id) {
    const auto event = ledger_.Get("default", id);
    EXPECT_TRUE(event.ok()) << event.status();
    EXPECT_EQ(event->explanations.size(), 1u);
    return event->explanations.empty() ? Explanation() : event->explanations[0];
  }

  EventState StateOf(const std::string& id) { return ledger_.Get("default", id)->state; }

  // Lets time pass for the requests.
  void Age(absl::string_view interval) {
    const std::string script = absl::StrCat(
        "update event_changes set next_attempt = now(), create_time = create_time - '", interval, "'::interval");
    EXPECT_TRUE(
        pool_
            ->Transact(postgres::Scope::AllProjects(),
                       [&](postgres::Transaction& transaction) { return transaction.ExecuteScript(script.c_str()); })
            .ok());
  }

  metrics::Registry metrics_;
  FakeDirectory directory_;
  EventEvaluator evaluator_;
  PostgresChangeRequests requests_{*pool_};
  int wakeups_ = 0;
  ChangeFinder finder_{requests_, directory_, random_, Logger::Discarding(), metrics_, [this] { ++wakeups_; }};
};

TEST_F(ChangeFinderTest, APushThatDoesNotNameAllPathsWaitsForItsProvidersAnswer) {
  const std::string id = Ingest(CutShort("d1"));
  EXPECT_EQ(Evaluate(), 1);
  EXPECT_EQ(StateOf(id), EventState::kReceived);
  EXPECT_EQ(Evaluate(), 0) << "it waits";
  directory_.answer = ChangedPaths{{"docs/a", "src/main.c"}, ""};
  EXPECT_TRUE(Find());
  EXPECT_FALSE(Find());
  EXPECT_EQ(wakeups_, 1);
  ASSERT_EQ(directory_.asked.size(), 1u);
  EXPECT_EQ(directory_.asked[0].connection_id, "con_1");
  EXPECT_EQ(directory_.asked[0].repository, "Team/App");
  EXPECT_EQ(directory_.asked[0].before, kBefore);
  EXPECT_EQ(directory_.asked[0].after, kCommit);
  EXPECT_EQ(Evaluate(), 1);
  EXPECT_EQ(Explained(id).reason, Reason::kMatched);
  EXPECT_EQ(Explained(id).detail, "branch main matches main; src/main.c changed");
}

TEST_F(ChangeFinderTest, WhatDidNotChangeWhatMattersIsNotBuilt) {
  const std::string id = Ingest(CutShort("d1"));
  Evaluate();
  directory_.answer = ChangedPaths{{"docs/a"}, ""};
  Find();
  Evaluate();
  EXPECT_EQ(Explained(id).reason, Reason::kPathsNotMatched);
}

TEST_F(ChangeFinderTest, WhatTheProviderCannotTellIsBuilt) {
  const std::string cut = Ingest(CutShort("d1"));
  Evaluate();
  directory_.answer = ChangedPaths{{"docs/a"}, "GitHub names at most 300 files of a comparison"};
  Find();
  Evaluate();
  EXPECT_EQ(Explained(cut).reason, Reason::kMatched);
  EXPECT_EQ(
      Explained(cut).detail,
      "branch main matches main; built whatever changed: the provider's list of commits was cut short, and GitHub "
      "names at most 300 files of a comparison");
  Event other = CutShort("d2");
  other.push.set_after(CommitNumber(2));
  const std::string refused = Ingest(other);
  Evaluate();
  directory_.answer = absl::FailedPreconditionError("a generic git server has no API");
  Find();
  Evaluate();
  EXPECT_EQ(Explained(refused).reason, Reason::kMatched);
  EXPECT_TRUE(absl::EndsWith(Explained(refused).detail,
                             "and the provider could not be asked: a generic git server has no API"));
}

TEST_F(ChangeFinderTest, AProviderThatIsAwayIsAskedAgainButNotForEver) {
  const std::string id = Ingest(CutShort("d1"));
  Evaluate();
  directory_.answer = absl::UnavailableError("away");
  EXPECT_TRUE(Find());
  EXPECT_FALSE(Find()) << "not at once";
  EXPECT_EQ(StateOf(id), EventState::kReceived);
  Age("1 minute");
  EXPECT_TRUE(Find());
  EXPECT_EQ(Evaluate(), 0);
  Age("2 minutes");
  EXPECT_TRUE(Find());
  EXPECT_EQ(directory_.asked.size(), 2u);
  EXPECT_EQ(Evaluate(), 1);
  EXPECT_EQ(Explained(id).reason, Reason::kMatched);
}

TEST_F(ChangeFinderTest, NothingIsAskedWhenItMakesNoDifference) {
  Ingest(CutShort("a path that matters is listed", "src/a"));
  Ingest(MakeEvent("another branch", "refs/heads/dev"));
  Event tag = CutShort("a tag");
  tag.push.set_ref("refs/tags/v1");
  Ingest(tag);
  Event created = CutShort("a new ref has nothing to be compared with");
  created.push.set_before(std::string(40, '0'));
  created.push.set_after(CommitNumber(3));
  const std::string id = Ingest(created);
  while (Evaluate() > 0) {
  }
  EXPECT_FALSE(Find());
  EXPECT_EQ(Explained(id).reason, Reason::kMatched);
}

TEST_F(ChangeFinderTest, APushThatRewroteHistoryIsAskedFor) {
  Event event = CutShort("d1");
  event.push.set_commits_truncated(false);
  event.push.set_forced(true);
  Ingest(event);
  Evaluate();
  EXPECT_TRUE(Find());
}

TEST_F(ChangeFinderTest, LaterPushesOfTheRefKeepTheirPlaceBehindOneThatWaits) {
  Ingest(CutShort("d1"));
  Event later = CutShort("d2", "src/a");
  later.push.set_commits_truncated(false);
  later.push.set_after(CommitNumber(2));
  const std::string id = Ingest(later);
  Evaluate();
  EXPECT_EQ(Evaluate(), 0);
  EXPECT_EQ(StateOf(id), EventState::kReceived);
  Find();
  EXPECT_EQ(Evaluate(), 1);
  EXPECT_EQ(Evaluate(), 1);
  EXPECT_EQ(StateOf(id), EventState::kEvaluated);
}

TEST_F(ChangeFinderTest, TheAnswerStaysWithTheEvent) {
  const std::string id = Ingest(CutShort("d1"));
  Evaluate();
  directory_.answer = ChangedPaths{{"docs/\"ä\""}, "cut"};
  Find();
  Evaluate();
  const auto event = ledger_.Get("default", id);
  ASSERT_TRUE(event->changes.has_value());
  EXPECT_EQ(event->changes->paths, std::vector<std::string>{"docs/\"ä\""});
  EXPECT_EQ(event->changes->incomplete, "cut");
  const auto page = ledger_.List("default", {}, 0, 10);
  EXPECT_TRUE(page->events[0].changes.has_value());
}

}  // namespace
}  // namespace davit::rule_engine
