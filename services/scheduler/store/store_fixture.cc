// Implements store_fixture.h.
#include "services/scheduler/store/store_fixture.h"

#include <pqxx/pqxx>

#include "absl/strings/str_cat.h"
#include "services/scheduler/migrations.h"

namespace davit::scheduler {

StoreFixture::StoreFixture() : database_("scheduler") {
  database_.Migrate("scheduler", migrations::kAll);
  pool_ = database_.OpenPool("scheduler", 12);
  builds_ = NewPostgresBuildStore(*pool_, 20);
  queue_ = NewPostgresQueueStore(*pool_, {});
  leases_ = NewPostgresLeaseStore(*pool_, random_, {});
  logs_ = NewPostgresLogStore(*pool_, kMaxLogSize);
  uploads_ = NewPostgresUploadStore(*pool_);
  agents_ = NewPostgresAgentStore(*pool_, absl::Seconds(60));
  tags_ = NewPostgresTagStore(*pool_);
  revocations_ = NewPostgresRevocationStore(*pool_);
}

NewBuild StoreFixture::Describe(const std::string& project) {
  NewBuild build;
  build.id = NewId("bld", clock_, random_);
  build.project = project;
  build.request_digest = "digest";
  build.spec = "spec";
  build.image_repository = "127.0.0.1:5000/team/app";
  return build;
}

std::string StoreFixture::Queue(const std::string& project, const std::vector<std::string>& tags) {
  NewBuild build = Describe(project);
  build.tags = tags;
  const absl::StatusOr<CreatedBuild> created = builds_->Create(build);
  EXPECT_TRUE(created.ok()) << created.status();
  return build.id;
}

std::string StoreFixture::Begin(const std::string& agent_name, const std::string& session_id) {
  SessionReport report = Continue(agent_name, session_id);
  report.start = SessionStart::kStarts;
  const absl::StatusOr<SessionOutcome> outcome = leases_->Synchronize(report);
  EXPECT_TRUE(outcome.ok()) << outcome.status();
  return outcome.ok() ? outcome->agent_id : "";
}

SessionReport StoreFixture::Continue(const std::string& agent_name, const std::string& session_id) {
  SessionReport report;
  report.new_agent_id = NewId("agt", clock_, random_);
  report.agent_name = agent_name;
  report.session_id = session_id;
  report.slots = 4;
  report.free_slots = 4;
  return report;
}

std::vector<ClaimedLease> StoreFixture::Claim(const std::string& agent_id, const std::string& session_id, int slots) {
  const absl::StatusOr<std::vector<ClaimedLease>> leases =
      queue_->Claim(kDefaultPool, kEveryProject, std::vector<FreeSlot>(slots, {agent_id, session_id}));
  EXPECT_TRUE(leases.ok()) << leases.status();
  return leases.value_or(std::vector<ClaimedLease>());
}

AttemptReport StoreFixture::Ended(const ClaimedLease& lease, AttemptEnd end) {
  AttemptReport report;
  report.build_id = lease.build_id;
  report.fence = lease.fence;
  report.end = end;
  if (end == AttemptEnd::kSucceeded) report.digest = absl::StrCat("sha256:", lease.fence);
  return report;
}

BuildRecord StoreFixture::Get(const std::string& id) {
  const absl::StatusOr<BuildRecord> build = builds_->Get(kEveryProject, id, BuildDetail::kFull);
  EXPECT_TRUE(build.ok()) << build.status();
  return build.value_or(BuildRecord());
}

std::string StoreFixture::Sql(const std::string& statement) {
  pqxx::connection connection(database_.admin_conninfo());
  pqxx::work work(connection);
  work.exec0("set search_path to scheduler");
  const pqxx::result rows = work.exec(statement);
  work.commit();
  return rows.empty() || rows[0][0].is_null() ? "" : rows[0][0].as<std::string>();
}

std::string StoreFixture::Lane(const std::string& project) {
  return Sql(absl::StrCat("select queued || '/' || running from queue_lanes where project = '", project, "'"));
}

}  // namespace davit::scheduler
