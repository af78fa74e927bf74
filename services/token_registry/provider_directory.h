// What providers show and do for a connection beside git: repositories, organizations, commit statuses. Thread-safe;
// calls block on the store and on providers.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "libs/auth/caller.h"
#include "services/token_registry/connection_directory.h"
#include "services/token_registry/provider_client.h"
#include "services/token_registry/store.h"

namespace davit::token_registry {

// Errors are those that proto/davit/registry/v1/token_registry.proto names.
class ProviderDirectory {
 public:
  // All parameters must outlive the directory.
  ProviderDirectory(Store& store, ConnectionDirectory& connections, ProviderClient& provider)
      : store_(store), connections_(connections), provider_(provider) {}

  // A page of the repositories that the connection's token can see.
  absl::StatusOr<Listed<RemoteRepository>> ListRepositories(const auth::Caller& caller, const std::string& project,
                                                            const std::string& connection_id,
                                                            const RepositoryFilter& filter, const ProviderPage& page);

  // A page of the organizations or groups that its account is a member of.
  absl::StatusOr<Listed<Organization>> ListOrganizations(const auth::Caller& caller, const std::string& project,
                                                         const std::string& connection_id, const ProviderPage& page);

  // The paths that differ between two commits.
  absl::StatusOr<ChangedPaths> ListChangedPaths(const auth::Caller& caller, const std::string& project,
                                                const std::string& connection_id, const std::string& repository,
                                                const std::string& before, const std::string& after);

  // Marks a commit, for `build_id` (which the audit log names).
  absl::StatusOr<StatusOutcome> SetCommitStatus(const auth::Caller& caller, const std::string& project,
                                                const std::string& connection_id, const CommitStatus& status,
                                                const std::string& build_id);

 private:
  Store& store_;
  ConnectionDirectory& connections_;
  ProviderClient& provider_;
};

}  // namespace davit::token_registry
