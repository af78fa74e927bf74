// A directory of a commit as a build's context: no working tree. Immutable; usable from any thread.
#pragma once

#include <future>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/buildkit/context_source.h"
#include "libs/git/tree_reader.h"

namespace davit::builder_agent {

// Serves git objects to BuildKit. A submodule is an empty directory: its content is not in the repository. Git knows no
// permissions beyond "executable", so files are 0644 or 0755, directories 0755 and symbolic links 0777, whatever
// machine serves them.
class GitContext final : public buildkit::ContextSource {
 public:
  enum class Listing {
    kWhenAsked,
    // On a thread of its own from the beginning: BuildKit takes a while before it asks for a context, and then waits.
    kAhead,
  };

  GitContext(std::unique_ptr<git::TreeReader> tree, Listing listing);

  // Returns when the list that is made ahead is there, at once when there is none.
  void WaitUntilListed() const;

  absl::StatusOr<std::vector<buildkit::ContextEntry>> Walk(const buildkit::WalkFilter& filter) const override;
  absl::StatusOr<buildkit::ContextEntry> Find(absl::string_view path) const override;
  absl::Status ReadFile(const buildkit::ContextEntry& file, const buildkit::ContentVisitor& visit) const override;

 private:
  using Entries = std::vector<buildkit::ContextEntry>;

  const std::unique_ptr<git::TreeReader> tree_;
  // Everything that the tree holds; waited for by the destructor.
  const std::shared_future<absl::StatusOr<Entries>> ahead_;
};

}  // namespace davit::builder_agent
