// A directory of a commit as a build's context: no working tree. Immutable; usable from any thread.
#pragma once

#include <memory>

#include "libs/buildkit/context_source.h"
#include "libs/git/tree_reader.h"

namespace davit::builder_agent {

// Serves git objects to BuildKit. A submodule is an empty directory: its content is not in the repository. Git knows no
// permissions beyond "executable", so files are 0644 or 0755, directories 0755 and symbolic links 0777, whatever
// machine serves them.
class GitContext final : public buildkit::ContextSource {
 public:
  explicit GitContext(std::unique_ptr<git::TreeReader> tree);

  absl::StatusOr<std::vector<buildkit::ContextEntry>> Walk(const buildkit::WalkFilter& filter) const override;
  absl::StatusOr<buildkit::ContextEntry> Find(absl::string_view path) const override;
  absl::Status ReadFile(const buildkit::ContextEntry& file, const buildkit::ContentVisitor& visit) const override;

 private:
  const std::unique_ptr<git::TreeReader> tree_;
};

}  // namespace davit::builder_agent
