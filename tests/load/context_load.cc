// The figure `context`: how long a new commit takes from the git server into BuildKit, against `git clone --depth 1` of
// the same commit. Both over HTTP from lighttpd with `git http-backend`, everything on tmpfs, in turns, medians.
//
// Measured is the agent's own path: MirrorStore::Fetch into a warm mirror, then a real BuildKit (inside a private
// Docker engine) that takes the context over its session from git objects, until it reports the step "load build
// context" as complete. The build goes on after that, but what it does with the files is not what is compared: a clone
// ends before any builder has a byte. Its push fails, as there is no registry.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "libs/buildkit/builder.h"
#include "libs/git/mirror_store.h"
#include "libs/git/testing/git_http_server.h"
#include "libs/http/client.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"
#include "services/builder_agent/git_context.h"
#include "tests/load/private_docker.h"

ABSL_FLAG(std::string, repository, "", "bare repository to serve; it is copied");
ABSL_FLAG(std::string, changed_file, "", "a file of the repository that each round changes");
ABSL_FLAG(int, rounds, 7, "rounds that are measured, after one that is not");

namespace davit::load {
namespace {

constexpr double kBound = 0.25;
constexpr char kUser[] = "load";
constexpr char kPassword[] = "load-password";
constexpr char kContextStep[] = "[internal] load build context";

// Measures how long the walks of a context take.
class TimedContext final : public buildkit::ContextSource {
 public:
  explicit TimedContext(const buildkit::ContextSource& source) : source_(source) {}

  absl::StatusOr<std::vector<buildkit::ContextEntry>> Walk(const buildkit::WalkFilter& filter) const override {
    const absl::Time start = absl::Now();
    auto entries = source_.Walk(filter);
    const absl::Duration took = absl::Now() - start;
    longest_walk_ = std::max(longest_walk_, took);
    return entries;
  }
  absl::StatusOr<buildkit::ContextEntry> Find(absl::string_view path) const override { return source_.Find(path); }
  absl::Status ReadFile(const buildkit::ContextEntry& file, const buildkit::ContentVisitor& visit) const override {
    ++files_read_;
    return source_.ReadFile(file, visit);
  }

  absl::Duration longest_walk() const { return longest_walk_; }
  int files_read() const { return files_read_; }

 private:
  const buildkit::ContextSource& source_;
  // Read only after the build is over.
  mutable absl::Duration longest_walk_;
  mutable std::atomic<int> files_read_{0};
};

// Notes when BuildKit has the context.
class ContextWatcher final : public buildkit::ProgressSink {
 public:
  void OnStep(const buildkit::StepUpdate& step) override {
    if (step.name != kContextStep || step.completed == absl::InfinitePast()) return;
    completed_ = step.completed;
    error_ = step.error;
  }
  void OnOutput(absl::string_view, absl::string_view) override {}
  void OnMessage(absl::string_view) override {}

  absl::Time completed() const { return completed_; }
  const std::string& error() const { return error_; }

 private:
  absl::Time completed_ = absl::InfinitePast();
  std::string error_;
};

// What one round took.
struct Round {
  absl::Duration fetch;
  absl::Duration walk;
  absl::Duration transfer;  // all from the end of the fetch until BuildKit has the context, the walk included
  absl::Duration clone;
  int64_t received_bytes = 0;
  int files_sent = 0;

  absl::Duration context() const { return fetch + transfer; }
};

class ContextLoad {
 public:
  static absl::StatusOr<std::unique_ptr<ContextLoad>> Create(const std::string& repository) {
    auto load = std::unique_ptr<ContextLoad>(new ContextLoad());
    git::GitHttpServerOptions server_options;
    server_options.username = kUser;
    server_options.password = kPassword;
    DAVIT_ASSIGN_OR_RETURN(load->server_, git::GitHttpServer::Start(server_options));
    std::filesystem::copy(repository, load->server_->PathOf("load.git"), std::filesystem::copy_options::recursive);
    http::ClientOptions client_options;
    DAVIT_ASSIGN_OR_RETURN(client_options.policy, http::AddressPolicy::Create({{load->server_->authority()}}));
    load->client_ = std::make_unique<http::Client>(client_options);
    git::MirrorStoreOptions mirror_options;
    mirror_options.directory = load->scratch_.path() + "/mirrors";
    DAVIT_ASSIGN_OR_RETURN(load->mirrors_, git::MirrorStore::Open(mirror_options, *load->client_));
    DAVIT_ASSIGN_OR_RETURN(load->docker_, PrivateDocker::Start(load->scratch_.path() + "/docker"));
    buildkit::BuilderOptions builder_options;
    builder_options.address = {buildkit::Address::Kind::kDockerEngine, load->docker_->socket_path()};
    builder_options.run_network = buildkit::RunNetwork::kNone;
    DAVIT_ASSIGN_OR_RETURN(load->builder_, buildkit::MakeBuilder(builder_options));
    return load;
  }

  absl::StatusOr<Round> RunRound(const std::string& changed_file) {
    ++number_;
    DAVIT_ASSIGN_OR_RETURN(const git::ObjectId commit, PushCommit(changed_file));
    Round round;
    DAVIT_RETURN_IF_ERROR(Annotate(MeasureContext(commit, &round), "context"));
    DAVIT_RETURN_IF_ERROR(Annotate(MeasureClone(commit, &round), "clone"));
    return round;
  }

 private:
  ContextLoad() = default;

  // Adds a commit to the server's repository that changes one file.
  absl::StatusOr<git::ObjectId> PushCommit(const std::string& changed_file) {
    const std::string path = server_->PathOf("load.git");
    const std::string content = absl::StrCat("round ", number_, " ", absl::FormatTime(absl::Now()), "\n");
    git::RunGit(path, {"fast-import", "--quiet"},
                absl::StrCat("commit refs/heads/main\ncommitter Load <load@example.com> ",
                             absl::ToUnixSeconds(absl::Now()), " +0000\ndata 5\nround\nfrom refs/heads/main^0\n",
                             "M 100644 inline ", changed_file, "\ndata ", content.size(), "\n", content));
    return git::ObjectId::FromHex(git::RunGit(path, {"rev-parse", "refs/heads/main"}));
  }

  absl::Status MeasureContext(const git::ObjectId& commit, Round* round) {
    const absl::Time start = absl::Now();
    DAVIT_ASSIGN_OR_RETURN(auto url, git::RepositoryUrl::Parse(server_->UrlOf("load.git"), client_->policy()));
    const git::Credential credential{kUser, crypto::SecretString(kPassword)};
    DAVIT_ASSIGN_OR_RETURN(const git::FetchOutcome fetched,
                           mirrors_->Fetch({"con_load", url, commit, "refs/heads/main"}, credential, {}));
    const absl::Time fetch_end = absl::Now();
    DAVIT_ASSIGN_OR_RETURN(auto tree, fetched.commit->OpenContext("", git::TreeLimits()));
    const builder_agent::GitContext context(std::move(tree), builder_agent::GitContext::Listing::kAhead);
    const TimedContext timed(context);
    buildkit::BuildRequest request;
    request.solve_id = absl::StrCat("load-", ::getpid(), "-", number_);
    request.shared_key = "load";
    request.context = &timed;
    request.image = "127.0.0.1:5000/load/context:latest";
    ContextWatcher watcher;
    const absl::Status built = builder_->Build(request, watcher, std::stop_token()).status();
    if (watcher.completed() == absl::InfinitePast() || !watcher.error().empty()) {
      return absl::InternalError(
          absl::StrCat("BuildKit did not load the context: ", watcher.error(), built.ToString()));
    }
    round->fetch = fetch_end - start;
    round->transfer = watcher.completed() - fetch_end;
    round->walk = timed.longest_walk();
    round->received_bytes = fetched.received_bytes;
    round->files_sent = timed.files_read();
    return absl::OkStatus();
  }

  absl::Status MeasureClone(const git::ObjectId& commit, Round* round) {
    const std::string directory = scratch_.path() + "/clone";
    std::filesystem::remove_all(directory);
    const absl::Time start = absl::Now();
    git::RunGit(scratch_.path(), {"clone", "-q", "--depth", "1", server_->UrlWithPasswordOf("load.git"), directory});
    round->clone = absl::Now() - start;
    if (git::RunGit(directory, {"rev-parse", "HEAD"}) != commit.Hex()) return absl::InternalError("another commit");
    return absl::OkStatus();
  }

  git::ScratchDirectory scratch_;
  std::unique_ptr<git::GitHttpServer> server_;
  std::unique_ptr<http::Client> client_;
  std::unique_ptr<git::MirrorStore> mirrors_;
  std::unique_ptr<PrivateDocker> docker_;
  std::unique_ptr<buildkit::Builder> builder_;
  int number_ = 0;
};

template <typename F>
double MedianMilliseconds(std::vector<Round>& rounds, F duration_of) {
  std::vector<double> values;
  for (const Round& round : rounds) values.push_back(absl::ToDoubleMilliseconds(duration_of(round)));
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

absl::StatusOr<bool> Measure() {
  DAVIT_ASSIGN_OR_RETURN(auto load, ContextLoad::Create(absl::GetFlag(FLAGS_repository)));
  std::vector<Round> rounds;
  for (int i = 0; i <= absl::GetFlag(FLAGS_rounds); ++i) {
    DAVIT_ASSIGN_OR_RETURN(const Round round, load->RunRound(absl::GetFlag(FLAGS_changed_file)));
    absl::PrintF(
        "# %s fetch %.0f ms (%d bytes), then to BuildKit %.0f ms (walk %.0f ms, %d files sent), clone %.0f ms\n",
        i == 0 ? "cold: " : "round:", absl::ToDoubleMilliseconds(round.fetch), round.received_bytes,
        absl::ToDoubleMilliseconds(round.transfer), absl::ToDoubleMilliseconds(round.walk), round.files_sent,
        absl::ToDoubleMilliseconds(round.clone));
    std::fflush(stdout);
    // The first round fills the mirror and BuildKit's copy.
    if (i > 0) rounds.push_back(round);
  }
  const double context = MedianMilliseconds(rounds, [](const Round& round) { return round.context(); });
  const double clone = MedianMilliseconds(rounds, [](const Round& round) { return round.clone; });
  absl::PrintF("# medians of %d: fetch %.0f ms, to BuildKit %.0f ms (walk %.0f ms), together %.0f ms; clone %.0f ms\n",
               rounds.size(), MedianMilliseconds(rounds, [](const Round& round) { return round.fetch; }),
               MedianMilliseconds(rounds, [](const Round& round) { return round.transfer; }),
               MedianMilliseconds(rounds, [](const Round& round) { return round.walk; }), context, clone);
  const double ratio = context / clone;
  absl::PrintF("context %.3f %.2f %s\n", ratio, kBound, ratio <= kBound ? "ok" : "short");
  return ratio <= kBound;
}

}  // namespace
}  // namespace davit::load

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  const absl::StatusOr<bool> good = davit::load::Measure();
  if (!good.ok()) std::fprintf(stderr, "context: %s\n", good.status().ToString().c_str());
  return good.ok() && *good ? 0 : 1;
}
