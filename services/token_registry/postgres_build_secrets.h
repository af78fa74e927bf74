// The BuildSecretStore on PostgreSQL. Thread-safe.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "libs/postgres/pool.h"
#include "services/token_registry/build_secret_store.h"

namespace davit::token_registry {

// Runs the statements of queries/*build_secret*.sql under row-level security.
class PostgresBuildSecretStore : public BuildSecretStore {
 public:
  // `pool` must outlive the store.
  explicit PostgresBuildSecretStore(postgres::Pool& pool) : pool_(pool) {}

  absl::Status Insert(const BuildSecret& secret, const crypto::SealedSecret& value) override;
  absl::StatusOr<BuildSecret> Get(const std::string& project, const std::string& name) override;
  absl::StatusOr<std::pair<BuildSecret, crypto::SealedSecret>> GetWithValue(const std::string& project,
                                                                            const std::string& name) override;
  absl::StatusOr<std::vector<BuildSecret>> List(const std::string& project, const Page& page) override;
  absl::StatusOr<BuildSecret> Update(const BuildSecret& secret, const BuildSecretChange& change) override;
  absl::Status Delete(const std::string& project, const std::string& name) override;

 private:
  postgres::Pool& pool_;
};

}  // namespace davit::token_registry
