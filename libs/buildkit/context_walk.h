// Chooses what of a context BuildKit gets, by the patterns that BuildKit sends. No state; usable from any thread.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/buildkit/context_source.h"

namespace davit::buildkit {

// The patterns of one request, in the meaning that BuildKit's own client (tonistiigi/fsutil) gives them.
struct ContextPatterns {
  // Only what one of these matches, or lies below what one matches; empty: everything.
  std::vector<std::string> include;
  // Not what these match (.dockerignore); `!` takes back.
  std::vector<std::string> exclude;
  // More to include: paths, with wildcards in any part, that are followed through symbolic links.
  std::vector<std::string> follow;
};

// The entries to send, parents before children, in path order. A directory is there when it matches or when something
// below it does. INVALID_ARGUMENT for a malformed pattern; else errors of the source.
absl::StatusOr<std::vector<ContextEntry>> SelectEntries(const ContextSource& source, const ContextPatterns& patterns);

// The paths that `follow` names and those that the symbolic links among them lead to, sorted, without any that lies
// below another. Links never lead out: a target is taken from the context's root. Empty when the root itself is named.
absl::StatusOr<std::vector<std::string>> FollowLinks(const ContextSource& source,
                                                     const std::vector<std::string>& follow);

}  // namespace davit::buildkit
