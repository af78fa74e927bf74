// The whole builder-agent, wired.
#include "services/builder_agent/builder_agent_app.h"

#include <sys/utsname.h>

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/buildkit/builder.h"
#include "libs/git/mirror_store.h"
#include "libs/http/client.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"
#include "services/builder_agent/agent.h"
#include "services/builder_agent/build_pipeline.h"
#include "services/builder_agent/git_source.h"
#include "services/builder_agent/grpc_clients.h"
#include "services/builder_agent/image_annotator.h"
#include "services/builder_agent/pipeline_job.h"
#include "services/builder_agent/upload_source.h"
#include "services/builder_agent/work_directory.h"

namespace davit::builder_agent {
namespace {

constexpr char kVersion[] = "0.1";
constexpr int kMostSlots = 256;
constexpr size_t kLongestName = 63;

absl::Status CheckName(absl::string_view name) {
  bool good = !name.empty() && name.size() <= kLongestName && absl::ascii_isalnum(name[0]);
  for (const char c : name) {
    good = good && (absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-' || c == '.');
  }
  if (good) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "agent name \"", name, "\": write 1 to 63 of a-z, 0-9, '.' and '-', beginning with a letter or digit"));
}

absl::StatusOr<buildkit::RunNetwork> ParseRunNetwork(absl::string_view text) {
  if (text == "default") return buildkit::RunNetwork::kDefault;
  if (text == "host") return buildkit::RunNetwork::kHost;
  if (text == "none") return buildkit::RunNetwork::kNone;
  return absl::InvalidArgumentError(absl::StrCat("run network \"", text, "\": write default, host or none"));
}

absl::StatusOr<buildkit::Export> ParseExport(absl::string_view text) {
  if (text == "auto") return buildkit::Export::kByAddress;
  if (text == "direct") return buildkit::Export::kDirect;
  if (text == "docker-engine") return buildkit::Export::kDockerEngine;
  return absl::InvalidArgumentError(absl::StrCat("image export \"", text, "\": write auto, direct or docker-engine"));
}

// This machine as OCI names platforms.
std::string Platform() {
  utsname name{};
  uname(&name);
  const std::string machine = name.machine;
  return absl::StrCat("linux/", machine == "x86_64" ? "amd64" : machine == "aarch64" ? "arm64" : machine);
}

absl::StatusOr<std::unique_ptr<buildkit::Builder>> CreateBuilder(const BuilderAgentOptions& options) {
  buildkit::BuilderOptions builder;
  DAVIT_ASSIGN_OR_RETURN(builder.address, buildkit::Address::Parse(options.buildkit));
  DAVIT_ASSIGN_OR_RETURN(builder.run_network, ParseRunNetwork(options.run_network));
  DAVIT_ASSIGN_OR_RETURN(builder.image_export, ParseExport(options.image_export));
  builder.engine_socket = options.engine_socket;
  return buildkit::MakeBuilder(builder);
}

}  // namespace

// In the order of construction: each uses those before it.
struct BuilderAgentApp::Parts {
  std::unique_ptr<WorkDirectory> work;
  std::unique_ptr<http::Client> http;
  std::unique_ptr<SchedulerClient> scheduler;
  std::unique_ptr<CredentialClient> credentials;
  std::unique_ptr<git::MirrorStore> mirrors;
  std::unique_ptr<GitSourceFetcher> commits;
  std::unique_ptr<UploadSourceFetcher> uploads;
  std::unique_ptr<buildkit::Builder> builder;
  std::unique_ptr<RegistryAnnotator> annotator;
  std::unique_ptr<BuildPipeline> pipeline;
  std::unique_ptr<PipelineJobLauncher> launcher;
  std::unique_ptr<Agent> agent;
};

void BuilderAgentApp::CheckOptions(const BuilderAgentOptions& options, settings::ConfigReport& report) {
  report.Note("--agent_name", CheckName(options.agent_name));
  report.Note("--slots", settings::CheckRange(options.slots, 1, kMostSlots));
  report.Note("--buildkit", buildkit::Address::Parse(options.buildkit).status());
  report.Note("--run_network", ParseRunNetwork(options.run_network).status());
  report.Note("--image_export", ParseExport(options.image_export).status());
  report.Note("--allow_hosts", http::AddressPolicy::Create({options.allowed_hosts}).status());
  report.Note("--ca_file", settings::CheckReadableFile(options.ca_file));
  report.Note("--mirror_budget_mib", settings::CheckRange(options.mirror_budget_bytes >> 20, 1, int64_t{1} << 30));
  if (!absl::StartsWith(options.work_directory, "/")) {
    report.Note("--work_dir", absl::InvalidArgumentError("is not a path that begins with /"));
  }
}

absl::StatusOr<std::unique_ptr<BuilderAgentApp>> BuilderAgentApp::Create(
    const BuilderAgentOptions& options, Clock& clock, RandomSource& random, const Logger& logger,
    metrics::Registry& metrics, std::shared_ptr<grpc::Channel> scheduler,
    std::shared_ptr<grpc::Channel> token_registry) {
  settings::ConfigReport report;
  CheckOptions(options, report);
  DAVIT_RETURN_IF_ERROR(report.status());
  auto parts = std::make_unique<Parts>();
  DAVIT_ASSIGN_OR_RETURN(parts->builder, CreateBuilder(options));
  DAVIT_ASSIGN_OR_RETURN(http::AddressPolicy policy, http::AddressPolicy::Create({options.allowed_hosts}));
  http::ClientOptions client;
  client.policy = policy;
  client.user_agent = "davit-builder-agent";
  client.ca_file = options.ca_file;
  parts->http = std::make_unique<http::Client>(std::move(client));
  DAVIT_ASSIGN_OR_RETURN(parts->work, WorkDirectory::Open(options.work_directory));
  parts->scheduler = MakeSchedulerClient(std::move(scheduler));
  parts->credentials = MakeCredentialClient(std::move(token_registry));

  DAVIT_ASSIGN_OR_RETURN(parts->mirrors,
                         git::MirrorStore::Open({parts->work->mirrors(), options.mirror_budget_bytes}, *parts->http));
  GitSourceOptions commits;
  commits.policy = std::move(policy);
  commits.limits.max_total_bytes = options.max_context_bytes;
  commits.limits.max_entries = options.max_context_entries;
  parts->commits = std::make_unique<GitSourceFetcher>(*parts->mirrors, std::move(commits));
  parts->uploads = std::make_unique<UploadSourceFetcher>(
      *parts->scheduler,
      UploadSourceOptions{options.max_upload_bytes, {options.max_context_bytes, options.max_context_entries}});
  parts->annotator = std::make_unique<RegistryAnnotator>(*parts->http);
  parts->pipeline = std::make_unique<BuildPipeline>(
      PipelineParts{*parts->credentials, *parts->commits, *parts->uploads, *parts->builder, *parts->annotator, clock},
      PipelineOptions{options.agent_name, options.plain_http_registries});
  parts->launcher =
      std::make_unique<PipelineJobLauncher>(*parts->pipeline, *parts->scheduler, clock, logger,
                                            PipelineJobOptions{parts->work->jobs(), options.max_log_bytes});
  AgentOptions agent{options.agent_name, options.labels, options.slots, kVersion};
  agent.labels.emplace("platform", Platform());
  parts->agent =
      std::make_unique<Agent>(std::move(agent), *parts->scheduler, *parts->launcher, clock, random, logger, metrics);
  return std::unique_ptr<BuilderAgentApp>(new BuilderAgentApp(std::move(parts)));
}

BuilderAgentApp::BuilderAgentApp(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

BuilderAgentApp::~BuilderAgentApp() = default;

absl::Status BuilderAgentApp::CheckBuildKit() { return parts_->builder->Ping(); }

absl::Status BuilderAgentApp::Start() {
  parts_->agent->Start();
  return absl::OkStatus();
}

void BuilderAgentApp::Drain(absl::Time deadline) { parts_->agent->Drain(deadline); }

bool BuilderAgentApp::superseded() const { return parts_->agent->superseded(); }

}  // namespace davit::builder_agent
