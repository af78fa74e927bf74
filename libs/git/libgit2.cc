// Implements libgit2.h.
#include "libs/git/libgit2.h"

#include <git2.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace davit::git {
namespace {

// libgit2's defaults (256 MiB of cache, 8 GiB of mappings) are for desktops; an agent has other uses for its memory.
constexpr ssize_t kObjectCacheBytes = 16 << 20;
constexpr size_t kMappedBytes = size_t{512} << 20;
constexpr size_t kOpenPackFiles = 256;

int InitializeOnce() {
  const int result = git_libgit2_init();
  git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, kObjectCacheBytes);
  git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, kMappedBytes);
  git_libgit2_opts(GIT_OPT_SET_MWINDOW_FILE_LIMIT, kOpenPackFiles);
  git_libgit2_opts(GIT_OPT_DISABLE_PACK_KEEP_FILE_CHECKS, 1);
  // Nothing of the machine's or the user's git configuration may change what a build sees.
  for (const int level :
       {GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL, GIT_CONFIG_LEVEL_PROGRAMDATA}) {
    git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, "");
  }
  return result;
}

}  // namespace

void InitializeLibgit2() {
  // A function's static is initialised once, whichever thread comes first; libgit2 lives as long as the process.
  static const int initialized = InitializeOnce();
  (void)initialized;
}

std::string HexHash(absl::string_view bytes) {
  InitializeLibgit2();
  git_oid oid;
  git_odb_hash(&oid, bytes.data(), bytes.size(), GIT_OBJECT_BLOB);
  char hex[GIT_OID_HEXSZ + 1];
  return git_oid_tostr(hex, sizeof(hex), &oid);
}

absl::Status FromLibgit2(int code, absl::string_view doing) {
  const git_error* error = git_error_last();
  const std::string message =
      absl::StrCat(doing, ": ", error != nullptr && error->message != nullptr ? error->message : "unknown error");
  if (code == GIT_ENOTFOUND) return absl::NotFoundError(message);
  if (absl::StrContains(message, std::strerror(ENOSPC)) || absl::StrContains(message, std::strerror(EDQUOT))) {
    return absl::ResourceExhaustedError(message);
  }
  return absl::DataLossError(message);
}

}  // namespace davit::git
