// Why a build waits, from the facts that the store knows. Pure; usable from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"

namespace davit::scheduler {

// Why a build waits. The numbers are those of davit.scheduler.v1.ExplainQueueResponse.Reason.
enum class WaitReason { kWaitingForSlot = 1, kProjectLimit = 2, kNoAgent = 3, kBackoff = 4, kRuleLimit = 5 };

// What is known of a waiting build and of its lane.
struct QueueFacts {
  // Builds of the project that come before it.
  int64_t ahead = 0;
  // Of its project: running now, and how many may.
  int running = 0;
  int max_running = 0;
  // Set while the build waits for a slot of its rule: how many slots are taken, and how many there are.
  std::optional<int> rule_running = std::nullopt;
  int rule_max_running = 0;
  // Agents that call and take builds, and how many more builds they would take.
  int ready_agents = 0;
  int free_slots = 0;
  // Builds of all projects that agents work on.
  int leases = 0;
  // Set while the build waits for its next attempt.
  std::optional<absl::Time> not_before = std::nullopt;
  // Infrastructure failures so far.
  int failures = 0;
};

// The answer.
struct QueueExplanation {
  WaitReason reason = WaitReason::kWaitingForSlot;
  std::string detail;
  int64_t position = 1;
  std::optional<absl::Time> not_before = std::nullopt;
};

// Explains; the reasons are tried from the most specific to the most general: back-off, the rule's limit, no
// agent, the project's limit, slots.
QueueExplanation ExplainWait(const QueueFacts& facts);

}  // namespace davit::scheduler
