// Tests of services/builder_agent/log_uploader.h.
#include "services/builder_agent/log_uploader.h"

#include <gtest/gtest.h>

#include "libs/clock/testing/fake_clock.h"
#include "services/builder_agent/testing/fake_clients.h"

namespace davit::builder_agent {
namespace {

class LogUploaderTest : public ::testing::Test {
 protected:
  LogUploaderTest()
      : spool_(*LogSpool::Create(::testing::TempDir() + "/upload.log", 10 << 20)),
        uploader_(scheduler_, {"bld_a", 7}, *spool_, clock_, Logger::Discarding()) {}

  FakeScheduler scheduler_;
  FakeClock clock_;
  std::unique_ptr<LogSpool> spool_;
  LogUploader uploader_;
};

TEST_F(LogUploaderTest, EverythingIsStoredInPiecesBeforeItReturns) {
  const std::string text(700'000, 'x');
  spool_->AppendOutput(text);
  spool_->AppendNote("end\n");
  spool_->Close();
  uploader_.Run();
  EXPECT_EQ(scheduler_.log(), text + "end\n");
}

TEST_F(LogUploaderTest, AnAbsentSchedulerIsTriedAgainWithGrowingPauses) {
  spool_->AppendOutput("hello");
  spool_->Close();
  scheduler_.FailAppends(std::vector<absl::Status>(6, absl::UnavailableError("away")));
  uploader_.Run();
  EXPECT_EQ(scheduler_.log(), "hello");
  EXPECT_GE(clock_.slept(), absl::Seconds(6));
}

TEST_F(LogUploaderTest, AGapMakesItGoBackToWhatIsStored) {
  spool_->AppendOutput(std::string(600'000, 'a'));
  spool_->Close();
  scheduler_.LoseBefore(1, 100);
  uploader_.Run();
  EXPECT_EQ(scheduler_.log(), std::string(600'000, 'a'));
}

TEST_F(LogUploaderTest, ALostLeaseAndAFullLogEndIt) {
  for (const absl::Status& error : {absl::FailedPreconditionError("lease superseded by fence 9"),
                                    absl::ResourceExhaustedError("the log is over its limit")}) {
    spool_->AppendOutput("more");
    scheduler_.FailAppends({error});
    LogUploader uploader(scheduler_, {"bld_a", 7}, *spool_, clock_, Logger::Discarding());
    uploader.Run();
    EXPECT_EQ(scheduler_.log(), "");
  }
}

TEST_F(LogUploaderTest, AnAbandonedUploadEndsAlthoughTheSchedulerIsAway) {
  spool_->AppendOutput("hello");
  uploader_.Abandon();
  uploader_.Run();
  EXPECT_EQ(scheduler_.log(), "");
}

}  // namespace
}  // namespace davit::builder_agent
