// Builds an image from a context and pushes it: the one interface over every way of running BuildKit. See the class for
// threading.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/buildkit/address.h"
#include "libs/buildkit/context_source.h"
#include "libs/buildkit/progress.h"
#include "libs/crypto/secret.h"

namespace davit::buildkit {

// A registry host with the account to use there. Served to BuildKit from memory when it asks; never written to a disk.
struct RegistryAccount {
  // Host with an optional port, as in the image's reference.
  std::string host;
  std::string username;
  crypto::SecretString password;
};

// A secret that RUN steps may mount. Served to BuildKit from memory when a step asks; in no layer and no cache.
struct NamedSecret {
  // What the Dockerfile calls it.
  std::string id;
  crypto::SecretString value;
};

// One build.
struct BuildRequest {
  // Unique among all builds and their attempts.
  std::string solve_id;
  // Context kept by BuildKit between builds is found again under this key: one for each repository and context
  // directory.
  std::string shared_key;
  // The tree; must live until Build returns.
  const ContextSource* context = nullptr;
  // The Dockerfile's path within the context or, when `dockerfile_source` is set, within that.
  std::string dockerfile_path = "Dockerfile";
  // Where the Dockerfile is when it is not in the context; must live until Build returns.
  const ContextSource* dockerfile_source = nullptr;
  // The stage to build; empty for the last.
  std::string target;
  // For example "linux/amd64"; empty for the builder's own.
  std::string platform;
  // Values of the Dockerfile's ARGs.
  std::map<std::string, std::string> build_args;
  // Labels to set in the image's config.
  std::map<std::string, std::string> labels;
  // Ignore the cache.
  bool no_cache = false;
  // The complete reference to push, for example "127.0.0.1:5000/team/app:bld_0123": a tag that nothing else uses.
  std::string image;
  // The registry of `image` is spoken to without TLS.
  bool plain_http = false;
  // Accounts for the registry hosts of this build, and no others.
  std::vector<RegistryAccount> accounts;
  // Secrets for RUN --mount=type=secret, and no others.
  std::vector<NamedSecret> secrets;
  // Called once, on Build's thread, when the image is complete and its push begins; not at all when BuildKit pushes
  // while it exports. May be empty.
  std::function<void()> on_push;
};

// A pushed image.
struct BuiltImage {
  // "sha256:…" of the manifest as the registry has it.
  std::string manifest_digest;
  // "sha256:…" of the image's config, which does not depend on how layers were compressed.
  std::string config_digest;
};

// Builds and pushes. Thread-safe: each build runs on its caller's thread, with a few threads of its own.
class Builder {
 public:
  virtual ~Builder() = default;

  // Runs one build to its end and pushes the image. When `cancelled` is triggered BuildKit's work is stopped and
  // CANCELLED is returned. Errors: FAILED_PRECONDITION = the build's own fault (a step failed, an image is not there),
  // with BuildKit's text; UNAVAILABLE = BuildKit cannot be reached or broke off; UNAUTHENTICATED or PERMISSION_DENIED =
  // the registry refused the push; an error of the context source = that error.
  virtual absl::StatusOr<BuiltImage> Build(const BuildRequest& request, ProgressSink& progress,
                                           std::stop_token cancelled) = 0;

  // Whether BuildKit answers; the error says why not.
  virtual absl::Status Ping() = 0;
};

// Which network RUN steps get.
enum class RunNetwork {
  kDefault,  // BuildKit's own: a bridge of its own.
  kHost,     // The host's; for machines without a bridge, trusted use only.
  kNone,     // None but loopback.
};

// How images leave BuildKit.
enum class Export {
  kByAddress,     // Through the Docker engine for docker-engine addresses, else directly.
  kDirect,        // BuildKit pushes (exporter "image").
  kDockerEngine,  // Into the engine's store (exporter "moby"), and the engine pushes.
};

// How to reach and use a BuildKit.
struct BuilderOptions {
  Address address;
  RunNetwork run_network = RunNetwork::kDefault;
  Export image_export = Export::kByAddress;
  // The Docker engine's API socket when images leave through it and `address` is not it.
  std::string engine_socket;
};

// The builder for `options`; INVALID_ARGUMENT when they do not go together. Connects when it is used.
absl::StatusOr<std::unique_ptr<Builder>> MakeBuilder(const BuilderOptions& options);

}  // namespace davit::buildkit
