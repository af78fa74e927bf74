// Tests of logs and uploads, on a real PostgreSQL.
#include "services/scheduler/store/store_fixture.h"

namespace davit::scheduler {
namespace {

class LogTest : public StoreFixture {
 protected:
  ClaimedLease RunOne() {
    Queue("a");
    return Claim(Begin("one", "ses_1"), "ses_1").at(0);
  }
};

TEST_F(LogTest, OverlapsAreIgnoredAndGapsAreRefused) {
  const ClaimedLease lease = RunOne();
  const auto append = [&](int64_t offset, absl::string_view data) {
    const auto size = logs_->Append(kEveryProject, lease.build_id, lease.fence, offset, data);
    EXPECT_TRUE(size.ok()) << size.status();
    return size.value_or(-1);
  };
  EXPECT_EQ(append(0, "hello "), 6);
  EXPECT_EQ(append(0, "hello "), 6);
  EXPECT_EQ(append(3, "lo world"), 11);
  EXPECT_EQ(append(20, "beyond a gap"), 11);
  EXPECT_EQ(append(11, ""), 11);
  EXPECT_EQ(logs_->Read("a", lease.build_id, 1, 0, 100).value(), "hello world");
  EXPECT_EQ(logs_->Read("a", lease.build_id, 1, 4, 3).value(), "o w");
  EXPECT_EQ(logs_->Read("a", lease.build_id, 1, 11, 100).value(), "");
  const auto state = logs_->State("a", lease.build_id, 0);
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(state->attempt, 1);
  EXPECT_EQ(state->size, 11);
  EXPECT_FALSE(state->ended);
  EXPECT_EQ(logs_->State("a", lease.build_id, 2)->attempt, 0);
}

TEST_F(LogTest, ALogIsBounded) {
  const ClaimedLease lease = RunOne();
  EXPECT_EQ(logs_->Append(kEveryProject, lease.build_id, lease.fence, 0, std::string(kMaxLogSize, 'x')).value(),
            kMaxLogSize);
  EXPECT_EQ(logs_->Append(kEveryProject, lease.build_id, lease.fence, kMaxLogSize, "x").status().code(),
            absl::StatusCode::kResourceExhausted);
}

TEST_F(LogTest, TheAnnouncedTailMayComeAfterTheEndAndNothingElse) {
  const ClaimedLease lease = RunOne();
  ASSERT_TRUE(logs_->Append(kEveryProject, lease.build_id, lease.fence, 0, "head ").ok());
  AttemptReport report = Ended(lease, AttemptEnd::kFailedUser);
  report.log_expected = 9;
  ASSERT_TRUE(leases_->End(report).ok());
  EXPECT_FALSE(logs_->State("a", lease.build_id, 0)->complete());
  EXPECT_EQ(logs_->Append(kEveryProject, lease.build_id, lease.fence, 5, "tail").value(), 9);
  EXPECT_TRUE(logs_->State("a", lease.build_id, 0)->complete());
  EXPECT_EQ(logs_->Append(kEveryProject, lease.build_id, lease.fence, 9, "more").status().message(), "lease has ended");
  EXPECT_EQ(logs_->Append(kEveryProject, "bld_unknown", 1, 0, "x").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(LogTest, AnUploadIsReadInChunksOnceItIsComplete) {
  UploadRecord upload;
  upload.id = NewId("upl", clock_, random_);
  upload.project = "a";
  upload.format = 2;
  upload.file_name = "context.tar";
  ASSERT_TRUE(uploads_->Begin(upload).ok());
  ASSERT_TRUE(
      uploads_->Append(upload, 0, {std::string(kUploadChunkBytes, 'a'), std::string(kUploadChunkBytes, 'b')}).ok());
  ASSERT_TRUE(uploads_->Append(upload, 2, {std::string("c\0d", 3)}).ok());
  EXPECT_EQ(uploads_->Get("a", upload.id).status().code(), absl::StatusCode::kNotFound);
  upload.size = 2 * kUploadChunkBytes + 3;
  upload.digest = "sha256:x";
  const auto complete = uploads_->Complete(upload);
  ASSERT_TRUE(complete.ok()) << complete.status();
  EXPECT_EQ(complete->file_name, "context.tar");
  EXPECT_EQ(uploads_->ReadChunk("a", upload.id, 1).value(), std::string(kUploadChunkBytes, 'b'));
  EXPECT_EQ(uploads_->ReadChunk("a", upload.id, 2).value(), std::string("c\0d", 3));
  EXPECT_EQ(uploads_->ReadChunk("a", upload.id, 3).value(), "");
  EXPECT_EQ(uploads_->Get("b", upload.id).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(LogTest, OldUploadsGoWhenNoBuildNeedsThem) {
  UploadRecord upload;
  upload.project = "a";
  upload.format = 1;
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) {
    upload.id = NewId("upl", clock_, random_);
    ids.push_back(upload.id);
    ASSERT_TRUE(uploads_->Begin(upload).ok());
    ASSERT_TRUE(uploads_->Complete(upload).ok());
  }
  NewBuild build = Describe("a");
  build.upload_id = ids[0];
  ASSERT_TRUE(builds_->Create(build).ok());
  EXPECT_EQ(uploads_->OfBuild("a", build.id)->id, ids[0]);
  EXPECT_EQ(uploads_->OfBuild("a", Queue("a")).status().code(), absl::StatusCode::kNotFound);
  upload.id = ids[2];
  ASSERT_TRUE(uploads_->Abandon(upload).ok());
  Sql("update uploads set created_at = now() - interval '25 hours'");
  EXPECT_EQ(uploads_->DeleteOld(absl::Hours(24)).value(), 1);
  EXPECT_TRUE(uploads_->Get("a", ids[0]).ok());
  ASSERT_TRUE(builds_->Cancel("a", build.id).ok());
  EXPECT_EQ(uploads_->DeleteOld(absl::Hours(24)).value(), 1);
}

}  // namespace
}  // namespace davit::scheduler
