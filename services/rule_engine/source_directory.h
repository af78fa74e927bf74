// What the rule engine asks the token registry. An interface; implementations are thread-safe.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "services/rule_engine/change_requests.h"
#include "services/rule_engine/event.h"
#include "services/rule_engine/rule.h"

namespace davit::rule_engine {

// A connection, as far as rules need it.
struct SourceConnection {
  NameCase repository_case = NameCase::kInsensitive;
};

// A registry credential, as far as rules need it.
struct DestinationCredential {
  // Host and optional port.
  std::string registry;
};

// What a revision means now.
struct ResolvedRevision {
  std::string commit;
  // The full ref that led to it; empty when a commit id was asked for.
  std::string ref;
};

// Where the refs of a repository point now.
struct RemoteHeads {
  // By full ref; for an annotated tag the commit that it points to.
  std::map<std::string, std::string> commits;
  // Whether the server may have more refs than these.
  bool cut_short = false;
};

// Connections, credentials and commits of projects. In every call `request_id` is that of the call on whose behalf it
// is made. Errors: NOT_FOUND for what does not exist in the project; FAILED_PRECONDITION when a provider refuses;
// UNAVAILABLE when the registry cannot be asked now, for whatever reason on our side.
class SourceDirectory {
 public:
  virtual ~SourceDirectory() = default;

  virtual absl::StatusOr<SourceConnection> GetConnection(const std::string& project, const std::string& id,
                                                         const std::string& request_id) = 0;
  virtual absl::StatusOr<DestinationCredential> GetRegistryCredential(const std::string& project, const std::string& id,
                                                                      const std::string& request_id) = 0;
  // NOT_FOUND: `no secret "NAME"`.
  virtual absl::Status CheckSecret(const std::string& project, const std::string& name,
                                   const std::string& request_id) = 0;
  // NOT_FOUND: `revision not found: R`, or the repository.
  virtual absl::StatusOr<ResolvedRevision> Resolve(const Rule& rule, const std::string& revision,
                                                   const std::string& request_id) = 0;
  // What a push changed, as its provider compares. On nobody's behalf.
  virtual absl::StatusOr<ChangedPaths> ListChangedPaths(const ChangeRequest& request) = 0;
  // On nobody's behalf.
  virtual absl::StatusOr<RemoteHeads> ListHeads(const std::string& project, const std::string& connection_id,
                                                const std::string& repository) = 0;
};

}  // namespace davit::rule_engine
