// Fetches commits. Thread-safe.
#pragma once

#include <memory>

#include "libs/git/mirror_store.h"
#include "libs/git/tree_reader.h"
#include "libs/http/address_policy.h"
#include "services/builder_agent/build_source.h"

namespace davit::builder_agent {

// Bounds of what is fetched.
struct GitSourceOptions {
  // Which servers may be fetched from.
  http::AddressPolicy policy;
  git::TreeLimits limits;
};

// Makes commits available through mirrors and serves them from git objects.
class GitSourceFetcher final : public SourceFetcher {
 public:
  // `mirrors` must outlive the fetcher.
  GitSourceFetcher(git::MirrorStore& mirrors, GitSourceOptions options);

  absl::StatusOr<std::unique_ptr<BuildSource>> Fetch(const SourceRequest& request) override;

 private:
  git::MirrorStore& mirrors_;
  const GitSourceOptions options_;
};

}  // namespace davit::builder_agent
