// A real git repository for tests, driven through the git program. Belongs to one thread. Failures end the test program
// with a message: a fixture that cannot be made makes every result meaningless.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "libs/git/object_id.h"

namespace davit::git {

// A directory of its own on tmpfs, deleted with everything in it at the end.
class ScratchDirectory {
 public:
  ScratchDirectory();
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Runs git with these arguments, without any configuration of the machine or the user, and returns what it printed
// without the trailing newline. `stdin_data` is at most 64 KiB.
std::string RunGit(const std::string& directory, const std::vector<std::string>& arguments,
                   const std::string& stdin_data = "");

// A repository with a working tree at `path`; branch main.
class GitRepository {
 public:
  // Makes an empty one.
  explicit GitRepository(std::string path);

  const std::string& path() const { return path_; }
  std::string objects_directory() const { return path_ + "/.git/objects"; }

  std::string Git(const std::vector<std::string>& arguments, const std::string& stdin_data = "") const;

  // Writes a file, making directories as needed.
  void Write(const std::string& file, absl::string_view content) const;
  // Makes a symbolic link.
  void Link(const std::string& file, const std::string& target) const;
  // Commits everything that is in the working tree.
  ObjectId CommitAll(const std::string& message) const;

 private:
  std::string path_;
};

// Makes a bare repository at `path` that this one can be pushed to.
void MakeBareRepository(const std::string& path);

}  // namespace davit::git
