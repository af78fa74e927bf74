// The tree that a build's context is read from. Interface and values; see the class for its threading.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit::buildkit {

// What an entry of a context is.
enum class EntryKind { kFile, kDirectory, kSymlink };

// One entry of a context.
struct ContextEntry {
  // Relative to the context's root: '/' between the parts, no part empty, "." or "..".
  std::string path;
  EntryKind kind = EntryKind::kFile;
  // Permission bits, 0 to 0777.
  uint32_t permissions = 0644;
  // Bytes of a file; 0 for everything else.
  int64_t size = 0;
  // Target of a symbolic link.
  std::string link_target;
  // Names the content of a file: equal for equal content, different for different content. Its modification time is
  // made from it (see ModificationTime).
  std::string content_id;
};

// What a walk does with an entry.
enum class WalkDecision {
  kInclude,      // List it; a directory's children are seen next.
  kSkip,         // Leave it out; a directory's children are seen all the same.
  kSkipSubtree,  // Leave it and everything below it out.
};

// Decides about one entry. Called with parents before their children, siblings in the bytewise order of their names.
using WalkFilter = std::function<WalkDecision(absl::string_view path, EntryKind kind)>;

// Receives a file's content in pieces; an error ends the reading and is returned by it.
using ContentVisitor = std::function<absl::Status(absl::string_view)>;

// A directory tree that never changes. Thread-safe: BuildKit may ask for several directories at once.
class ContextSource {
 public:
  virtual ~ContextSource() = default;

  // The entries that `filter` includes, in the order in which it saw them.
  virtual absl::StatusOr<std::vector<ContextEntry>> Walk(const WalkFilter& filter) const = 0;

  // One entry, symbolic links not followed; NOT_FOUND when it is not there.
  virtual absl::StatusOr<ContextEntry> Find(absl::string_view path) const = 0;

  // Hands the content of a file that Walk or Find returned to `visit`, in pieces of any size.
  virtual absl::Status ReadFile(const ContextEntry& file, const ContentVisitor& visit) const = 0;
};

// The modification time, in nanoseconds since 1970, that stands for a content.
//
// BuildKit asks for a file again when its (path, mode, size, modification time) differ from the copy that it holds
// under the same shared key. The clock of a checkout means nothing here, so the time is made from the content: a
// constant second, which is all that layer archives keep, so that equal contents give equal layers, and nanoseconds
// from a hash of `content_id`. Two different contents are taken for one only when the path, the mode and the size are
// equal and the hashes meet modulo 999,999,937: one chance in 1e9 for each such change of a file. Within a RUN step
// files of one context therefore all seem to be from the same second, in an order that is arbitrary but always the
// same.
int64_t ModificationTime(absl::string_view content_id);

}  // namespace davit::buildkit
