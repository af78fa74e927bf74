// Turns a Dockerfile, an archive or a directory into the bytes of an upload, piece by piece. Runs on the caller's
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit::cli {

// What a path on this machine is, as an upload.
enum class UploadKind { kDockerfile, kTar, kZip, kDirectory };

// A directory, or by its first bytes a tar archive (plain, gzip, zstd) or a zip archive. A usage error for anything
// else, NOT_FOUND if it is not there.
absl::StatusOr<UploadKind> RecogniseUpload(const std::string& path);

// Takes the next piece, 1 byte to kMaxPiece; an error ends the upload.
using PieceSink = std::function<absl::Status(absl::string_view piece)>;

inline constexpr size_t kMaxPiece = 512 << 10;

// Sends a file as it is.
absl::Status SendFile(const std::string& path, const PieceSink& sink);

// Sends a directory as a tar archive, sorted by path: files, directories and symbolic links (as links, never followed),
// without
// `.git`. Sockets, pipes and devices are left out. `.dockerignore` is for the builder to apply. Memory is bounded.
absl::Status SendDirectory(const std::string& path, const PieceSink& sink);

}  // namespace davit::cli
