// Implements pack_merge.h.
#include "libs/git/pack_merge.h"

#include <git2.h>
#include <git2/odb_backend.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "absl/strings/match.h"
#include "libs/git/libgit2.h"
#include "libs/status/status_macros.h"

namespace davit::git {
namespace {

namespace fs = std::filesystem;

// libgit2 asks one pack after the other, so a few dozen cost little.
constexpr size_t kManyPacks = 32;
constexpr uint64_t kSmallPackBytes = 2 << 20;

using Odb = std::unique_ptr<git_odb, decltype(&git_odb_free)>;
using Repository = std::unique_ptr<git_repository, decltype(&git_repository_free)>;
using PackBuilder = std::unique_ptr<git_packbuilder, decltype(&git_packbuilder_free)>;

int CollectId(const git_oid* id, void* ids) {
  static_cast<std::vector<git_oid>*>(ids)->push_back(*id);
  return 0;
}

absl::Status CollectIds(const fs::path& index, std::vector<git_oid>* ids) {
  git_odb* raw = nullptr;
  int result = git_odb_new(&raw);
  if (result < 0) return FromLibgit2(result, "cannot merge packs");
  const Odb odb(raw, git_odb_free);
  git_odb_backend* backend = nullptr;
  result = git_odb_backend_one_pack(&backend, index.c_str());
  if (result >= 0) result = git_odb_add_backend(odb.get(), backend, 1);
  if (result >= 0) result = git_odb_foreach(odb.get(), CollectId, ids);
  return result < 0 ? FromLibgit2(result, "cannot merge packs") : absl::OkStatus();
}

// Writes one pack of all these objects and sets `name` to its name, without directory and extension.
absl::Status WritePack(const std::string& objects_directory, const std::vector<git_oid>& ids, std::string* name) {
  git_odb* raw_odb = nullptr;
  int result = git_odb_open(&raw_odb, objects_directory.c_str());
  if (result < 0) return FromLibgit2(result, "cannot merge packs");
  const Odb odb(raw_odb, git_odb_free);
  git_repository* raw_repository = nullptr;
  result = git_repository_wrap_odb(&raw_repository, odb.get());
  if (result < 0) return FromLibgit2(result, "cannot merge packs");
  const Repository repository(raw_repository, git_repository_free);
  git_packbuilder* raw_builder = nullptr;
  result = git_packbuilder_new(&raw_builder, repository.get());
  if (result < 0) return FromLibgit2(result, "cannot merge packs");
  const PackBuilder builder(raw_builder, git_packbuilder_free);
  for (const git_oid& id : ids) {
    result = git_packbuilder_insert(builder.get(), &id, nullptr);
    if (result < 0) return FromLibgit2(result, "cannot merge packs");
  }
  const fs::path directory = fs::path(objects_directory) / "pack";
  result = git_packbuilder_write(builder.get(), directory.c_str(), 0600, nullptr, nullptr);
  if (result < 0) return FromLibgit2(result, "cannot merge packs");
  *name = std::string("pack-") + git_packbuilder_name(builder.get());
  return absl::OkStatus();
}

}  // namespace

absl::Status MergeSmallPacks(const std::string& objects_directory) {
  std::vector<fs::path> small;
  size_t packs = 0;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(fs::path(objects_directory) / "pack", error)) {
    if (entry.path().extension() != ".idx") continue;
    ++packs;
    fs::path pack = entry.path();
    const uint64_t size = fs::file_size(pack.replace_extension(".pack"), error);
    if (!error && size < kSmallPackBytes) small.push_back(entry.path());
  }
  if (packs < kManyPacks || small.size() < 2) return absl::OkStatus();
  InitializeLibgit2();
  std::vector<git_oid> ids;
  for (const fs::path& index : small) DAVIT_RETURN_IF_ERROR(CollectIds(index, &ids));
  std::string name;
  DAVIT_RETURN_IF_ERROR(WritePack(objects_directory, ids, &name));
  for (fs::path path : small) {
    if (path.stem() == name) continue;
    // Without its index a pack is invisible, so the index goes first.
    fs::remove(path, error);
    fs::remove(path.replace_extension(".pack"), error);
  }
  return absl::OkStatus();
}

}  // namespace davit::git
