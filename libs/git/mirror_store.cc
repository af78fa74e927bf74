// Implements mirror_store.h.
#include "libs/git/mirror_store.h"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <map>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "libs/git/commit_fetch.h"
#include "libs/git/libgit2.h"
#include "libs/git/mirror.h"
#include "libs/git/object_store.h"
#include "libs/git/upload_pack.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"

namespace davit::git {
namespace {

namespace fs = std::filesystem;

// How often a fetch that waits for another of the same repository looks again.
constexpr absl::Duration kLockPoll = absl::Milliseconds(10);
// Mirrors whose file sizes are remembered.
constexpr size_t kMaxSizeCaches = 16;
// Mirrors whose servers' abilities are remembered.
constexpr size_t kMaxKnownServers = 1000;
constexpr size_t kKeyLength = 40;
// The budget is looked at whenever this share of it has been fetched.
constexpr int64_t kMeasuringShare = 100;

// A mirror's share of the budget.
struct Usage {
  std::string key;
  int64_t bytes = 0;
  fs::file_time_type last_used;
};

bool IsKey(const std::string& name) {
  return name.size() == kKeyLength && std::all_of(name.begin(), name.end(), absl::ascii_isxdigit);
}

int64_t DirectoryBytes(const fs::path& directory) {
  int64_t bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    std::error_code stat_error;
    const uintmax_t size = it->file_size(stat_error);
    if (!stat_error) bytes += static_cast<int64_t>(size);
  }
  return bytes;
}

}  // namespace

struct MirrorStore::State {
  State(MirrorStoreOptions options_in, http::Client& client_in)
      : options(std::move(options_in)), client(client_in), unmeasured_bytes(options.budget_bytes) {}

  const MirrorStoreOptions options;
  http::Client& client;
  // Bytes fetched since the budget was last looked at: measuring all mirrors after every small fetch would be a waste.
  std::atomic<int64_t> unmeasured_bytes;
  absl::Mutex mutex;
  std::map<std::string, std::shared_ptr<SizeCache>> sizes ABSL_GUARDED_BY(mutex);

  std::map<std::string, RemoteCapabilities> servers ABSL_GUARDED_BY(mutex);

  std::shared_ptr<SizeCache> SizesOf(const std::string& key) {
    absl::MutexLock lock(&mutex);
    if (sizes.size() >= kMaxSizeCaches && sizes.count(key) == 0) sizes.clear();
    std::shared_ptr<SizeCache>& cache = sizes[key];
    if (cache == nullptr) cache = std::make_shared<SizeCache>();
    return cache;
  }

  Mirror MirrorOf(absl::string_view connection, const RepositoryUrl& url) const {
    return Mirror(options.directory, HexHash(absl::StrCat(connection, "\n", url.text())));
  }

  // The commit, if it is complete in the mirror and readable. NOT_FOUND when it is not there; DATA_LOSS when it should
  // be.
  absl::StatusOr<FetchOutcome> OpenPresent(const Mirror& mirror, const ObjectId& commit) {
    DAVIT_ASSIGN_OR_RETURN(std::shared_ptr<ObjectStore> store, mirror.Open(SizesOf(mirror.key())));
    const std::vector<Head> heads = mirror.ReadHeads();
    const bool known =
        std::any_of(heads.begin(), heads.end(), [&commit](const Head& head) { return head.id == commit; });
    if (!known) return absl::NotFoundError("the commit is not in the mirror");
    return Finish(mirror, std::move(store), commit);
  }

  // Checks that a commit that should be complete is readable, and pins it for the caller.
  absl::StatusOr<FetchOutcome> Finish(const Mirror& mirror, std::shared_ptr<ObjectStore> store,
                                      const ObjectId& commit) {
    auto info = store->ReadCommit(commit);
    absl::Status readable = info.status();
    if (readable.ok()) readable = store->Read(info->tree, ObjectType::kTree).status();
    if (absl::IsNotFound(readable)) return absl::DataLossError(readable.message());
    DAVIT_RETURN_IF_ERROR(readable);
    mirror.Touch();
    FetchOutcome outcome;
    outcome.commit = std::make_unique<CommitTree>(std::move(store), *std::move(info));
    outcome.already_present = true;
    return outcome;
  }

  // Fetches with what is known about the server, and, should that fail, once more without.
  absl::StatusOr<CommitFetchResult> FetchCommit(const std::string& key, const FetchRequest& request,
                                                const Credential& credential, const FetchControl& control,
                                                absl::Time deadline, ObjectStore* store,
                                                const std::vector<Head>& heads) {
    const std::optional<RemoteCapabilities> known = TakeCapabilities(key);
    Remote remote(client, request.url, credential, control, deadline);
    if (known.has_value()) remote.Assume(*known);
    auto fetched = CommitFetch(remote, *store, heads, control).Run(request.commit, request.ref_hint);
    if (known.has_value() && absl::IsUnavailable(fetched.status())) {
      Remote fresh(client, request.url, credential, control, deadline);
      return CommitFetch(fresh, *store, heads, control).Run(request.commit, request.ref_hint);
    }
    const auto capabilities = remote.Discover();
    // Version 0 says its refs together with what it can do, so that there is nothing to save.
    if (fetched.ok() && capabilities.ok() && capabilities->version == 2 && remote.is_direct()) {
      absl::MutexLock lock(&mutex);
      if (servers.size() >= kMaxKnownServers) servers.clear();
      servers[key] = *capabilities;
    }
    return fetched;
  }

  // What is known about the server of a mirror. Forgotten with this: a fetch that succeeds tells it again.
  std::optional<RemoteCapabilities> TakeCapabilities(const std::string& key) {
    absl::MutexLock lock(&mutex);
    const auto found = servers.find(key);
    if (found == servers.end()) return std::nullopt;
    const RemoteCapabilities capabilities = found->second;
    servers.erase(found);
    return capabilities;
  }

  absl::StatusOr<FetchOutcome> FetchLocked(const Mirror& mirror, const FetchRequest& request,
                                           const Credential& credential, const FetchControl& control,
                                           absl::Time deadline) {
    auto present = OpenPresent(mirror, request.commit);
    if (!absl::IsNotFound(present.status())) return present;
    DAVIT_RETURN_IF_ERROR(mirror.Create());
    DAVIT_RETURN_IF_ERROR(mirror.Tidy());
    DAVIT_ASSIGN_OR_RETURN(std::shared_ptr<ObjectStore> store, mirror.Open(SizesOf(mirror.key())));
    const std::vector<Head> heads = mirror.ReadHeads();
    auto fetched = FetchCommit(mirror.key(), request, credential, control, deadline, store.get(), heads);
    DAVIT_RETURN_IF_ERROR(fetched.status());
    DAVIT_RETURN_IF_ERROR(mirror.RecordHead(fetched->head));
    DAVIT_ASSIGN_OR_RETURN(FetchOutcome outcome, Finish(mirror, std::move(store), request.commit));
    outcome.already_present = false;
    outcome.received_bytes = fetched->received_bytes;
    outcome.received_objects = fetched->received_objects;
    return outcome;
  }

  absl::StatusOr<FileLock> WaitForFetchLock(const Mirror& mirror, const FetchControl& control, absl::Time deadline) {
    while (true) {
      auto lock = mirror.TryLockForFetch();
      if (!absl::IsUnavailable(lock.status())) return lock;
      if (control.cancelled != nullptr && control.cancelled->load()) {
        return absl::CancelledError("the fetch was cancelled");
      }
      if (absl::Now() >= deadline) {
        return absl::DeadlineExceededError("another fetch of the repository took too long");
      }
      absl::SleepFor(kLockPoll);
    }
  }

  std::vector<Usage> ListUsage() const {
    std::vector<Usage> usages;
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(options.directory, error)) {
      const std::string name = entry.path().filename().string();
      std::error_code ignored;
      if (!IsKey(name)) {
        // What a crash left of a deletion.
        if (entry.path().extension() == ".trash") fs::remove_all(entry.path(), ignored);
        continue;
      }
      Usage usage;
      usage.key = name;
      usage.bytes = DirectoryBytes(entry.path());
      usage.last_used = fs::last_write_time(entry.path() / "heads", ignored);
      usages.push_back(std::move(usage));
    }
    std::sort(usages.begin(), usages.end(), [](const Usage& a, const Usage& b) { return a.last_used < b.last_used; });
    return usages;
  }
};

MirrorStore::MirrorStore(std::unique_ptr<State> state) : state_(std::move(state)) {}
MirrorStore::~MirrorStore() = default;

absl::StatusOr<std::unique_ptr<MirrorStore>> MirrorStore::Open(MirrorStoreOptions options, http::Client& client) {
  std::error_code error;
  fs::create_directories(options.directory, error);
  if (error || ::chmod(options.directory.c_str(), 0700) != 0) {
    return absl::ErrnoToStatus(error ? error.value() : errno,
                               absl::StrCat("cannot use ", options.directory, " for mirrors"));
  }
  InitializeLibgit2();
  return std::unique_ptr<MirrorStore>(new MirrorStore(std::make_unique<State>(std::move(options), client)));
}

absl::StatusOr<FetchOutcome> MirrorStore::Fetch(const FetchRequest& request, const Credential& credential,
                                                const FetchControl& control) {
  if (!request.ref_hint.empty()) DAVIT_RETURN_IF_ERROR(CheckRefName(request.ref_hint));
  const absl::Time deadline = absl::Now() + control.timeout;
  const Mirror mirror = state_->MirrorOf(request.connection, request.url);
  auto present = state_->OpenPresent(mirror, request.commit);
  if (present.ok()) return present;
  DAVIT_ASSIGN_OR_RETURN(const FileLock lock, state_->WaitForFetchLock(mirror, control, deadline));
  auto outcome = state_->FetchLocked(mirror, request, credential, control, deadline);
  if (absl::IsDataLoss(outcome.status())) {
    DAVIT_RETURN_IF_ERROR(mirror.Delete());
    outcome = state_->FetchLocked(mirror, request, credential, control, deadline);
  }
  if (!outcome.ok()) return Annotate(outcome.status(), "Failed to fetch");
  state_->unmeasured_bytes += outcome->received_bytes;
  if (state_->unmeasured_bytes >= state_->options.budget_bytes / kMeasuringShare) DAVIT_RETURN_IF_ERROR(Evict());
  return outcome;
}

absl::Status MirrorStore::Discard(absl::string_view connection, const RepositoryUrl& url) {
  const Mirror mirror = state_->MirrorOf(connection, url);
  DAVIT_ASSIGN_OR_RETURN(const FileLock lock,
                         state_->WaitForFetchLock(mirror, FetchControl(), absl::Now() + FetchControl().timeout));
  return mirror.Delete();
}

absl::Status MirrorStore::Evict() {
  state_->unmeasured_bytes = 0;
  const std::vector<Usage> usages = state_->ListUsage();
  int64_t total = 0;
  for (const Usage& usage : usages) total += usage.bytes;
  for (const Usage& usage : usages) {
    if (total <= state_->options.budget_bytes) break;
    const absl::Status deleted = Mirror(state_->options.directory, usage.key).DeleteIfUnused();
    if (absl::IsUnavailable(deleted)) continue;
    DAVIT_RETURN_IF_ERROR(deleted);
    total -= usage.bytes;
  }
  return absl::OkStatus();
}

}  // namespace davit::git
