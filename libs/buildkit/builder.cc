// Builds and pushes by either way that images can leave BuildKit: pushed by BuildKit itself, or through a Docker
// engine's store.
#include "libs/buildkit/builder.h"

#include <atomic>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/buildkit/connection.h"
#include "libs/buildkit/engine.h"
#include "libs/buildkit/session.h"
#include "libs/buildkit/solve.h"
#include "libs/oci/reference.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"

namespace davit::buildkit {
namespace {

constexpr absl::Duration kConnectTimeout = absl::Seconds(10);

// What both ways of exporting have in common: one solve with its session.
class Solver {
 public:
  Solver(Address address, RunNetwork run_network) : address_(std::move(address)), run_network_(run_network) {}

  absl::Status Ping() const { return Connect(address_, kConnectTimeout).status(); }

  // Solves with the exporter's name and attributes; an error of the context source comes before BuildKit's words about
  // it.
  absl::StatusOr<std::map<std::string, std::string>> Run(const BuildRequest& request, std::string exporter,
                                                         std::map<std::string, std::string> attributes,
                                                         ProgressSink& progress, std::stop_token cancelled) const {
    DAVIT_ASSIGN_OR_RETURN(const std::shared_ptr<grpc::Channel> channel, Connect(address_, kConnectTimeout));
    const std::unique_ptr<Session> session =
        Session::Open(channel, absl::StrCat("session-", request.solve_id), request);
    SolveSpec spec;
    spec.id = request.solve_id;
    spec.session_id = session->id();
    spec.frontend_attributes = FrontendAttributes(request);
    if (run_network_ == RunNetwork::kHost) spec.entitlements.emplace_back("network.host");
    spec.exporter = std::move(exporter);
    spec.exporter_attributes = std::move(attributes);
    absl::StatusOr<std::map<std::string, std::string>> response = Solve(channel, spec, progress, std::move(cancelled));
    if (!response.ok() && !absl::IsCancelled(response.status()) && !session->source_error().ok()) {
      return session->source_error();
    }
    return response;
  }

 private:
  std::map<std::string, std::string> FrontendAttributes(const BuildRequest& request) const {
    std::map<std::string, std::string> attributes = {{"filename", request.dockerfile_path}};
    if (!request.target.empty()) attributes["target"] = request.target;
    if (!request.platform.empty()) attributes["platform"] = request.platform;
    if (request.no_cache) attributes["no-cache"] = "";
    if (run_network_ == RunNetwork::kHost) attributes["force-network-mode"] = "host";
    if (run_network_ == RunNetwork::kNone) attributes["force-network-mode"] = "none";
    for (const auto& [name, value] : request.build_args) attributes[absl::StrCat("build-arg:", name)] = value;
    for (const auto& [name, value] : request.labels) attributes[absl::StrCat("label:", name)] = value;
    return attributes;
  }

  const Address address_;
  const RunNetwork run_network_;
};

std::string ValueOr(const std::map<std::string, std::string>& map, const std::string& key) {
  const auto it = map.find(key);
  return it == map.end() ? "" : it->second;
}

// BuildKit pushes: exporter "image".
class DirectBuilder final : public Builder {
 public:
  explicit DirectBuilder(Solver solver) : solver_(std::move(solver)) {}

  absl::StatusOr<BuiltImage> Build(const BuildRequest& request, ProgressSink& progress,
                                   std::stop_token cancelled) override {
    std::map<std::string, std::string> attributes = {{"name", request.image}, {"push", "true"}};
    if (request.plain_http) attributes["registry.insecure"] = "true";
    DAVIT_ASSIGN_OR_RETURN(const auto response,
                           solver_.Run(request, "image", std::move(attributes), progress, std::move(cancelled)));
    BuiltImage image{ValueOr(response, "containerimage.digest"), ValueOr(response, "containerimage.config.digest")};
    if (image.manifest_digest.empty()) return absl::InternalError("BuildKit did not tell the image's digest");
    return image;
  }

  absl::Status Ping() override { return solver_.Ping(); }

 private:
  const Solver solver_;
};

// The engine pushes: exporter "moby" into the engine's store, then the engine's API.
class EngineBuilder final : public Builder {
 public:
  EngineBuilder(Solver solver, std::string engine_socket)
      : solver_(std::move(solver)), engine_(std::move(engine_socket)) {}

  absl::StatusOr<BuiltImage> Build(const BuildRequest& request, ProgressSink& progress,
                                   std::stop_token cancelled) override {
    DAVIT_ASSIGN_OR_RETURN(const oci::Reference reference, oci::Reference::Parse(request.image));
    DAVIT_ASSIGN_OR_RETURN(const auto response,
                           solver_.Run(request, "moby", {{"name", request.image}}, progress, cancelled));
    absl::StatusOr<std::string> digest = Push(request, reference.registry, progress, cancelled);
    // The name has done its work; a name left behind costs disk but breaks nothing.
    if (const absl::Status removed = engine_.Remove(request.image); !removed.ok()) {
      progress.OnMessage(absl::StrCat("warning: ", removed.message()));
    }
    if (!digest.ok()) return digest.status();
    std::string config = ValueOr(response, "containerimage.config.digest");
    // Engines with the classic store tell the config's digest as the image's.
    if (config.empty()) config = ValueOr(response, "containerimage.digest");
    return BuiltImage{*std::move(digest), std::move(config)};
  }

  absl::Status Ping() override {
    DAVIT_RETURN_IF_ERROR(engine_.Ping());
    return solver_.Ping();
  }

 private:
  absl::StatusOr<std::string> Push(const BuildRequest& request, const std::string& registry, ProgressSink& progress,
                                   const std::stop_token& cancelled) {
    const RegistryAccount* account = nullptr;
    for (const RegistryAccount& candidate : request.accounts) {
      if (candidate.host == registry) account = &candidate;
    }
    if (request.on_push) request.on_push();
    progress.OnMessage(absl::StrCat("Pushing ", request.image));
    std::atomic<bool> stop = false;
    const std::stop_callback on_cancel(cancelled, [&] { stop = true; });
    return engine_.Push(request.image, account, stop);
  }

  const Solver solver_;
  Engine engine_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Builder>> MakeBuilder(const BuilderOptions& options) {
  const bool engine_address = options.address.kind == Address::Kind::kDockerEngine;
  const bool through_engine =
      options.image_export == Export::kDockerEngine || (options.image_export == Export::kByAddress && engine_address);
  std::string engine_socket = options.engine_socket;
  if (engine_socket.empty() && engine_address) engine_socket = options.address.location;
  Solver solver(options.address, options.run_network);
  if (!through_engine) return std::make_unique<DirectBuilder>(std::move(solver));
  if (engine_socket.empty()) {
    return absl::InvalidArgumentError(
        "images that leave through a Docker engine need its API socket: name it, or use a docker-engine:// address");
  }
  return std::make_unique<EngineBuilder>(std::move(solver), std::move(engine_socket));
}

}  // namespace davit::buildkit
