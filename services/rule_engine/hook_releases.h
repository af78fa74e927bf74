// Repositories whose rules were deleted, and whose installed webhook may have to go. Interfaces; implementations are
// thread-safe.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace davit::rule_engine {

// A repository that lost a rule.
struct HookRelease {
  std::string project;
  std::string connection_id;
  std::string repository_key;  // Lower case.
  std::string repository;      // As the rule spelled it.
  int failures = 0;            // Attempts that failed.
  bool has_rules = false;      // Whether it has rules all the same.
};

// The rule store writes them in the transaction that deletes the rule. Errors: UNAVAILABLE.
class HookReleases {
 public:
  virtual ~HookReleases() = default;

  // Takes the one that is due the longest for `lease`, after which it is due again; nullopt when none is due.
  virtual absl::StatusOr<std::optional<HookRelease>> Claim(absl::Duration lease) = 0;

  // Forgets it.
  virtual absl::Status Finish(const HookRelease& release) = 0;

  // Makes it due again after `delay`.
  virtual absl::Status Postpone(const HookRelease& release, const std::string& error, absl::Duration delay) = 0;
};

// The token-registry, as far as releases need it.
class HookRemover {
 public:
  virtual ~HookRemover() = default;

  // Removes the webhook that was installed for a repository; OK when there is none. FAILED_PRECONDITION: the provider
  // refuses. UNAVAILABLE: it cannot be asked now.
  virtual absl::Status RemoveHook(const std::string& project, const std::string& connection_id,
                                  const std::string& repository) = 0;
};

}  // namespace davit::rule_engine
