// Tests of connector.h, and of how a pool looks to its callers, with a real PostgreSQL that goes away and comes back.
#include "libs/postgres/connector.h"

#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "absl/strings/str_cat.h"
#include "libs/clock/testing/fake_clock.h"
#include "libs/postgres/pool.h"
#include "libs/postgres/testing/test_server.h"
#include "libs/postgres/transaction.h"

namespace davit::postgres {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(5);
constexpr Statement kOne = {"one", "select 1"};
constexpr Statement kCreate = {"create_t", "create table if not exists t (i int)"};

// A clock that does something when it has been slept by for long enough.
class EventfulClock : public FakeClock {
 public:
  void SleepFor(absl::Duration duration) override {
    FakeClock::SleepFor(duration);
    if (event_ != nullptr && slept() >= at_) std::exchange(event_, nullptr)();
  }
  void After(absl::Duration slept_more, std::function<void()> event) {
    at_ = slept() + slept_more;
    event_ = std::move(event);
  }

 private:
  absl::Duration at_;
  std::function<void()> event_;
};

class ConnectorTest : public testing::Test {
 protected:
  void SetUp() override {
    auto server = TestServer::Start();
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  // What a patient try says, and how long it waited.
  absl::Status Try(Connector& connector) {
    const absl::Duration before = clock_.slept();
    const absl::Status status = connector.ConnectPatiently().status();
    waited_ = clock_.slept() - before;
    return status;
  }

  std::unique_ptr<TestServer> server_;
  EventfulClock clock_;
  absl::Duration waited_;
};

TEST_F(ConnectorTest, WaitsUntilTheServerIsBack) {
  Connector connector(server_->conninfo(), kPatience, clock_);
  ASSERT_TRUE(Try(connector).ok());
  EXPECT_EQ(waited_, absl::ZeroDuration());
  ASSERT_TRUE(server_->Stop().ok());
  absl::Status outage;
  clock_.After(absl::Seconds(3), [&] {
    outage = connector.Outage();
    EXPECT_TRUE(server_->StartAgain().ok());
  });
  EXPECT_TRUE(Try(connector).ok());
  EXPECT_GE(waited_, absl::Seconds(3));
  EXPECT_LT(waited_, absl::Seconds(4));
  EXPECT_TRUE(absl::IsUnavailable(outage)) << outage;
  EXPECT_TRUE(connector.Outage().ok()) << connector.Outage();
}

TEST_F(ConnectorTest, GivesUpAfterItsPatienceAndTriesOncePerCallFromThenOn) {
  Connector connector(server_->conninfo(), kPatience, clock_);
  ASSERT_TRUE(server_->Stop().ok());
  EXPECT_TRUE(absl::IsUnavailable(Try(connector)));
  EXPECT_GE(waited_, kPatience);
  EXPECT_LT(waited_, kPatience + absl::Seconds(1));
  EXPECT_TRUE(absl::IsUnavailable(Try(connector)));
  EXPECT_EQ(waited_, absl::ZeroDuration());

  // The next outage is waited out again.
  ASSERT_TRUE(server_->StartAgain().ok());
  EXPECT_TRUE(Try(connector).ok());
  ASSERT_TRUE(server_->Stop().ok());
  EXPECT_TRUE(absl::IsUnavailable(Try(connector)));
  EXPECT_GE(waited_, kPatience);
}

TEST_F(ConnectorTest, WaitsForNothingWithoutPatience) {
  Connector connector(server_->conninfo(), absl::ZeroDuration(), clock_);
  ASSERT_TRUE(server_->Stop().ok());
  EXPECT_TRUE(absl::IsUnavailable(Try(connector)));
  EXPECT_EQ(waited_, absl::ZeroDuration());
}

TEST_F(ConnectorTest, DoesNotWaitForAServerThatRefuses) {
  Connector no_database(absl::StrCat(server_->conninfo(), " dbname=nowhere"), kPatience, clock_);
  EXPECT_FALSE(Try(no_database).ok());
  EXPECT_EQ(waited_, absl::ZeroDuration());
  EXPECT_TRUE(no_database.Outage().ok());
  Connector no_role(absl::StrCat(server_->conninfo(), " user=nobody"), kPatience, clock_);
  EXPECT_FALSE(Try(no_role).ok());
  EXPECT_EQ(waited_, absl::ZeroDuration());
  EXPECT_TRUE(no_role.Outage().ok());
}

TEST_F(ConnectorTest, APoolsCallersDoNotSeeARestart) {
  auto pool = Pool::Open({.conninfo = server_->conninfo(), .outage_patience = absl::Minutes(2)});
  ASSERT_TRUE(pool.ok()) << pool.status();
  const auto one = [&pool] {
    return (*pool)->Transact(Scope::AllProjects(),
                             [](Transaction& transaction) { return transaction.Execute(kOne).status(); });
  };
  ASSERT_TRUE(one().ok());
  ASSERT_TRUE(server_->Stop().ok());
  absl::Status waited, waited_alone;
  std::thread caller([&] { waited = one(); });
  std::thread alone([&] { waited_alone = (*pool)->ExecuteAlone(Scope::AllProjects(), kOne, {}).status(); });
  EXPECT_TRUE(server_->StartAgain().ok());
  caller.join();
  alone.join();
  EXPECT_TRUE(waited.ok()) << waited;
  EXPECT_TRUE(waited_alone.ok()) << waited_alone;
}

TEST_F(ConnectorTest, APoolUsesNoIdleConnectionThatTheServerHasEnded) {
  auto pool = Pool::Open({.conninfo = server_->conninfo(), .max_connections = 1});
  ASSERT_TRUE(pool.ok()) << pool.status();
  const auto alone = [&pool] { return (*pool)->ExecuteAlone(Scope::AllProjects(), kCreate, {}).status(); };
  ASSERT_TRUE(alone().ok());
  ASSERT_TRUE(server_->Stop().ok());
  ASSERT_TRUE(server_->StartAgain().ok());
  EXPECT_TRUE(alone().ok()) << "its outcome would be unknown on the old connection";
}

TEST_F(ConnectorTest, OpeningAPoolDoesNotWait) {
  ASSERT_TRUE(server_->Stop().ok());
  const auto pool = Pool::Open({.conninfo = server_->conninfo(), .outage_patience = absl::InfiniteDuration()});
  EXPECT_TRUE(absl::IsUnavailable(pool.status())) << pool.status();
}

}  // namespace
}  // namespace davit::postgres
