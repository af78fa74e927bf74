// Unpacks uploaded archives into contexts. No state; usable from any thread.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/builder_agent/stored_context.h"

namespace davit::builder_agent {

// Reads a tar (plain, gzip, zstd) or zip archive at `archive_path` into `context`, whose limits are checked while
// reading, so that a bomb ends early. `cancelled` is asked often. INVALID_ARGUMENT: `not a readable archive: …`, `path
// leaves the context: …`, a device or other special file; RESOURCE_EXHAUSTED: `context over the limit …`; CANCELLED.
absl::Status UnpackArchive(const std::string& archive_path, StoredContext& context,
                           const std::function<bool()>& cancelled);

}  // namespace davit::builder_agent
