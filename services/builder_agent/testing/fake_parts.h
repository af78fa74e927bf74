// Everything around the pipeline as tests want it: each fake does what the test says and remembers what it was asked.
#pragma once

#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "libs/buildkit/builder.h"
#include "libs/buildkit/testing/memory_context.h"
#include "services/builder_agent/build_source.h"
#include "services/builder_agent/image_annotator.h"
#include "services/builder_agent/scheduler_client.h"

namespace davit::builder_agent {

// Issues the same credentials always, or the error; `git_tokens`, if there are some, one after the other.
class FakeCredentials final : public CredentialClient {
 public:
  absl::StatusOr<registry::v1::IssueBuildCredentialsResponse> Issue(const LeaseKey&) override {
    ++calls;
    if (!error.ok()) return error;
    registry::v1::IssueBuildCredentialsResponse response;
    response.mutable_source()->set_password("git-token-1234");
    if (!git_tokens.empty()) {
      response.mutable_source()->set_password(git_tokens.front());
      if (git_tokens.size() > 1) git_tokens.erase(git_tokens.begin());
    }
    response.mutable_registry()->set_registry("r:5000");
    response.mutable_registry()->set_username("u");
    response.mutable_registry()->set_password("registry-password");
    for (const auto& [name, value] : secrets) {
      registry::v1::SecretValue& secret = *response.add_secrets();
      secret.set_name(name);
      secret.set_value(value);
    }
    return response;
  }
  std::map<std::string, std::string> secrets;
  absl::Status error;
  std::vector<std::string> git_tokens;
  int calls = 0;
};

// A source with nothing but a Dockerfile.
class FakeSource final : public BuildSource {
 public:
  explicit FakeSource(std::string dockerfile) : dockerfile_(std::move(dockerfile)) {}
  const buildkit::ContextSource& context() const override { return tree_; }
  const buildkit::ContextSource& root() const override { return tree_; }
  absl::StatusOr<std::string> ReadDockerfile(absl::string_view) const override { return dockerfile_; }
  std::string shared_key() const override { return "key"; }
  std::map<std::string, std::string> annotations() const override {
    return {{"org.opencontainers.image.source", "https://g/x"}};
  }

 private:
  const std::string dockerfile_;
  const buildkit::MemoryContext tree_;
};

// Fetches a FakeSource, or fails; with another token than `accepted`, unless that is empty, as a git server does.
class FakeFetcher final : public SourceFetcher {
 public:
  absl::StatusOr<std::unique_ptr<BuildSource>> Fetch(const SourceRequest& request) override {
    ++calls;
    if (!error.ok()) return error;
    if (!accepted.empty() && request.credentials.source().password() != accepted) {
      return absl::UnauthenticatedError("credential rejected by git.example.com (401)");
    }
    return std::make_unique<FakeSource>(dockerfile);
  }
  absl::Status error;
  std::string accepted;
  int calls = 0;
  std::string dockerfile = "FROM scratch\nARG DAVIT_COMMIT\n";
};

// Builds at once, fails, or waits until it is stopped.
class FakeBuilder final : public buildkit::Builder {
 public:
  absl::StatusOr<buildkit::BuiltImage> Build(const buildkit::BuildRequest& request, buildkit::ProgressSink& progress,
                                             std::stop_token cancelled) override {
    seen = request;
    if (!began.HasBeenNotified()) began.Notify();
    if (waits) {
      absl::Notification stopped;
      const std::stop_callback on_stop(cancelled, [&stopped] { stopped.Notify(); });
      stopped.WaitForNotification();
      return absl::CancelledError("stopped");
    }
    if (!step_error.empty()) {
      buildkit::StepUpdate step{.digest = "d", .name = "[2/2] RUN exit 42", .error = step_error};
      step.started = step.completed = absl::FromUnixSeconds(1);
      progress.OnStep(step);
    }
    progress.OnMessage("output git-token-1234");
    if (!error.ok()) return error;
    return buildkit::BuiltImage{"sha256:pushed", "sha256:config"};
  }
  absl::Status Ping() override { return absl::OkStatus(); }
  buildkit::BuildRequest seen;
  absl::Notification began;
  bool waits = false;
  absl::Status error;
  std::string step_error;
};

// Remembers what it was to annotate; the digest is always sha256:aa.
class FakeAnnotator final : public ImageAnnotator {
 public:
  absl::StatusOr<std::string> Annotate(const std::string& to_image, const std::string& of_digest,
                                       const registry::v1::RegistryAccess& access,
                                       const std::map<std::string, std::string>& with) override {
    image = to_image;
    digest = of_digest;
    username = access.username();
    annotations = with;
    return std::string("sha256:aa");
  }
  std::string image;
  std::string digest;
  std::string username;
  std::map<std::string, std::string> annotations;
};

}  // namespace davit::builder_agent
