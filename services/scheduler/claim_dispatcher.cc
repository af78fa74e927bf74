// Implements claim_dispatcher.h.
#include "services/scheduler/claim_dispatcher.h"

#include <algorithm>
#include <set>
#include <utility>

namespace davit::scheduler {
namespace {

// Slots that one claim statement fills at most.
constexpr size_t kClaimBatch = 16;

// One free slot of each demand in turn, so that builds spread over agents.
std::vector<FreeSlot> TakeSlots(std::vector<SlotDemand>& demands) {
  std::vector<FreeSlot> slots;
  bool found = true;
  for (int depth = 1; found && slots.size() < kClaimBatch; ++depth) {
    found = false;
    for (const SlotDemand& demand : demands) {
      if (demand.slots < depth) continue;
      found = true;
      if (slots.size() < kClaimBatch) slots.push_back({demand.agent_id, demand.session_id});
    }
  }
  return slots;
}

}  // namespace

ClaimDispatcher::ClaimDispatcher(QueueStore& queue, Clock& clock, RandomSource& random, absl::Duration poll,
                                 Logger logger, metrics::Registry& metrics)
    : queue_(queue),
      clock_(clock),
      random_(random),
      poll_(poll),
      logger_(std::move(logger)),
      claimed_(metrics.GetCounter("davit_scheduler_claims_total", "Builds given to agents.")),
      failed_(metrics.GetCounter("davit_scheduler_claim_errors_total", "Claims that the database refused.")),
      thread_([this] { Run(); }) {}

ClaimDispatcher::~ClaimDispatcher() {
  Stop();
  thread_.join();
}

int64_t ClaimDispatcher::Submit(SlotDemand demand, Done done) {
  const absl::Duration deadline = clock_.Monotonic() + demand.wait;
  {
    absl::MutexLock lock(&mutex_);
    if (!stopping_) {
      const int64_t ticket = next_ticket_++;
      waiting_.emplace(ticket, Waiting{std::move(demand), deadline, false, false, std::move(done)});
      woken_ = true;
      changed_.Signal();
      return ticket;
    }
  }
  done();
  return 0;
}

void ClaimDispatcher::Withdraw(int64_t ticket) {
  Done done;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = waiting_.find(ticket);
    if (found == waiting_.end()) return;
    done = std::move(found->second.done);
    waiting_.erase(found);
  }
  done();
}

void ClaimDispatcher::WithdrawSession(const std::string& session_id) {
  absl::MutexLock lock(&mutex_);
  for (auto& [ticket, waiting] : waiting_) {
    if (waiting.demand.session_id == session_id) waiting.served = true;
  }
  woken_ = true;
  changed_.Signal();
}

void ClaimDispatcher::Wake() {
  absl::MutexLock lock(&mutex_);
  woken_ = true;
  changed_.Signal();
}

void ClaimDispatcher::Stop() {
  std::vector<Done> ended;
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    for (auto& [ticket, waiting] : waiting_) ended.push_back(std::move(waiting.done));
    waiting_.clear();
    changed_.Signal();
  }
  for (const Done& done : ended) done();
}

void ClaimDispatcher::Run() {
  while (true) {
    WaitForWork();
    {
      absl::MutexLock lock(&mutex_);
      if (stopping_) return;
      woken_ = false;
    }
    ClaimRound();
    FinishServed();
  }
}

void ClaimDispatcher::WaitForWork() {
  absl::MutexLock lock(&mutex_);
  // Once per wait: with every demand tried, the next look is a jittered poll or the first deadline away.
  const absl::Duration poll = poll_ * (1 - 0.2 * random_.Fraction());
  while (!woken_ && !stopping_) {
    if (waiting_.empty()) {
      changed_.Wait(&mutex_);
      continue;
    }
    absl::Duration wait = poll;
    const absl::Duration now = clock_.Monotonic();
    for (const auto& [ticket, waiting] : waiting_) wait = std::min(wait, waiting.deadline - now);
    if (wait <= absl::ZeroDuration() || changed_.WaitWithTimeout(&mutex_, wait)) return;
  }
}

void ClaimDispatcher::ClaimRound() {
  std::map<std::pair<std::string, std::string>, std::vector<SlotDemand>> groups;
  {
    absl::MutexLock lock(&mutex_);
    for (auto& [ticket, waiting] : waiting_) {
      waiting.tried = true;
      if (waiting.served || waiting.demand.slots <= 0) continue;
      groups[{waiting.demand.pool, waiting.demand.project}].push_back(waiting.demand);
    }
  }
  for (auto& [key, demands] : groups) ClaimFor(key.first, key.second, std::move(demands));
}

void ClaimDispatcher::ClaimFor(const std::string& pool, const std::string& project, std::vector<SlotDemand> demands) {
  while (true) {
    const std::vector<FreeSlot> slots = TakeSlots(demands);
    if (slots.empty()) return;
    const absl::StatusOr<std::vector<ClaimedLease>> leases = queue_.Claim(pool, project, slots);
    if (!leases.ok()) {
      failed_.Increment();
      logger_.Warning("failed to claim builds", {{"error", leases.status()}});
      return;
    }
    if (leases->empty()) return;
    claimed_.Increment(static_cast<double>(leases->size()));
    std::set<std::string> served;
    for (const ClaimedLease& lease : *leases) {
      served.insert(lease.session_id);
      for (SlotDemand& demand : demands) {
        if (demand.session_id == lease.session_id && demand.slots > 0) {
          --demand.slots;
          break;
        }
      }
      logger_.Info("claimed build", {{"build", lease.build_id}, {"agent", lease.agent_id}, {"fence", lease.fence}});
    }
    absl::MutexLock lock(&mutex_);
    for (auto& [ticket, waiting] : waiting_) {
      if (served.contains(waiting.demand.session_id)) waiting.served = true;
    }
  }
}

void ClaimDispatcher::FinishServed() {
  std::vector<Done> ended;
  {
    absl::MutexLock lock(&mutex_);
    const absl::Duration now = clock_.Monotonic();
    for (auto waiting = waiting_.begin(); waiting != waiting_.end();) {
      const bool over = waiting->second.tried && waiting->second.deadline <= now;
      if (!over && !waiting->second.served) {
        ++waiting;
        continue;
      }
      ended.push_back(std::move(waiting->second.done));
      waiting = waiting_.erase(waiting);
    }
  }
  for (const Done& done : ended) done();
}

}  // namespace davit::scheduler
