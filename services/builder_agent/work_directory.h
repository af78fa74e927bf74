// The agent's place on disk. Held by one process at a time.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace davit::builder_agent {

// A locked work directory: `mirrors` stays from one start to the next, `jobs` begins empty.
class WorkDirectory {
 public:
  // Creates the directory (0700) when absent, locks it, and removes what jobs of a killed agent have left.
  // FAILED_PRECONDITION when another process holds it.
  static absl::StatusOr<std::unique_ptr<WorkDirectory>> Open(const std::string& path);
  ~WorkDirectory();
  WorkDirectory(const WorkDirectory&) = delete;
  WorkDirectory& operator=(const WorkDirectory&) = delete;

  std::string mirrors() const { return path_ + "/mirrors"; }
  std::string jobs() const { return path_ + "/jobs"; }

 private:
  WorkDirectory(std::string path, int lock_fd);

  const std::string path_;
  const int lock_fd_;
};

}  // namespace davit::builder_agent
