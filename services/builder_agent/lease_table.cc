// What an agent holds: the state machine behind Synchronize (proto/davit/scheduler/v1/agent_service.proto).
#include "services/builder_agent/lease_table.h"

#include <algorithm>
#include <utility>

namespace davit::builder_agent {
namespace {

namespace proto = scheduler::v1;

absl::Duration FromProto(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

}  // namespace

LeaseChanges LeaseTable::Apply(const proto::SynchronizeResponse& response, absl::Duration sent_at) {
  LeaseChanges changes;
  std::set<LeaseKey> listed;
  for (const proto::Lease& lease : response.leases()) {
    const LeaseKey key{lease.build_id(), lease.fence()};
    listed.insert(key);
    const auto it = held_.find(key);
    if (it != held_.end()) {
      Held& held = it->second;
      held.expires = std::max(held.expires, sent_at + FromProto(lease.ttl()));
      if (lease.desired() == proto::Lease::DESIRED_CANCEL && !held.cancelling && !held.result.has_value()) {
        held.cancelling = true;
        changes.cancel.push_back(key);
      }
      continue;
    }
    Held held;
    held.expires = sent_at + FromProto(lease.ttl());
    if (lease.desired() == proto::Lease::DESIRED_CANCEL) {
      // Cancelled before it began here: nothing was done and nothing written.
      held.result.emplace().set_outcome(proto::BuildAttempt::OUTCOME_CANCELLED);
    } else if (fenced_.count(key) > 0) {
      held.returned = true;
    } else if (lease.has_spec()) {
      changes.start.push_back(lease);
    } else {
      // Listed as if it were held, but it is not: its absence from the reports tells the scheduler.
      continue;
    }
    held_.emplace(key, std::move(held));
  }
  for (auto it = held_.begin(); it != held_.end();) {
    if (listed.count(it->first) > 0) {
      ++it;
      continue;
    }
    changes.forget.push_back(it->first);
    it = held_.erase(it);
  }
  std::erase_if(fenced_, [&](const LeaseKey& key) { return listed.count(key) == 0; });
  return changes;
}

LeaseChanges LeaseTable::Expire(absl::Duration now) {
  LeaseChanges changes;
  for (auto it = held_.begin(); it != held_.end();) {
    if (it->second.expires > now) {
      ++it;
      continue;
    }
    changes.forget.push_back(it->first);
    fenced_.insert(it->first);
    it = held_.erase(it);
  }
  return changes;
}

LeaseChanges LeaseTable::Clear() {
  LeaseChanges changes;
  for (const auto& [key, held] : held_) changes.forget.push_back(key);
  held_.clear();
  return changes;
}

void LeaseTable::SetPhase(const LeaseKey& key, proto::BuildPhase phase) {
  const auto it = held_.find(key);
  if (it != held_.end()) it->second.phase = phase;
}

void LeaseTable::SetResult(const LeaseKey& key, proto::BuildResult result) {
  const auto it = held_.find(key);
  if (it == held_.end() || it->second.returned || it->second.result.has_value()) return;
  it->second.result = std::move(result);
}

void LeaseTable::SetReturned(const LeaseKey& key) {
  const auto it = held_.find(key);
  if (it != held_.end() && !it->second.result.has_value()) it->second.returned = true;
}

std::vector<proto::LeaseReport> LeaseTable::Reports() const {
  std::vector<proto::LeaseReport> reports;
  for (const auto& [key, held] : held_) {
    proto::LeaseReport& report = reports.emplace_back();
    report.set_build_id(key.build_id);
    report.set_fence(key.fence);
    report.set_phase(held.phase);
    report.set_returned(held.returned);
    if (held.result.has_value()) *report.mutable_result() = *held.result;
  }
  return reports;
}

absl::Duration LeaseTable::NextExpiry() const {
  absl::Duration next = absl::InfiniteDuration();
  for (const auto& [key, held] : held_) next = std::min(next, held.expires);
  return next;
}

}  // namespace davit::builder_agent
