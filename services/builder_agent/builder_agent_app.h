// The whole builder-agent, wired: what main.cc runs and what davit-standalone and tests embed.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/clock/clock.h"
#include "libs/ids/random.h"
#include "libs/logging/logger.h"
#include "libs/metrics/metrics.h"
#include "libs/settings/config_report.h"

namespace grpc {
class Channel;
class Service;
}  // namespace grpc

namespace davit::builder_agent {

// How a builder-agent is made. No flags are read here.
struct BuilderAgentOptions {
  // Unique in the installation, `[a-z0-9][a-z0-9.-]{0,62}`, kept over restarts.
  std::string agent_name;
  // Shown and matched; `platform` is added when it is not given.
  std::map<std::string, std::string> labels;
  // Builds at a time, 1 to 256.
  int slots = 1;
  // For mirrors, spools and unpacked uploads; one agent only. Created when absent.
  std::string work_directory;

  // Where BuildKit is: docker-engine:///path/to/docker.sock, unix:///path/to/buildkitd.sock or tcp://host:port.
  std::string buildkit;
  // Which network RUN steps get: "default", "host" or "none".
  std::string run_network = "default";
  // How images leave BuildKit: "auto" (by the address), "direct" or "docker-engine".
  std::string image_export = "auto";
  // The engine's API socket for "docker-engine" when `buildkit` is not it.
  std::string engine_socket;

  // Hosts, host:port or CIDR blocks that may be private and may be reached over plain http: git servers and registries.
  std::vector<std::string> allowed_hosts;
  // Registries (host and optional port) that BuildKit pushes to without TLS. A Docker engine has its own list of these.
  std::vector<std::string> plain_http_registries;
  // PEM bundle to trust instead of the system's; empty: the system's.
  std::string ca_file;

  // Bytes that mirrors of repositories may take together.
  int64_t mirror_budget_bytes = int64_t{20} << 30;
  // Bytes of log that one build may write.
  int64_t max_log_bytes = int64_t{64} << 20;
  // Bytes of an upload, of what a context may expand to, and entries of a context.
  int64_t max_upload_bytes = int64_t{1} << 30;
  int64_t max_context_bytes = int64_t{4} << 30;
  int64_t max_context_entries = 500'000;
};

// Owns everything below the calls to the other services. Thread-safe.
class BuilderAgentApp {
 public:
  // Checks the options, locks the work directory and removes what a killed agent has left there. The references must
  // outlive the app; the channels carry a token of the role agent. INVALID_ARGUMENT names the option;
  // FAILED_PRECONDITION: another agent uses the work directory.
  static absl::StatusOr<std::unique_ptr<BuilderAgentApp>> Create(const BuilderAgentOptions& options, Clock& clock,
                                                                 RandomSource& random, const Logger& logger,
                                                                 metrics::Registry& metrics,
                                                                 std::shared_ptr<grpc::Channel> scheduler,
                                                                 std::shared_ptr<grpc::Channel> token_registry);

  // Notes everything that is wrong with the options and can be known without touching the work directory or BuildKit.
  static void CheckOptions(const BuilderAgentOptions& options, settings::ConfigReport& report);

  ~BuilderAgentApp();
  BuilderAgentApp(const BuilderAgentApp&) = delete;
  BuilderAgentApp& operator=(const BuilderAgentApp&) = delete;

  // An agent serves nothing but, in main.cc, health: empty.
  std::vector<grpc::Service*> services() { return {}; }

  // Whether BuildKit answers now; the error says why not. Builds that are leased meanwhile fail as INFRASTRUCTURE.
  absl::Status CheckBuildKit();

  // Begins to pull builds. Call it once.
  absl::Status Start();

  // Takes no more builds and waits for those that run; what is unfinished shortly before `deadline` goes back to the
  // queue.
  void Drain(absl::Time deadline);

  // Whether a newer agent of the same name has taken over: then this one does nothing any more.
  bool superseded() const;

 private:
  struct Parts;
  explicit BuilderAgentApp(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace davit::builder_agent
