// libgit2's one global set-up and the conversion of its errors. Private to libs/git. Usable from any thread.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace davit::git {

// Initialises libgit2 once for the process and bounds its caches. Called by whatever opens an object store.
void InitializeLibgit2();

// 40 hexadecimal digits that stand for these bytes: a name for a file, not a signature.
std::string HexHash(absl::string_view bytes);

// Converts the code that a libgit2 call returned (negative) with libgit2's message for this thread: NOT_FOUND for
// absent objects, RESOURCE_EXHAUSTED for a full disk, DATA_LOSS otherwise.
absl::Status FromLibgit2(int code, absl::string_view doing);

}  // namespace davit::git
