// Where the secrets of projects are kept. Implementations are thread-safe; every call is one transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/crypto/envelope.h"
#include "services/token_registry/records.h"

namespace davit::token_registry {

// A secret of a project; its value is kept apart.
struct BuildSecret {
  std::string id;  // sec_…; what the value is sealed for, and what the audit log names.
  std::string project;
  std::string name;
  std::string description;
  int64_t version = 1;  // Grows by one with every new value.
  absl::Time create_time;
  absl::Time update_time;
};

// What changes about a secret; what is not set stays.
struct BuildSecretChange {
  std::optional<crypto::SealedSecret> value;
  std::optional<std::string> description;
  absl::Time update_time;
};

// Secrets by project and name. A project that is passed in confines the call to that project's rows. Errors of every
// call: UNAVAILABLE when the database cannot be reached; NOT_FOUND `no secret "NAME"`.
class BuildSecretStore {
 public:
  virtual ~BuildSecretStore() = default;

  // ALREADY_EXISTS `secret.name: …` for a name that is taken.
  virtual absl::Status Insert(const BuildSecret& secret, const crypto::SealedSecret& value) = 0;
  virtual absl::StatusOr<BuildSecret> Get(const std::string& project, const std::string& name) = 0;
  virtual absl::StatusOr<std::pair<BuildSecret, crypto::SealedSecret>> GetWithValue(const std::string& project,
                                                                                    const std::string& name) = 0;
  // By name; page.after is a name.
  virtual absl::StatusOr<std::vector<BuildSecret>> List(const std::string& project, const Page& page) = 0;
  // Changes the secret with this id, whose name is for the error.
  virtual absl::StatusOr<BuildSecret> Update(const BuildSecret& secret, const BuildSecretChange& change) = 0;
  virtual absl::Status Delete(const std::string& project, const std::string& name) = 0;
};

}  // namespace davit::token_registry
