// Tests that many claimers, reporters, cancellers and reapers at once neither lose nor double a build, on a real
// PostgreSQL.
#include <atomic>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "services/scheduler/store/store_fixture.h"

namespace davit::scheduler {
namespace {

class ConcurrencyTest : public StoreFixture {
 protected:
  // Queues builds in one statement, as many as `count` over `projects` projects.
  void QueueMany(int count, int projects) {
    Sql(absl::StrCat(
        "with made as (insert into builds (id, project, request_digest, pool, priority, spec, image_repository, "
        "timeout, state) "
        "select 'bld_' || lpad(n::text, 26, '0'), 'p' || n % ",
        projects, ", '', 'default', 0, 'spec', 'r/i', interval '1 hour', 1 from generate_series(1, ", count,
        ") n returning id, project, sequence), queued as (insert into build_queue (pool, project, priority, sequence, "
        "build_id) select 'default', project, 0, sequence, id from made) insert into queue_lanes (pool, project, "
        "queued, "
        "max_running) select 'default', project, count(*), 1000000 from made group by project"));
    Sql("insert into project_limits (project, max_running) select project, max_running from queue_lanes");
  }

  // Every build has at most one end, and the counters are right.
  void ExpectConsistent() {
    EXPECT_EQ(queue_->ReconcileLanes().value(), 0);
    EXPECT_EQ(
        Sql("select count(*) from (select build_id from build_events where state in (4, 5, 6, 7, 8) group by build_id "
            "having count(*) > 1) doubled"),
        "0");
    EXPECT_EQ(Sql("select count(*) from builds b where (state = 1) <> (exists (select from build_queue q where "
                  "q.build_id = b.id) "
                  "or exists (select from build_delays d where d.build_id = b.id))"),
              "0");
    EXPECT_EQ(Sql("select count(*) from builds b where (state = 2) <> exists (select from build_leases l where "
                  "l.build_id = b.id)"),
              "0");
  }
};

TEST_F(ConcurrencyTest, ClaimersNeverTakeTheSameBuildAndCountersStayExact) {
  constexpr int kBuilds = 1500;
  constexpr int kClaimers = 4;
  QueueMany(kBuilds, 20);
  absl::Mutex mutex;
  std::multiset<std::string> claimed;
  std::set<int64_t> fences;
  std::vector<std::thread> claimers;
  for (int i = 0; i < kClaimers; ++i) {
    const std::string session = absl::StrCat("ses_", i);
    claimers.emplace_back([&, session, agent = Begin(absl::StrCat("agent", i), session)] {
      // Lanes that another claimer holds are skipped: only the queue says that nothing is left.
      while (true) {
        const std::vector<ClaimedLease> leases = Claim(agent, session, 8);
        absl::MutexLock lock(&mutex);
        for (const ClaimedLease& lease : leases) {
          claimed.insert(lease.build_id);
          fences.insert(lease.fence);
        }
        if (claimed.size() >= kBuilds) return;
      }
    });
  }
  for (std::thread& claimer : claimers) claimer.join();
  EXPECT_EQ(claimed.size(), kBuilds);
  EXPECT_EQ((std::set<std::string>(claimed.begin(), claimed.end()).size()), kBuilds);
  EXPECT_EQ(fences.size(), kBuilds);
  EXPECT_EQ(Sql("select sum(queued) || '/' || sum(running) from queue_lanes"), absl::StrCat("0/", kBuilds));
  ExpectConsistent();
}

TEST_F(ConcurrencyTest, EverythingAtOnceEndsEachBuildOnce) {
  constexpr int kBuilds = 400;
  QueueMany(kBuilds, 5);
  std::atomic<bool> done = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    const std::string name = absl::StrCat("agent", i);
    const std::string session = absl::StrCat("ses_", i);
    threads.emplace_back([&, i, name, session, agent = Begin(name, session)] {
      for (int round = 0; !done; ++round) {
        SessionReport report = Continue(name, session);
        for (const ClaimedLease& lease : Claim(agent, session, 4)) {
          // Some are completed twice, some fail, some are given back, some go on, some are left to die.
          const int fate = static_cast<int>((lease.fence + i) % 6);
          if (fate <= 1) report.ended.push_back(Ended(lease, AttemptEnd::kFailedUser));
          if (fate == 1) report.ended.push_back(Ended(lease, AttemptEnd::kSucceeded));
          if (fate == 2) report.ended.push_back(Ended(lease, AttemptEnd::kReturned));
          if (fate == 3) report.held.push_back({lease.build_id, lease.fence, BuildPhase::kBuilding});
          if (fate == 4) builds_->Cancel(kEveryProject, lease.build_id).IgnoreError();
        }
        const auto outcome = leases_->Synchronize(report);
        EXPECT_TRUE(outcome.ok()) << outcome.status();
      }
    });
  }
  threads.emplace_back([&] {
    for (int n = 1; n <= kBuilds; n += 7) {
      const std::string digits = absl::StrCat(n);
      const auto cancelled =
          builds_->Cancel(kEveryProject, absl::StrCat("bld_", std::string(26 - digits.size(), '0'), digits));
      EXPECT_TRUE(cancelled.ok() || absl::IsFailedPrecondition(cancelled.status())) << cancelled.status();
    }
  });
  threads.emplace_back([&] {
    while (!done) {
      ExpireLeases();
      const auto reaped = leases_->ReapDead();
      EXPECT_TRUE(reaped.ok()) << reaped.status();
      EndDelays();
      EXPECT_TRUE(queue_->PromoteDue().ok());
      EXPECT_EQ(queue_->ReconcileLanes().value_or(-1), 0);
    }
  });
  while (Sql("select count(*) from builds where state in (1, 2)") != "0" && !HasFailure()) std::this_thread::yield();
  done = true;
  for (std::thread& thread : threads) thread.join();
  ExpectConsistent();
  EXPECT_EQ(Sql("select sum(queued) || '/' || sum(running) from queue_lanes"), "0/0");
}

}  // namespace
}  // namespace davit::scheduler
