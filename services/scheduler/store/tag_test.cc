// Tests of publishing tags in order, on a real PostgreSQL with a registry that is a map.
#include <map>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "services/scheduler/store/store_fixture.h"

namespace davit::scheduler {
namespace {

class TagTest : public StoreFixture {
 protected:
  // Queues, runs and completes a build with tags; its publication is due then.
  std::string Complete(const std::vector<std::string>& tags) {
    const std::string id = Queue("a", tags);
    if (agent_.empty()) agent_ = Begin("one", "ses_1");
    const auto leases = Claim(agent_, "ses_1");
    EXPECT_EQ(leases.size(), 1);
    EXPECT_TRUE(leases_->End(Ended(leases.at(0), AttemptEnd::kSucceeded)).ok());
    return id;
  }

  // Takes all publications that are due, by build.
  std::map<std::string, Publication> TakeAll() {
    std::map<std::string, Publication> taken;
    const auto publications = tags_->Take(10, absl::Minutes(1));
    EXPECT_TRUE(publications.ok()) << publications.status();
    for (const Publication& publication : *publications) taken[publication.build_id] = publication;
    return taken;
  }

  absl::Status Set(absl::string_view tag, absl::string_view digest) {
    absl::MutexLock lock(&mutex_);
    registry_[std::string(tag)] = std::string(digest);
    return absl::OkStatus();
  }

  absl::StatusOr<TagOutcome> Publish(const Publication& publication, const std::string& tag) {
    return tags_->Publish(publication, tag,
                          [this](absl::string_view name, absl::string_view digest) { return Set(name, digest); });
  }

  std::string agent_;
  absl::Mutex mutex_;
  std::map<std::string, std::string> registry_;
};

TEST_F(TagTest, TheIdIsATagAndTheBuildSucceeds) {
  const std::string id = Complete({"latest", "v1"});
  const Publication publication = TakeAll().at(id);
  ASSERT_EQ(publication.tags.size(), 3);
  for (const TagRecord& tag : publication.tags) EXPECT_EQ(Publish(publication, tag.tag).value(), TagOutcome::kSet);
  EXPECT_EQ(registry_.at(id), publication.digest);
  EXPECT_EQ(registry_.at("latest"), publication.digest);
  EXPECT_EQ(tags_->Finish(publication, std::nullopt).value(), BuildState::kSucceeded);
  EXPECT_EQ(tags_->Finish(publication, std::nullopt).value(), std::nullopt);
  const BuildRecord build = Get(id);
  EXPECT_EQ(build.state, BuildState::kSucceeded);
  ASSERT_EQ(build.tag_results.size(), 2);
  EXPECT_EQ(build.tag_results[0].outcome, TagOutcome::kSet);
}

TEST_F(TagTest, AnOlderBuildThatFinishesLastIsSuperseded) {
  const std::string older = Complete({"latest"});
  const std::string newer = Complete({"latest"});
  const auto publications = TakeAll();
  ASSERT_EQ(Publish(publications.at(newer), "latest").value(), TagOutcome::kSet);
  EXPECT_EQ(Publish(publications.at(older), "latest").value(), TagOutcome::kNewerOwnsIt);
  EXPECT_EQ(registry_.at("latest"), publications.at(newer).digest);
  EXPECT_EQ(tags_->Finish(publications.at(older), std::nullopt).value(), BuildState::kSuperseded);
  EXPECT_EQ(Get(older).digest, publications.at(older).digest);
}

TEST_F(TagTest, AnOlderPublicationInFlightIsWaitedForByTheNewer) {
  const std::string older = Complete({"latest"});
  const std::string newer = Complete({"latest"});
  const auto publications = TakeAll();
  absl::Notification older_is_setting;
  absl::Notification go_on;
  std::thread slow([&] {
    const auto outcome =
        tags_->Publish(publications.at(older), "latest", [&](absl::string_view tag, absl::string_view digest) {
          older_is_setting.Notify();
          go_on.WaitForNotification();
          return Set(tag, digest);
        });
    EXPECT_EQ(outcome.value(), TagOutcome::kSet);
  });
  older_is_setting.WaitForNotification();
  std::thread fast([&] { EXPECT_EQ(Publish(publications.at(newer), "latest").value(), TagOutcome::kSet); });
  while (Sql("select count(*) from pg_stat_activity where wait_event_type = 'Lock'") == "0") std::this_thread::yield();
  {
    absl::MutexLock lock(&mutex_);
    EXPECT_FALSE(registry_.contains("latest"));
  }
  go_on.Notify();
  slow.join();
  fast.join();
  EXPECT_EQ(registry_.at("latest"), publications.at(newer).digest);
}

TEST_F(TagTest, ATryWhoseEndIsUnknownIsRepairedWhenANewerBuildHasSetTheTag) {
  const std::string older = Complete({"latest"});
  const std::string newer = Complete({"latest"});
  auto publications = TakeAll();
  ASSERT_TRUE(Publish(publications.at(newer), "latest").ok());
  // The first try of the older build reached the registry late, and its transaction was lost.
  registry_["latest"] = publications.at(older).digest;
  ASSERT_TRUE(tags_->Postpone(publications.at(older), absl::ZeroDuration(), "connection lost").ok());
  EXPECT_EQ(Publish(TakeAll().at(older), "latest").value(), TagOutcome::kNewerOwnsIt);
  EXPECT_EQ(registry_.at("latest"), publications.at(newer).digest);
}

TEST_F(TagTest, ARegistryThatFailsChangesNothing) {
  const std::string id = Complete({"latest"});
  const Publication publication = TakeAll().at(id);
  const auto failed = tags_->Publish(publication, "latest", [](absl::string_view, absl::string_view) {
    return absl::UnavailableError("registry is away");
  });
  EXPECT_EQ(failed.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Sql("select sequence from tag_heads where tag = 'latest'"), "0");
  EXPECT_EQ(tags_->Finish(publication, Failure{FailureClass::kUser, "access denied"}).value(), BuildState::kFailed);
  EXPECT_EQ(Get(id).failure.message, "access denied");
}

TEST_F(TagTest, RacingPublishersLeaveTheTagOnTheNewestBuild) {
  std::vector<std::string> ids;
  for (int i = 0; i < 6; ++i) ids.push_back(Complete({"latest"}));
  const auto publications = TakeAll();
  std::vector<std::thread> publishers;
  for (const std::string& id : ids) {
    publishers.emplace_back([&, id] { EXPECT_TRUE(Publish(publications.at(id), "latest").ok()); });
  }
  for (std::thread& publisher : publishers) publisher.join();
  EXPECT_EQ(registry_.at("latest"), publications.at(ids.back()).digest);
}

}  // namespace
}  // namespace davit::scheduler
