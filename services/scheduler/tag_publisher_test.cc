// Tests of tag_publisher.h with a store and a registry that are variables.
#include "services/scheduler/tag_publisher.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <optional>
#include <utility>

namespace davit::scheduler {
namespace {

// Publications in a queue; what became of them.
class FakeTags : public TagStore {
 public:
  absl::StatusOr<std::vector<Publication>> Take(int, absl::Duration) override {
    std::vector<Publication> taken;
    if (!due.empty()) {
      taken.push_back(due.front());
      due.pop_front();
    }
    return taken;
  }
  absl::StatusOr<TagOutcome> Publish(const Publication& publication, const std::string& tag, SetTag set) override {
    const absl::Status status = set(tag, publication.digest);
    if (!status.ok()) return status;
    return TagOutcome::kSet;
  }
  absl::StatusOr<std::optional<BuildState>> Finish(const Publication& publication,
                                                   const std::optional<Failure>& failure) override {
    finished[publication.build_id] = failure;
    return failure.has_value() ? BuildState::kFailed : BuildState::kSucceeded;
  }
  absl::Status Postpone(const Publication& publication, absl::Duration delay, absl::string_view) override {
    postponed[publication.build_id] = delay;
    return absl::OkStatus();
  }

  std::deque<Publication> due;
  std::map<std::string, std::optional<Failure>> finished;
  std::map<std::string, absl::Duration> postponed;
};

// A registry that answers each set with `status`.
class FakeTargets : public TagTargets {
 public:
  absl::StatusOr<std::unique_ptr<TagTarget>> Open(const Publication&) override {
    return std::make_unique<Target>(*this);
  }

  absl::Status status;
  std::map<std::string, std::string> tags;

 private:
  class Target : public TagTarget {
   public:
    explicit Target(FakeTargets& owner) : owner_(owner) {}
    absl::Status Set(absl::string_view tag, absl::string_view digest) override {
      if (owner_.status.ok()) owner_.tags[std::string(tag)] = std::string(digest);
      return owner_.status;
    }

   private:
    FakeTargets& owner_;
  };
};

class TagPublisherTest : public ::testing::Test {
 protected:
  TagPublisherTest() {
    Publication publication;
    publication.build_id = "bld_1";
    publication.digest = "sha256:1";
    publication.attempts = 1;
    publication.tags = {{"latest", TagOutcome::kPending}, {"done", TagOutcome::kSet}};
    tags_.due.push_back(publication);
  }

  SystemRandom random_;
  metrics::Registry metrics_;
  FakeTags tags_;
  FakeTargets targets_;
  std::vector<std::string> changed_;
  TagPublisher publisher_{tags_,
                          targets_,
                          random_,
                          {},
                          [this](const std::string& build) { changed_.push_back(build); },
                          Logger::Discarding(),
                          metrics_};
};

TEST_F(TagPublisherTest, SetsWhatIsPendingAndEndsTheBuild) {
  EXPECT_EQ(publisher_.PublishNext(), Loop::Again::kNow);
  EXPECT_EQ(targets_.tags, (std::map<std::string, std::string>{{"latest", "sha256:1"}}));
  ASSERT_TRUE(tags_.finished.contains("bld_1"));
  EXPECT_FALSE(tags_.finished["bld_1"].has_value());
  EXPECT_EQ(changed_, std::vector<std::string>{"bld_1"});
  EXPECT_EQ(publisher_.PublishNext(), Loop::Again::kLater);
}

TEST_F(TagPublisherTest, ARegistryThatIsAwayIsTriedAgainLaterAndLater) {
  targets_.status = absl::UnavailableError("connection refused");
  tags_.due.front().attempts = 3;
  publisher_.PublishNext();
  EXPECT_TRUE(tags_.finished.empty());
  EXPECT_GE(tags_.postponed.at("bld_1"), absl::Seconds(4) * 0.7);
  EXPECT_LE(tags_.postponed.at("bld_1"), absl::Seconds(4));
}

TEST_F(TagPublisherTest, ARegistryThatIsAwayForTooLongIsAnInfrastructureFailure) {
  targets_.status = absl::UnavailableError("connection refused");
  tags_.due.front().age = absl::Hours(1);
  publisher_.PublishNext();
  ASSERT_TRUE(tags_.finished["bld_1"].has_value());
  EXPECT_EQ(tags_.finished["bld_1"]->failure_class, FailureClass::kInfrastructure);
  EXPECT_EQ(tags_.finished["bld_1"]->message, "the tags could not be set for 1h: connection refused");
}

TEST_F(TagPublisherTest, ARefusedCredentialIsTheUsersFailure) {
  targets_.status = absl::UnauthenticatedError("credential rejected by 127.0.0.1:5000 (401)");
  publisher_.PublishNext();
  ASSERT_TRUE(tags_.finished["bld_1"].has_value());
  EXPECT_EQ(tags_.finished["bld_1"]->failure_class, FailureClass::kUser);
  EXPECT_EQ(tags_.finished["bld_1"]->message, "the tags cannot be set: credential rejected by 127.0.0.1:5000 (401)");
}

}  // namespace
}  // namespace davit::scheduler
