// Merges small packs of a mirror. Usable from any thread; the caller holds the mirror exclusively.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace davit::git {

// When a mirror holds many packs, merges its small ones into one, so that lookups stay fast. Every fetch adds a pack,
// most of a few objects. Does nothing below a threshold. The new pack is complete before the old ones go.
absl::Status MergeSmallPacks(const std::string& objects_directory);

}  // namespace davit::git
