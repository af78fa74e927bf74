// Tests of CommitReporter, with an outbox in memory.
#include "services/scheduler/commit_reporter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <vector>

#include "absl/strings/str_cat.h"

namespace davit::scheduler {
namespace {

// Hands out what it is given and writes down what became of it.
class FakeOutbox : public CommitStatusStore {
 public:
  absl::StatusOr<std::optional<CommitMark>> Take(absl::Duration) override {
    if (marks.empty()) return std::nullopt;
    const CommitMark mark = marks.front();
    marks.pop_front();
    return mark;
  }
  absl::Status Finish(const CommitMark&, absl::string_view note) override {
    settled.push_back(absl::StrCat("finished|", note));
    return absl::OkStatus();
  }
  absl::Status Postpone(const CommitMark&, absl::Duration delay) override {
    settled.push_back(absl::StrCat("postponed|", absl::FormatDuration(delay)));
    return absl::OkStatus();
  }
  absl::Status PostponeConnection(const CommitMark&, absl::Duration delay) override {
    settled.push_back(absl::StrCat("limited|", absl::FormatDuration(delay)));
    return absl::OkStatus();
  }
  absl::StatusOr<int> DeleteOld(absl::Duration) override { return 0; }

  std::deque<CommitMark> marks;
  std::vector<std::string> settled;
};

class CommitReporterTest : public testing::Test {
 protected:
  static CommitMark Mark(BuildState state) {
    CommitMark mark;
    mark.build_id = "bld_1";
    mark.context = "davit/main";
    mark.state = state;
    mark.attempts = 1;
    return mark;
  }

  // Reports one mark and returns what became of it.
  std::string Settle(absl::StatusOr<ReportAnswer> answer, const CommitMark& mark = Mark(BuildState::kQueued)) {
    answer_ = std::move(answer);
    outbox_.marks.push_back(mark);
    EXPECT_EQ(reporter_.ReportNext(), Loop::Again::kNow);
    return outbox_.settled.empty() ? "nothing" : outbox_.settled.back();
  }

  FakeOutbox outbox_;
  metrics::Registry metrics_;
  absl::StatusOr<ReportAnswer> answer_ = ReportAnswer();
  std::vector<CommitReport> reports_;
  std::vector<std::string> changed_;
  CommitReporter reporter_{outbox_,
                           [this](const CommitReport& report) {
                             reports_.push_back(report);
                             return answer_;
                           },
                           [this](const std::string& build) { changed_.push_back(build); },
                           "https://davit.example.com/",
                           Logger::Discarding(),
                           metrics_};
};

TEST_F(CommitReporterTest, AnEmptyOutboxIsLookedAtLater) { EXPECT_EQ(reporter_.ReportNext(), Loop::Again::kLater); }

TEST_F(CommitReporterTest, EachStateHasItsWord) {
  const std::vector<std::pair<BuildState, int>> expected = {
      {BuildState::kQueued, 1},    {BuildState::kRunning, 2},    {BuildState::kPublishing, 2},
      {BuildState::kSucceeded, 3}, {BuildState::kFailed, 4},     {BuildState::kCancelled, 6},
      {BuildState::kTimedOut, 5},  {BuildState::kSuperseded, 3}, {BuildState::kHeld, 1}};
  ASSERT_EQ(expected.size(), AllBuildStates().size());
  for (const auto& [state, number] : expected) {
    CommitMark mark = Mark(state);
    mark.digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    EXPECT_EQ(Settle(ReportAnswer(), mark), "finished|");
    EXPECT_EQ(reports_.back().state, number) << BuildStateName(state);
    EXPECT_THAT(reports_.back().description, testing::StartsWith("bld_1 "));
    EXPECT_LE(reports_.back().description.size(), 140);
  }
}

TEST_F(CommitReporterTest, AReportLinksToTheBuildAndNamesTheImage) {
  CommitMark mark = Mark(BuildState::kSucceeded);
  mark.digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
  Settle(ReportAnswer(), mark);
  EXPECT_EQ(reports_.back().target_url, "https://davit.example.com/builds/bld_1");
  EXPECT_EQ(reports_.back().description, "bld_1 succeeded: sha256:0123456789ab");
}

TEST_F(CommitReporterTest, WhatANewerBuildKeptFromBeingBuiltIsNoSuccess) {
  CommitMark mark = Mark(BuildState::kSuperseded);
  Settle(ReportAnswer(), mark);
  EXPECT_EQ(reports_.back().state, 6);
  EXPECT_EQ(reports_.back().description, "bld_1 was superseded by a newer build");
}

TEST_F(CommitReporterTest, AGenericServerIsDone) {
  EXPECT_EQ(Settle(ReportAnswer{ReportOutcome::kNotSupported, "none"}), "finished|");
}

TEST_F(CommitReporterTest, ARefusalIsNoted) {
  EXPECT_EQ(Settle(ReportAnswer{ReportOutcome::kRefused, "access denied by api.github.com (403)"}),
            "finished|commit status not set: access denied by api.github.com (403)");
  EXPECT_THAT(changed_, testing::ElementsAre("bld_1"));
  EXPECT_EQ(Settle(absl::NotFoundError("connection not found: con_1")),
            "finished|commit status not set: connection not found: con_1");
}

TEST_F(CommitReporterTest, ALimitHoldsBackTheConnectionForAsLongAsTheProviderSays) {
  EXPECT_EQ(Settle(ReportAnswer{ReportOutcome::kLimited, "limited", absl::Seconds(90)}), "limited|1m30s");
  EXPECT_EQ(Settle(ReportAnswer{ReportOutcome::kLimited, "limited"}), "limited|1s");
}

TEST_F(CommitReporterTest, TriesAgainWithGrowingDelaysAndGivesUpAfterADay) {
  CommitMark mark = Mark(BuildState::kQueued);
  EXPECT_EQ(Settle(absl::UnavailableError("away"), mark), "postponed|4s");
  mark.attempts = 5;
  EXPECT_EQ(Settle(absl::UnavailableError("away"), mark), "postponed|1m4s");
  mark.attempts = 50;
  EXPECT_EQ(Settle(absl::UnavailableError("away"), mark), "postponed|10m");
  mark.age = absl::Hours(25);
  EXPECT_EQ(Settle(absl::UnavailableError("away"), mark), "finished|commit status not set: away");
}

TEST_F(CommitReporterTest, ACallWhoseEndIsNotKnownKeepsItsHold) {
  EXPECT_EQ(Settle(absl::DeadlineExceededError("no answer")), "nothing");
}

}  // namespace
}  // namespace davit::scheduler
