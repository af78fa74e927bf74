// Fetches commits.
#include "services/builder_agent/git_source.h"

#include <atomic>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/git/url.h"
#include "libs/status/status_macros.h"
#include "services/builder_agent/git_context.h"

namespace davit::builder_agent {
namespace {

constexpr int64_t kMaxTextBytes = 1 << 20;

// A commit with one directory of it as the context.
class CommitSource final : public BuildSource {
 public:
  static absl::StatusOr<std::unique_ptr<BuildSource>> Open(std::unique_ptr<git::CommitTree> commit,
                                                           const scheduler::v1::BuildSpec& spec, std::string url,
                                                           const git::TreeLimits& limits) {
    DAVIT_ASSIGN_OR_RETURN(std::unique_ptr<git::TreeReader> root, commit->OpenContext("", limits));
    DAVIT_ASSIGN_OR_RETURN(std::unique_ptr<git::TreeReader> context,
                           commit->OpenContext(spec.recipe().context_dir(), limits));
    return std::unique_ptr<BuildSource>(
        new CommitSource(std::move(commit), std::move(root), std::move(context), spec, std::move(url)));
  }

  const buildkit::ContextSource& context() const override { return context_; }
  const buildkit::ContextSource& root() const override { return root_; }

  absl::StatusOr<std::string> ReadDockerfile(absl::string_view path) const override {
    absl::StatusOr<std::string> text = commit_->ReadFile(path, kMaxTextBytes);
    if (absl::IsNotFound(text.status())) {
      return absl::NotFoundError(absl::StrCat("Dockerfile not found at ", path, " in ", commit_->info().id.Hex()));
    }
    return text;
  }

  std::string shared_key() const override {
    return absl::StrCat("git ", spec_.git().connection_id(), " ", spec_.git().repository(), " ",
                        spec_.recipe().context_dir());
  }

  std::map<std::string, std::string> annotations() const override {
    std::map<std::string, std::string> annotations = {
        {"org.opencontainers.image.source", url_},
        {"org.opencontainers.image.revision", commit_->info().id.Hex()},
    };
    if (!spec_.git().ref().empty()) annotations["davit.ref"] = spec_.git().ref();
    return annotations;
  }

 private:
  CommitSource(std::unique_ptr<git::CommitTree> commit, std::unique_ptr<git::TreeReader> root,
               std::unique_ptr<git::TreeReader> context, scheduler::v1::BuildSpec spec, std::string url)
      : commit_(std::move(commit)),
        root_(std::move(root), GitContext::Listing::kWhenAsked),
        context_(std::move(context), GitContext::Listing::kAhead),
        spec_(std::move(spec)),
        url_(std::move(url)) {}

  const std::unique_ptr<git::CommitTree> commit_;
  const GitContext root_;
  const GitContext context_;
  const scheduler::v1::BuildSpec spec_;
  const std::string url_;
};

// Says what the context lacks because git itself does not have it.
void NoteWhatIsMissing(const git::CommitTree& commit, const std::function<void(absl::string_view)>& note) {
  if (commit.ReadFile(".gitmodules", kMaxTextBytes).ok()) {
    note("Submodules are not fetched: their directories are empty in the context");
  }
  const absl::StatusOr<std::string> attributes = commit.ReadFile(".gitattributes", kMaxTextBytes);
  if (attributes.ok() && absl::StrContains(*attributes, "filter=lfs")) {
    note("Git LFS files are not fetched: the context has their pointers");
  }
}

}  // namespace

GitSourceFetcher::GitSourceFetcher(git::MirrorStore& mirrors, GitSourceOptions options)
    : mirrors_(mirrors), options_(std::move(options)) {}

absl::StatusOr<std::unique_ptr<BuildSource>> GitSourceFetcher::Fetch(const SourceRequest& request) {
  const scheduler::v1::BuildSpec& spec = request.lease.spec();
  const registry::v1::SourceAccess& access = request.credentials.source();
  if (!request.credentials.has_source())
    return absl::InternalError("no credential was issued for the build's repository");
  DAVIT_ASSIGN_OR_RETURN(git::RepositoryUrl url, git::RepositoryUrl::Parse(access.clone_url(), options_.policy));
  DAVIT_ASSIGN_OR_RETURN(const git::ObjectId commit, git::ObjectId::FromHex(spec.git().commit()));
  const git::FetchRequest fetch{
      .connection = spec.git().connection_id(), .url = url, .commit = commit, .ref_hint = spec.git().ref()};
  const git::Credential credential{access.username(), crypto::SecretString(access.password())};
  git::FetchControl control;
  std::atomic<bool> cancelled = false;
  const std::stop_callback on_stop(request.stop, [&cancelled] { cancelled = true; });
  control.cancelled = &cancelled;
  DAVIT_ASSIGN_OR_RETURN(git::FetchOutcome outcome, mirrors_.Fetch(fetch, credential, control));
  request.note(outcome.already_present ? absl::StrCat("Commit ", commit.Hex(), " is in the mirror already")
                                       : absl::StrCat("Fetched commit ", commit.Hex(), ": ", outcome.received_objects,
                                                      " objects, ", outcome.received_bytes, " bytes"));
  NoteWhatIsMissing(*outcome.commit, request.note);
  return CommitSource::Open(std::move(outcome.commit), spec, url.text(), options_.limits);
}

}  // namespace davit::builder_agent
