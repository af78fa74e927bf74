// Implements git_repository.h.
#include "libs/git/testing/git_repository.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "libs/process/run.h"

namespace davit::git {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void Die(absl::string_view message) {
  std::fprintf(stderr, "git fixture: %s\n", std::string(message).c_str());
  std::abort();
}

}  // namespace

ScratchDirectory::ScratchDirectory() {
  std::string name = "/dev/shm/davit-git-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) Die("cannot make a directory in /dev/shm");
  path_ = name;
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code error;
  fs::remove_all(path_, error);
}

std::string RunGit(const std::string& directory, const std::vector<std::string>& arguments,
                   const std::string& stdin_data) {
  process::SpawnOptions options;
  options.argv = {"git", "-C", directory};
  options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
  options.environment = std::map<std::string, std::string>{
      {"PATH", "/usr/bin:/bin"},
      {"HOME", directory},
      {"GIT_CONFIG_GLOBAL", "/dev/null"},
      {"GIT_CONFIG_NOSYSTEM", "1"},
      {"GIT_TERMINAL_PROMPT", "0"},
      {"GIT_AUTHOR_NAME", "Ada Author"},
      {"GIT_AUTHOR_EMAIL", "ada@example.com"},
      {"GIT_COMMITTER_NAME", "Carl Committer"},
      {"GIT_COMMITTER_EMAIL", "carl@example.com"},
      {"GIT_AUTHOR_DATE", "1700000000 +0100"},
      {"GIT_COMMITTER_DATE", "1700000100 +0100"},
  };
  options.stdin_data = stdin_data;
  const auto output = process::RunOrFail(options, absl::Minutes(2));
  if (!output.ok()) Die(output.status().ToString());
  return std::string(absl::StripSuffix(*output, "\n"));
}

GitRepository::GitRepository(std::string path) : path_(std::move(path)) {
  fs::create_directories(path_);
  Git({"init", "-q", "-b", "main"});
}

std::string GitRepository::Git(const std::vector<std::string>& arguments, const std::string& stdin_data) const {
  return RunGit(path_, arguments, stdin_data);
}

void GitRepository::Write(const std::string& file, absl::string_view content) const {
  const fs::path full = fs::path(path_) / file;
  fs::create_directories(full.parent_path());
  std::ofstream stream(full, std::ios::binary | std::ios::trunc);
  stream.write(content.data(), static_cast<std::streamsize>(content.size()));
  stream.close();
  if (!stream) Die(absl::StrCat("cannot write ", file));
}

void GitRepository::Link(const std::string& file, const std::string& target) const {
  const fs::path full = fs::path(path_) / file;
  fs::create_directories(full.parent_path());
  fs::create_symlink(target, full);
}

ObjectId GitRepository::CommitAll(const std::string& message) const {
  Git({"add", "-A"});
  Git({"commit", "-q", "--allow-empty", "-m", message});
  const auto id = ObjectId::FromHex(Git({"rev-parse", "HEAD"}));
  if (!id.ok()) Die("no commit");
  return *id;
}

void MakeBareRepository(const std::string& path) {
  fs::create_directories(path);
  RunGit(path, {"init", "-q", "--bare", "-b", "main"});
}

}  // namespace davit::git
