// A scheduler's database with all of its stores, for tests. Each test has a database of its own; time passes by
// changing rows.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "libs/clock/clock.h"
#include "libs/ids/ids.h"
#include "libs/ids/random.h"
#include "libs/postgres/pool.h"
#include "libs/postgres/testing/test_database.h"
#include "services/scheduler/store/agent_store.h"
#include "services/scheduler/store/build_store.h"
#include "services/scheduler/store/lease_store.h"
#include "services/scheduler/store/log_store.h"
#include "services/scheduler/store/queue_store.h"
#include "services/scheduler/store/tag_store.h"
#include "services/scheduler/store/upload_store.h"

namespace davit::scheduler {

// Gives tests the stores and short ways to say what happens.
class StoreFixture : public ::testing::Test {
 protected:
  static constexpr int64_t kMaxLogSize = 1000;

  StoreFixture();

  // A build's description with defaults.
  NewBuild Describe(const std::string& project);

  // Makes and queues a build; returns its id.
  std::string Queue(const std::string& project, const std::vector<std::string>& tags = {});

  // A call of an agent's session without reports, which begins the session; returns the agent's id.
  std::string Begin(const std::string& agent_name, const std::string& session_id);

  // The report of a session that continues.
  SessionReport Continue(const std::string& agent_name, const std::string& session_id);

  // Claims for `slots` free slots of a session.
  std::vector<ClaimedLease> Claim(const std::string& agent_id, const std::string& session_id, int slots = 1);

  // The report that a lease ended.
  static AttemptReport Ended(const ClaimedLease& lease, AttemptEnd end);

  BuildRecord Get(const std::string& id);

  // Runs a statement as administrator, for instance to let time pass, and returns the first field of the first row.
  std::string Sql(const std::string& statement);

  // What the lane of a project counts: "queued/running".
  std::string Lane(const std::string& project);

  // Lets every lease expire; lets every delay end.
  void ExpireLeases() { Sql("update build_leases set expires_at = now() - interval '1 second'"); }
  void EndDelays() { Sql("update build_delays set not_before = now() - interval '1 second'"); }

  RealClock clock_;
  SystemRandom random_;
  postgres::TestDatabase database_;
  std::unique_ptr<postgres::Pool> pool_;
  std::unique_ptr<BuildStore> builds_;
  std::unique_ptr<QueueStore> queue_;
  std::unique_ptr<LeaseStore> leases_;
  std::unique_ptr<LogStore> logs_;
  std::unique_ptr<UploadStore> uploads_;
  std::unique_ptr<AgentStore> agents_;
  std::unique_ptr<TagStore> tags_;
  std::unique_ptr<RevocationStore> revocations_;
};

}  // namespace davit::scheduler
