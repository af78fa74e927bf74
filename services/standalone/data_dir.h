// The directory that a davit-standalone owns: its layout, its lock, its secrets. Used by one thread at start-up; the
// paths may be read from any thread afterwards.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/process/process.h"

namespace davit::standalone {

// Layout: lock, secrets/ (0700), run/ (sockets and pid records), log/, and one directory per engine.
class DataDir {
 public:
  // Creates what is missing and takes the lock, which lasts as long as the object. FAILED_PRECONDITION when another
  // instance holds it (the message names its process); INVALID_ARGUMENT when the path is not absolute or too long for
  // the sockets below it.
  static absl::StatusOr<std::unique_ptr<DataDir>> Open(absl::string_view path);

  ~DataDir();
  DataDir(const DataDir&) = delete;
  DataDir& operator=(const DataDir&) = delete;

  const std::string& path() const { return path_; }
  std::string Below(absl::string_view relative) const;
  std::string SecretPath(absl::string_view name) const;
  std::string LogPath(absl::string_view name) const;
  // Where the supervisor records the process of an engine.
  std::string PidRecordPath(absl::string_view engine) const;

  // Creates the directory `relative`, with its owner and mode, or sets both on one that exists. `owner` may be null:
  // this process's user.
  absl::StatusOr<std::string> MakeDirectory(absl::string_view relative, int mode,
                                            const process::Credentials* owner) const;

  // The text of secrets/NAME; made by `make` and written (0600) when the file does not exist.
  absl::StatusOr<std::string> ReadOrCreateSecret(absl::string_view name,
                                                 const std::function<std::string()>& make) const;

 private:
  DataDir(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

  const std::string path_;
  const int lock_;
};

// Writes a file as a whole: into a temporary file beside it, flushed, then renamed. `owner` may be null.
absl::Status WriteFile(const std::string& path, absl::string_view content, int mode, const process::Credentials* owner);

// Reads a whole file. NOT_FOUND when there is none.
absl::StatusOr<std::string> ReadFile(const std::string& path);

// The last `lines` lines of a file, or "" when it cannot be read: for error messages about a program whose log it is.
std::string LastLines(const std::string& path, int lines);

}  // namespace davit::standalone
