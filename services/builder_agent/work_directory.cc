// The agent's place on disk.
#include "services/builder_agent/work_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"

namespace davit::builder_agent {
namespace {

namespace fs = std::filesystem;

absl::Status Unusable(const std::string& path, absl::string_view why) {
  return absl::FailedPreconditionError(absl::StrCat("work directory ", path, ": ", why));
}

// Makes a directory that only its owner can enter.
absl::Status MakePrivate(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (!error) fs::permissions(path, fs::perms::owner_all, error);
  return error ? Unusable(path, error.message()) : absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<WorkDirectory>> WorkDirectory::Open(const std::string& path) {
  if (path.empty())
    return absl::InvalidArgumentError("work directory: it is empty; name a directory for mirrors and spools");
  if (const absl::Status made = MakePrivate(path); !made.ok()) return made;
  const int fd = open(absl::StrCat(path, "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return Unusable(path, strerror(errno));
  std::unique_ptr<WorkDirectory> directory(new WorkDirectory(path, fd));
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) return Unusable(path, "another agent is using it");
  std::error_code error;
  fs::remove_all(directory->jobs(), error);
  if (error) return Unusable(directory->jobs(), error.message());
  if (const absl::Status made = MakePrivate(directory->jobs()); !made.ok()) return made;
  return directory;
}

WorkDirectory::WorkDirectory(std::string path, int lock_fd) : path_(std::move(path)), lock_fd_(lock_fd) {}

WorkDirectory::~WorkDirectory() { close(lock_fd_); }

}  // namespace davit::builder_agent
