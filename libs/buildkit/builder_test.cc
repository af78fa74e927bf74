// Tests of libs/buildkit/builder.h against a real BuildKit: the one inside a Docker engine of the test's own, reached
// both through the engine's API and, behind a front, as a stand-alone buildkitd is. Needs root, dockerd,
// docker-registry and busybox-static.
#include "libs/buildkit/builder.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "libs/buildkit/testing/engine_front.h"
#include "libs/buildkit/testing/memory_context.h"
#include "libs/buildkit/testing/private_engine.h"
#include "libs/process/identity.h"

namespace davit::buildkit {
namespace {

// Remembers what a build told.
class RecordedProgress final : public ProgressSink {
 public:
  void OnStep(const StepUpdate& step) override {
    absl::MutexLock lock(&mutex_);
    if (step.cached) absl::StrAppend(&text_, "CACHED ", step.name, "\n");
    if (!step.error.empty()) absl::StrAppend(&text_, "ERROR ", step.name, ": ", step.error, "\n");
  }
  void OnOutput(absl::string_view, absl::string_view data) override {
    absl::MutexLock lock(&mutex_);
    absl::StrAppend(&text_, data);
  }
  void OnMessage(absl::string_view) override {}

  std::string text() const {
    absl::MutexLock lock(&mutex_);
    return text_;
  }

 private:
  mutable absl::Mutex mutex_;
  std::string text_ ABSL_GUARDED_BY(mutex_);
};

// Counts the contents that BuildKit asks for, and adds one file of any size that is made up while it is read.
class CountingContext final : public ContextSource {
 public:
  CountingContext(const MemoryContext& inner, int64_t big_bytes) : inner_(inner), big_bytes_(big_bytes) {}

  absl::StatusOr<std::vector<ContextEntry>> Walk(const WalkFilter& filter) const override {
    auto entries = inner_.Walk(filter);
    if (big_bytes_ > 0 && entries.ok() && filter("zz-big", EntryKind::kFile) == WalkDecision::kInclude) {
      ContextEntry big;
      big.path = "zz-big";
      big.size = big_bytes_;
      big.content_id = "big";
      entries->push_back(big);
    }
    return entries;
  }
  absl::StatusOr<ContextEntry> Find(absl::string_view path) const override { return inner_.Find(path); }
  absl::Status ReadFile(const ContextEntry& file, const ContentVisitor& visit) const override {
    ++reads;
    if (file.path != "zz-big") return inner_.ReadFile(file, visit);
    const std::string piece(1 << 20, 'b');
    for (int64_t sent = 0; sent < big_bytes_; sent += static_cast<int64_t>(piece.size())) {
      const absl::Status visited = visit(piece);
      if (!visited.ok()) return visited;
    }
    return absl::OkStatus();
  }

  mutable std::atomic<int> reads = 0;

 private:
  const MemoryContext& inner_;
  const int64_t big_bytes_;
};

// A context whose files cannot be read.
class BrokenContext final : public ContextSource {
 public:
  explicit BrokenContext(const MemoryContext& inner) : inner_(inner) {}
  absl::StatusOr<std::vector<ContextEntry>> Walk(const WalkFilter& filter) const override {
    return inner_.Walk(filter);
  }
  absl::StatusOr<ContextEntry> Find(absl::string_view path) const override { return inner_.Find(path); }
  absl::Status ReadFile(const ContextEntry&, const ContentVisitor&) const override {
    return absl::DataLossError("an object of the mirror is missing");
  }

 private:
  const MemoryContext& inner_;
};

// Whether a process runs whose last argument is `argument`.
bool Runs(const std::string& argument) {
  for (const process::Identity& identity : process::AllProcesses()) {
    if (identity.argv.size() > 1 && identity.argv.back() == argument) return true;
  }
  return false;
}

enum class Way { kEngine, kChannel };

class BuilderTest : public ::testing::TestWithParam<Way> {
 protected:
  static void SetUpTestSuite() {
    auto engine = PrivateEngine::Start();
    ASSERT_TRUE(engine.ok()) << engine.status();
    engine_ = engine->release();
  }
  static void TearDownTestSuite() {
    delete engine_;
    engine_ = nullptr;
  }

  BuilderTest() {
    BuilderOptions options;
    options.run_network = RunNetwork::kHost;
    if (GetParam() == Way::kChannel) {
      unlink(engine_->other_socket().c_str());
      front_ = std::make_unique<EngineFront>(engine_->other_socket(), engine_->socket());
      options.address = {Address::Kind::kUnixSocket, engine_->other_socket()};
      options.image_export = Export::kDockerEngine;
      options.engine_socket = engine_->socket();
    } else {
      options.address = {Address::Kind::kDockerEngine, engine_->socket()};
    }
    builder_ = *MakeBuilder(options);
  }

  // A request for a Dockerfile on the base image, with an account for the registry.
  BuildRequest Request(const ContextSource& context) {
    static std::atomic<int> number = 0;
    BuildRequest request;
    request.solve_id = absl::StrCat("bld_", getpid(), "-", ++number);
    request.shared_key = "test";
    request.context = &context;
    request.image = absl::StrCat(engine_->registry(), "/team/app:", request.solve_id);
    request.plain_http = true;
    request.accounts.push_back(engine_->account());
    return request;
  }

  absl::StatusOr<BuiltImage> Build(const BuildRequest& request) {
    return builder_->Build(request, progress_, stop_.get_token());
  }

  std::string Dockerfile(const std::string& rest) { return absl::StrCat("FROM ", engine_->base_image(), "\n", rest); }

  static PrivateEngine* engine_;
  std::unique_ptr<EngineFront> front_;
  std::unique_ptr<Builder> builder_;
  RecordedProgress progress_;
  std::stop_source stop_;
};

PrivateEngine* BuilderTest::engine_ = nullptr;

INSTANTIATE_TEST_SUITE_P(Ways, BuilderTest, ::testing::Values(Way::kEngine, Way::kChannel));

TEST_P(BuilderTest, EqualInputsGiveEqualImagesAndOnlyChangedContentsMove) {
  ASSERT_TRUE(builder_->Ping().ok());
  MemoryContext tree;
  tree.AddFile("Dockerfile", Dockerfile("COPY . /src\nRUN cat /src/a /src/dir/b && echo done\n"))
      .AddFile("a", "one\n")
      .AddFile("dir/b", "two\n")
      .AddLink("dir/link", "b");
  const CountingContext first(tree, 0);
  BuildRequest request = Request(first);
  request.shared_key = absl::StrCat("moves ", GetParam() == Way::kEngine);
  const auto image = Build(request);
  ASSERT_TRUE(image.ok()) << image.status() << progress_.text();
  EXPECT_TRUE(absl::StartsWith(image->manifest_digest, "sha256:"));

  const CountingContext second(tree, 0);
  request.context = &second;
  request.solve_id += "-again";
  const auto again = Build(request);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->config_digest, image->config_digest);
  EXPECT_EQ(again->manifest_digest, image->manifest_digest);
  EXPECT_EQ(second.reads, 0) << "unchanged contents were asked for again";

  // Another content of the same size: only its modification time tells the difference.
  tree.AddFile("a", "ONE\n");
  const CountingContext third(tree, 0);
  request.context = &third;
  request.solve_id += "-changed";
  const auto changed = Build(request);
  ASSERT_TRUE(changed.ok()) << changed.status();
  EXPECT_NE(changed->config_digest, image->config_digest);
  EXPECT_EQ(third.reads, 1);
}

TEST_P(BuilderTest, TheEngineKeepsItsCacheButNoNamesOfImages) {
  MemoryContext tree;
  tree.AddFile("Dockerfile", Dockerfile("RUN echo cached-step\n"));
  ASSERT_TRUE(Build(Request(tree)).ok());
  EXPECT_FALSE(absl::StrContains(*engine_->Get("/images/json?all=1"), "team/app"))
      << *engine_->Get("/images/json?all=1");
  ASSERT_TRUE(Build(Request(tree)).ok());
  EXPECT_TRUE(absl::StrContains(progress_.text(), "CACHED [2/2] RUN echo cached-step")) << progress_.text();
}

TEST_P(BuilderTest, AFailingStepIsToldWithItsExitCode) {
  MemoryContext tree;
  tree.AddFile("Dockerfile", Dockerfile("RUN echo before && exit 42\n"));
  const auto image = Build(Request(tree));
  EXPECT_EQ(image.status().code(), absl::StatusCode::kFailedPrecondition) << image.status();
  EXPECT_TRUE(absl::StrContains(progress_.text(), "before\n"));
  EXPECT_TRUE(absl::StrContains(progress_.text(), "ERROR [2/2] RUN echo before && exit 42")) << progress_.text();
  EXPECT_TRUE(absl::StrContains(progress_.text(), "exit code: 42"));
}

TEST_P(BuilderTest, AnAbsentBaseImageIsToldByName) {
  MemoryContext tree;
  tree.AddFile("Dockerfile", absl::StrCat("FROM ", engine_->registry(), "/nothing/here:1\n"));
  const auto image = Build(Request(tree));
  EXPECT_EQ(image.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(
      absl::StrContains(progress_.text(), absl::StrCat("load metadata for ", engine_->registry(), "/nothing/here:1")))
      << progress_.text();
}

TEST_P(BuilderTest, AWrongPasswordDoesNotPush) {
  MemoryContext tree;
  tree.AddFile("Dockerfile", "FROM scratch\nCOPY Dockerfile /\n");
  BuildRequest request = Request(tree);
  request.accounts[0].password = crypto::SecretString("wrong-password");
  const auto image = Build(request);
  EXPECT_EQ(image.status().code(), absl::StatusCode::kUnauthenticated) << image.status();
  EXPECT_FALSE(absl::StrContains(image.status().message(), "wrong-password"));
}

TEST_P(BuilderTest, AStepThatAsksForASecretGetsItAndTheImageDoesNotHoldIt) {
  MemoryContext tree;
  tree.AddFile("Dockerfile",
               Dockerfile("RUN --mount=type=secret,id=npm,required=true "
                          "test \"$(cat /run/secrets/npm)\" = top-secret-value && echo the secret is there\n"
                          "RUN test ! -e /run/secrets/npm\n"));
  BuildRequest request = Request(tree);
  request.secrets.push_back({"npm", crypto::SecretString("top-secret-value")});
  ASSERT_TRUE(Build(request).ok()) << progress_.text();

  BuildRequest without = Request(tree);
  without.no_cache = true;
  EXPECT_EQ(Build(without).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(progress_.text(), "secret npm not found")) << progress_.text();
}

TEST_P(BuilderTest, ACancelledBuildLeavesNoProcessWithinTwoSeconds) {
  const std::string seconds = absl::StrCat(100000 + getpid());
  MemoryContext tree;
  tree.AddFile("Dockerfile", Dockerfile(absl::StrCat("RUN sleep ", seconds, "\n")));
  absl::StatusOr<BuiltImage> image;
  const BuildRequest request = Request(tree);
  std::thread build([&] { image = Build(request); });
  for (int i = 0; i < 300 && !Runs(seconds); ++i) absl::SleepFor(absl::Milliseconds(50));
  EXPECT_TRUE(Runs(seconds)) << progress_.text();
  const absl::Time cancelled = absl::Now();
  stop_.request_stop();
  while (Runs(seconds) && absl::Now() - cancelled < absl::Seconds(10)) absl::SleepFor(absl::Milliseconds(10));
  EXPECT_LT(absl::Now() - cancelled, absl::Seconds(2));
  build.join();
  EXPECT_LT(absl::Now() - cancelled, absl::Seconds(2));
  EXPECT_EQ(image.status().code(), absl::StatusCode::kCancelled) << image.status();
}

TEST_P(BuilderTest, ALargeFileFlowsThroughAndIgnoredFilesStayOut) {
  MemoryContext tree;
  tree.AddFile("Dockerfile", Dockerfile("COPY . /src\nRUN [ ! -e /src/secret ] && [ -e /src/keep/secret ]\n"))
      .AddFile(".dockerignore", "secret\n**/secret\n!keep/secret\n")
      .AddFile("secret", "x")
      .AddFile("keep/secret", "y");
  const CountingContext context(tree, int64_t{48} << 20);
  BuildRequest request = Request(context);
  request.image = absl::StrCat(engine_->registry(), "/team/large:", request.solve_id);
  const auto image = Build(request);
  EXPECT_TRUE(image.ok()) << image.status() << progress_.text();
}

TEST_P(BuilderTest, AnErrorOfTheContextIsWhatTheBuildEndsWith) {
  MemoryContext tree;
  tree.AddFile("Dockerfile", Dockerfile("COPY a /\n")).AddFile("a", absl::StrCat(getpid(), GetParam() == Way::kEngine));
  const BrokenContext broken(tree);
  BuildRequest request = Request(broken);
  request.dockerfile_source = &tree;
  request.shared_key = absl::StrCat("broken ", GetParam() == Way::kEngine);
  EXPECT_EQ(Build(request).status().code(), absl::StatusCode::kDataLoss);
}

TEST_P(BuilderTest, BuildsOfOneKeyRunSideBySide) {
  std::vector<std::thread> builds;
  std::atomic<int> good = 0;
  for (int i = 0; i < 3; ++i) {
    builds.emplace_back([&, i] {
      MemoryContext tree;
      tree.AddFile("Dockerfile", Dockerfile("COPY n /\nRUN cat /n\n")).AddFile("n", absl::StrCat(i));
      RecordedProgress progress;
      const auto image = builder_->Build(Request(tree), progress, {});
      EXPECT_TRUE(image.ok()) << image.status() << progress.text();
      good += image.ok() ? 1 : 0;
    });
  }
  for (std::thread& build : builds) build.join();
  EXPECT_EQ(good, 3);
}

TEST(MakeBuilderTest, AnAbsentBuildKitIsUnavailable) {
  const auto builder = *MakeBuilder({.address = {Address::Kind::kDockerEngine, "/nonexistent/docker.sock"},
                                     .run_network = RunNetwork::kDefault,
                                     .image_export = Export::kByAddress,
                                     .engine_socket = ""});
  EXPECT_EQ(builder->Ping().code(), absl::StatusCode::kUnavailable);
}

TEST(MakeBuilderTest, AnEngineExportNeedsTheEnginesSocket) {
  BuilderOptions options;
  options.address = {Address::Kind::kTcp, "localhost:1"};
  options.image_export = Export::kDockerEngine;
  EXPECT_EQ(MakeBuilder(options).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace davit::buildkit
