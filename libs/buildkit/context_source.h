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

// One entry of a directory.
struct ContextEntry {
  enum class Kind { kFile, kDirectory, kSymlink };

  // The last part of the path: no '/', not "." or "..".
  std::string name;
  Kind kind = Kind::kFile;
  // Permission bits, 0 to 0777.
  uint32_t permissions = 0644;
  // Bytes of a file; 0 for everything else.
  uint64_t size = 0;
  // Target of a symbolic link.
  std::string link_target;
  // Names the content of a file: equal for equal content, different for different content. ReadFile takes it, and the file's
  // modification time is made from it (see ModificationTime).
  std::string content_id;
};

// Receives a file's content in pieces; an error ends the reading and is returned by it.
using ContentVisitor = std::function<absl::Status(absl::string_view)>;

// A directory tree that never changes. Thread-safe: BuildKit may ask for several directories at once.
class ContextSource {
 public:
  virtual ~ContextSource() = default;

  // The entries of the directory `path` ("" is the root), in any order. NOT_FOUND when there is no such directory.
  virtual absl::StatusOr<std::vector<ContextEntry>> List(absl::string_view path) const = 0;

  // Hands the content of a file that List returned to `visit`.
  virtual absl::Status ReadFile(const ContextEntry& file, const ContentVisitor& visit) const = 0;
};

// The modification time, in nanoseconds since 1970, that stands for a content.
//
// BuildKit asks for a file again when its (path, mode, size, modification time) differ from the copy that it holds under the same
// shared key; the clock of a checkout means nothing here, so the time is made from the content: a constant second, which is all
// that layer archives keep, so that equal contents give equal layers, and nanoseconds from a hash of `content_id`. Two different
// contents are taken for one only when the path, the mode and the size are equal and the hashes meet modulo 999,999,937: one
// chance in 1e9 for each such change of a file.
int64_t ModificationTime(absl::string_view content_id);

}  // namespace davit::buildkit
