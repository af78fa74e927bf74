// Fetches uploads.
#include "services/builder_agent/upload_source.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"
#include "services/builder_agent/archive.h"

namespace davit::builder_agent {
namespace {

namespace proto = scheduler::v1;

constexpr int64_t kMaxDockerfileBytes = 1 << 20;
constexpr int kMaxLinks = 16;

// A file that is being received; deleted with this object.
class ReceivedFile {
 public:
  explicit ReceivedFile(std::string path)
      : path_(std::move(path)), fd_(open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {}
  ~ReceivedFile() {
    if (fd_ >= 0) close(fd_);
    unlink(path_.c_str());
  }
  ReceivedFile(const ReceivedFile&) = delete;
  ReceivedFile& operator=(const ReceivedFile&) = delete;

  const std::string& path() const { return path_; }

  absl::Status Append(absl::string_view data) {
    while (!data.empty()) {
      const ssize_t count = write(fd_, data.data(), data.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return absl::UnavailableError(absl::StrCat("Cannot store the upload: ", strerror(errno)));
      data.remove_prefix(count);
    }
    return absl::OkStatus();
  }

 private:
  const std::string path_;
  const int fd_;
};

// An unpacked upload with one directory of it as the context.
class UploadSource final : public BuildSource {
 public:
  UploadSource(std::unique_ptr<StoredContext> tree, std::string directory, const proto::Lease& lease)
      : tree_(std::move(tree)), subdirectory_(*tree_, directory), directory_(std::move(directory)), lease_(lease) {}

  const buildkit::ContextSource& context() const override {
    if (directory_.empty()) return *tree_;
    return subdirectory_;
  }
  const buildkit::ContextSource& root() const override { return *tree_; }

  absl::StatusOr<std::string> ReadDockerfile(absl::string_view path) const override {
    std::string at(path);
    for (int links = 0; links <= kMaxLinks; ++links) {
      DAVIT_ASSIGN_OR_RETURN(at, CleanContextPath(at));
      const absl::StatusOr<buildkit::ContextEntry> entry = tree_->Find(at);
      if (!entry.ok() || entry->kind == buildkit::EntryKind::kDirectory) break;
      if (entry->kind == buildkit::EntryKind::kFile) return ReadText(*entry);
      // Links were checked to stay inside; one step of ".." at a time is taken off by hand.
      std::string target = entry->link_target;
      std::string parent = at.substr(0, at.rfind('/') == std::string::npos ? 0 : at.rfind('/'));
      while (absl::StartsWith(target, "../")) {
        target.erase(0, 3);
        parent.erase(parent.rfind('/') == std::string::npos ? 0 : parent.rfind('/'));
      }
      at = absl::StrCat(parent, parent.empty() ? "" : "/", target);
    }
    return absl::NotFoundError(absl::StrCat("Dockerfile not found at ", path, " in the upload"));
  }

  std::string shared_key() const override {
    return absl::StrCat("upload ", lease_.project(), " ", lease_.spec().destination().repository());
  }

  std::map<std::string, std::string> annotations() const override {
    return {{"davit.upload.digest", lease_.upload().digest()}};
  }

 private:
  absl::StatusOr<std::string> ReadText(const buildkit::ContextEntry& file) const {
    if (file.size > kMaxDockerfileBytes) {
      return absl::ResourceExhaustedError(
          absl::StrCat("the Dockerfile is over the limit ", kMaxDockerfileBytes, " bytes"));
    }
    std::string text;
    DAVIT_RETURN_IF_ERROR(tree_->ReadFile(file, [&](absl::string_view piece) {
      absl::StrAppend(&text, piece);
      return absl::OkStatus();
    }));
    return text;
  }

  const std::unique_ptr<StoredContext> tree_;
  const SubdirectoryContext subdirectory_;
  const std::string directory_;
  const proto::Lease lease_;
};

}  // namespace

UploadSourceFetcher::UploadSourceFetcher(SchedulerClient& scheduler, UploadSourceOptions options)
    : scheduler_(scheduler), options_(options) {}

absl::StatusOr<std::unique_ptr<BuildSource>> UploadSourceFetcher::Fetch(const SourceRequest& request) {
  const proto::Lease& lease = request.lease;
  if (lease.upload().size() > options_.max_upload_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat("context over the limit ", options_.max_upload_bytes, " bytes"));
  }
  DAVIT_ASSIGN_OR_RETURN(std::unique_ptr<StoredContext> tree,
                         StoredContext::Create(absl::StrCat(request.work_prefix, ".context"), options_.limits));
  const LeaseKey key{lease.build_id(), lease.fence()};
  ReceivedFile file(absl::StrCat(request.work_prefix, ".upload"));
  std::string dockerfile;
  const bool single = lease.upload().format() == proto::UPLOAD_FORMAT_DOCKERFILE;
  int64_t received = 0;
  const absl::Status read = scheduler_.ReadUpload(
      key,
      [&](absl::string_view data) -> absl::Status {
        received += static_cast<int64_t>(data.size());
        if (received > (single ? kMaxDockerfileBytes : options_.max_upload_bytes)) {
          return absl::ResourceExhaustedError(absl::StrCat(
              "context over the limit ", single ? kMaxDockerfileBytes : options_.max_upload_bytes, " bytes"));
        }
        if (!single) return file.Append(data);
        absl::StrAppend(&dockerfile, data);
        return absl::OkStatus();
      },
      request.stop);
  if (!read.ok()) return Annotate(read, "Failed to read the upload");
  if (single) {
    const std::string& path = lease.spec().recipe().dockerfile_path();
    bool given = false;
    DAVIT_RETURN_IF_ERROR(
        tree->AddFile(path.empty() ? "Dockerfile" : path, 0644, [&](std::string& piece) -> absl::StatusOr<bool> {
          piece = dockerfile;
          return !std::exchange(given, true);
        }));
  } else {
    DAVIT_RETURN_IF_ERROR(UnpackArchive(file.path(), *tree, [&] { return request.stop.stop_requested(); }));
  }
  DAVIT_ASSIGN_OR_RETURN(const std::string directory, CleanContextPath(lease.spec().recipe().context_dir()));
  if (!directory.empty()) {
    const absl::StatusOr<buildkit::ContextEntry> entry = tree->Find(directory);
    if (!entry.ok() || entry->kind != buildkit::EntryKind::kDirectory) {
      return absl::NotFoundError(absl::StrCat("context directory not found: ", directory, " in the upload"));
    }
  }
  request.note(absl::StrCat("Received the upload ", lease.upload().file_name(), ": ", received, " bytes"));
  return std::make_unique<UploadSource>(std::move(tree), directory, lease);
}

}  // namespace davit::builder_agent
