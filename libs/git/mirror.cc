// Implements mirror.h.
#include "libs/git/mirror.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/git/pack_merge.h"
#include "libs/status/status_macros.h"

namespace davit::git {
namespace {

namespace fs = std::filesystem;

// Commits that are remembered as complete; an older one is simply fetched again, at the price of a request.
constexpr size_t kMaxHeads = 256;

absl::Status FromErrorCode(const std::error_code& error, absl::string_view doing) {
  return absl::ErrnoToStatus(error.value(), doing);
}

}  // namespace

Mirror::Mirror(std::string store_directory, std::string key)
    : store_directory_(std::move(store_directory)), key_(std::move(key)) {}

std::string Mirror::directory() const { return absl::StrCat(store_directory_, "/", key_); }
std::string Mirror::objects_directory() const { return absl::StrCat(directory(), "/objects"); }
std::string Mirror::heads_path() const { return absl::StrCat(directory(), "/heads"); }
std::string Mirror::pin_path() const { return absl::StrCat(directory(), ".pin"); }

absl::StatusOr<std::unique_ptr<ObjectStore>> Mirror::Open(std::shared_ptr<SizeCache> sizes) const {
  DAVIT_ASSIGN_OR_RETURN(FileLock pin, FileLock::Acquire(pin_path(), LockMode::kShared));
  std::error_code error;
  if (!fs::exists(objects_directory(), error)) return absl::NotFoundError("no mirror yet");
  return ObjectStore::Open(objects_directory(), std::move(pin), std::move(sizes));
}

absl::Status Mirror::Create() const {
  std::error_code error;
  fs::create_directories(absl::StrCat(objects_directory(), "/pack"), error);
  if (error) return FromErrorCode(error, "cannot create a mirror");
  return absl::OkStatus();
}

std::vector<Head> Mirror::ReadHeads() const {
  std::vector<Head> heads;
  std::ifstream file(heads_path());
  std::string line;
  while (heads.size() < kMaxHeads && std::getline(file, line)) {
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
    if (words.size() != 3) continue;
    const auto id = ObjectId::FromHex(words[0]);
    const auto commit = ObjectId::FromHex(words[1]);
    if (id.ok() && commit.ok()) heads.push_back({*id, *commit, words[2] == "shallow"});
  }
  return heads;
}

absl::Status Mirror::RecordHead(const Head& head) const {
  const auto line = [](const Head& entry) {
    return absl::StrCat(entry.id.Hex(), " ", entry.commit.Hex(), entry.shallow ? " shallow\n" : " full\n");
  };
  std::string content = line(head);
  for (const Head& other : ReadHeads()) {
    if (other.id != head.id) absl::StrAppend(&content, line(other));
  }
  const std::string temporary = absl::StrCat(heads_path(), ".new");
  std::ofstream file(temporary, std::ios::trunc);
  file << content;
  file.close();
  if (!file || ::rename(temporary.c_str(), heads_path().c_str()) != 0) {
    return absl::ErrnoToStatus(errno, "cannot write a mirror's list of commits");
  }
  return absl::OkStatus();
}

void Mirror::Touch() const { ::utimensat(AT_FDCWD, heads_path().c_str(), nullptr, 0); }

absl::StatusOr<FileLock> Mirror::TryLockForFetch() const {
  return FileLock::TryAcquire(absl::StrCat(directory(), ".fetch"), LockMode::kExclusive);
}

absl::Status Mirror::Tidy() const {
  const auto pin = FileLock::TryAcquire(pin_path(), LockMode::kExclusive);
  if (absl::IsUnavailable(pin.status())) return absl::OkStatus();
  DAVIT_RETURN_IF_ERROR(pin.status());
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(absl::StrCat(objects_directory(), "/pack"), error)) {
    // What libgit2 calls a pack that is not complete yet.
    if (absl::StartsWith(entry.path().filename().string(), "pack_git2_")) fs::remove(entry.path(), error);
  }
  return MergeSmallPacks(objects_directory());
}

absl::Status Mirror::Delete() const {
  // Renamed first, so that a crash in the middle leaves no half mirror under the name that is used.
  const std::string trash = absl::StrCat(directory(), ".trash");
  std::error_code error;
  fs::remove_all(trash, error);
  if (::rename(directory().c_str(), trash.c_str()) != 0) {
    return errno == ENOENT ? absl::OkStatus() : absl::ErrnoToStatus(errno, "cannot delete a mirror");
  }
  fs::remove_all(trash, error);
  return error ? FromErrorCode(error, "cannot delete a mirror") : absl::OkStatus();
}

absl::Status Mirror::DeleteIfUnused() const {
  DAVIT_ASSIGN_OR_RETURN(const FileLock fetch, TryLockForFetch());
  DAVIT_ASSIGN_OR_RETURN(const FileLock pin, FileLock::TryAcquire(pin_path(), LockMode::kExclusive));
  return Delete();
}

}  // namespace davit::git
