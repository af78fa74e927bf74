// Tests of services/builder_agent/lease_table.h: the situations of a lease's life.
#include "services/builder_agent/lease_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace davit::builder_agent {
namespace {

namespace proto = scheduler::v1;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const LeaseKey kLease{"bld_a", 7};

proto::SynchronizeResponse Listing(std::vector<LeaseKey> keys,
                                   proto::Lease::Desired desired = proto::Lease::DESIRED_RUN) {
  proto::SynchronizeResponse response;
  for (const LeaseKey& key : keys) {
    proto::Lease& lease = *response.add_leases();
    lease.set_build_id(key.build_id);
    lease.set_fence(key.fence);
    lease.mutable_ttl()->set_seconds(30);
    lease.set_desired(desired);
    lease.mutable_spec();
  }
  return response;
}

proto::BuildResult Success() {
  proto::BuildResult result;
  result.set_outcome(proto::BuildAttempt::OUTCOME_SUCCEEDED);
  result.set_log_size(5);
  return result;
}

class LeaseTableTest : public ::testing::Test {
 protected:
  LeaseTableTest() { EXPECT_THAT(table_.Apply(Listing({kLease}), absl::Seconds(100)).start, SizeIs(1)); }
  LeaseTable table_;
};

TEST_F(LeaseTableTest, AnAssignedBuildStartsOnceAndIsReported) {
  const LeaseChanges again = table_.Apply(Listing({kLease}), absl::Seconds(101));
  EXPECT_THAT(again.start, IsEmpty());
  table_.SetPhase(kLease, proto::BUILD_PHASE_BUILDING);
  ASSERT_THAT(table_.Reports(), SizeIs(1));
  EXPECT_EQ(table_.Reports()[0].fence(), 7);
  EXPECT_EQ(table_.Reports()[0].phase(), proto::BUILD_PHASE_BUILDING);
  EXPECT_FALSE(table_.Reports()[0].has_result());
}

TEST_F(LeaseTableTest, AResultIsReportedUntilTheLeaseLeavesTheResponse) {
  table_.SetResult(kLease, Success());
  EXPECT_TRUE(table_.Reports()[0].has_result());
  EXPECT_THAT(table_.Apply(Listing({kLease}), absl::Seconds(102)).forget, IsEmpty());
  EXPECT_EQ(table_.Reports()[0].result().log_size(), 5);
  EXPECT_THAT(table_.Apply(Listing({}), absl::Seconds(103)).forget, ElementsAre(kLease));
  EXPECT_TRUE(table_.empty());
}

TEST_F(LeaseTableTest, ALeaseThatVanishesIsForgottenAndItsLateResultIgnored) {
  EXPECT_THAT(table_.Apply(Listing({}), absl::Seconds(101)).forget, ElementsAre(kLease));
  table_.SetResult(kLease, Success());
  table_.SetPhase(kLease, proto::BUILD_PHASE_PUSHING);
  EXPECT_THAT(table_.Reports(), IsEmpty());
}

TEST_F(LeaseTableTest, ALargerFenceOfTheSameBuildReplacesTheSmaller) {
  const LeaseKey newer{"bld_a", 9};
  const LeaseChanges changes = table_.Apply(Listing({newer}), absl::Seconds(101));
  EXPECT_THAT(changes.start, SizeIs(1));
  EXPECT_THAT(changes.forget, ElementsAre(kLease));
  table_.SetResult(kLease, Success());
  EXPECT_FALSE(table_.Reports()[0].has_result());
}

TEST_F(LeaseTableTest, ALeaseRunsOutOnItsTtlFromWhenTheRequestWasSent) {
  EXPECT_EQ(table_.NextExpiry(), absl::Seconds(130));
  EXPECT_THAT(table_.Expire(absl::Seconds(129)).forget, IsEmpty());
  table_.Apply(Listing({kLease}), absl::Seconds(110));
  EXPECT_THAT(table_.Expire(absl::Seconds(139)).forget, IsEmpty());
  EXPECT_THAT(table_.Expire(absl::Seconds(140)).forget, ElementsAre(kLease));
  EXPECT_EQ(table_.NextExpiry(), absl::InfiniteDuration());
}

TEST_F(LeaseTableTest, ALateResponseDoesNotShortenALease) {
  table_.Apply(Listing({kLease}), absl::Seconds(90));
  EXPECT_EQ(table_.NextExpiry(), absl::Seconds(130));
}

TEST_F(LeaseTableTest, AFencedLeaseThatTheSchedulerStillListsIsGivenBackAndNotBegunAgain) {
  table_.Expire(absl::Seconds(200));
  EXPECT_THAT(table_.Apply(Listing({kLease}), absl::Seconds(201)).start, IsEmpty());
  ASSERT_THAT(table_.Reports(), SizeIs(1));
  EXPECT_TRUE(table_.Reports()[0].returned());
  table_.Apply(Listing({}), absl::Seconds(202));
  EXPECT_TRUE(table_.empty());
}

TEST_F(LeaseTableTest, ALeaseThatIsListedAsHeldButIsNotIsIgnored) {
  proto::SynchronizeResponse response = Listing({kLease, {"bld_b", 8}});
  response.mutable_leases(1)->clear_spec();
  EXPECT_THAT(table_.Apply(response, absl::Seconds(101)).start, IsEmpty());
  EXPECT_THAT(table_.Reports(), SizeIs(1));
}

TEST_F(LeaseTableTest, ACancellationIsPassedOnOnce) {
  EXPECT_THAT(table_.Apply(Listing({kLease}, proto::Lease::DESIRED_CANCEL), absl::Seconds(101)).cancel,
              ElementsAre(kLease));
  EXPECT_THAT(table_.Apply(Listing({kLease}, proto::Lease::DESIRED_CANCEL), absl::Seconds(102)).cancel, IsEmpty());
}

TEST_F(LeaseTableTest, ACancellationAfterTheEndChangesNothing) {
  table_.SetResult(kLease, Success());
  EXPECT_THAT(table_.Apply(Listing({kLease}, proto::Lease::DESIRED_CANCEL), absl::Seconds(101)).cancel, IsEmpty());
  EXPECT_EQ(table_.Reports()[0].result().outcome(), proto::BuildAttempt::OUTCOME_SUCCEEDED);
}

TEST_F(LeaseTableTest, ABuildThatIsCancelledBeforeItBeganIsReportedCancelled) {
  const LeaseKey other{"bld_b", 8};
  proto::SynchronizeResponse response = Listing({kLease});
  response.MergeFrom(Listing({other}, proto::Lease::DESIRED_CANCEL));
  EXPECT_THAT(table_.Apply(response, absl::Seconds(101)).start, IsEmpty());
  ASSERT_THAT(table_.Reports(), SizeIs(2));
  EXPECT_EQ(table_.Reports()[1].result().outcome(), proto::BuildAttempt::OUTCOME_CANCELLED);
}

TEST_F(LeaseTableTest, AReturnedBuildIsReportedSoAndTakesNoResultAnyMore) {
  table_.SetReturned(kLease);
  table_.SetResult(kLease, Success());
  EXPECT_TRUE(table_.Reports()[0].returned());
  EXPECT_FALSE(table_.Reports()[0].has_result());
}

TEST_F(LeaseTableTest, ASupersededSessionDropsEverything) {
  EXPECT_THAT(table_.Clear().forget, ElementsAre(kLease));
  EXPECT_TRUE(table_.empty());
}

}  // namespace
}  // namespace davit::builder_agent
