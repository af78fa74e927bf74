// One build from its lease to its result.
#include "services/builder_agent/build_pipeline.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "libs/dockerfile/parse.h"
#include "libs/oci/reference.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"
#include "services/builder_agent/failure.h"

namespace davit::builder_agent {
namespace {

namespace proto = scheduler::v1;

// How often an unreachable token-registry is asked before the build fails.
constexpr int kCredentialTries = 5;

// Shorter lines of a build secret would mask ordinary text.
constexpr size_t kShortestSecretLine = 8;

// What the log calls the build's source.
std::string SourceLine(const proto::Lease& lease) {
  if (lease.spec().has_upload())
    return absl::StrCat("Upload: ", lease.upload().file_name(), " ", lease.upload().digest());
  const proto::GitSource& git = lease.spec().git();
  return absl::StrCat("Commit: ", git.commit(), git.ref().empty() ? "" : absl::StrCat(" of ", git.ref()), " in ",
                      git.repository());
}

std::string DockerfilePath(const proto::Lease& lease) {
  const std::string& path = lease.spec().recipe().dockerfile_path();
  return path.empty() ? "Dockerfile" : path;
}

std::string ImageName(const proto::Lease& lease) {
  return absl::StrCat(lease.spec().destination().repository(), ":", lease.build_id());
}

void WriteHeader(const proto::Lease& lease, const std::string& agent_name, BuildLog& log) {
  log.Note(absl::StrCat("Build ", lease.build_id(), ", attempt ", lease.attempt(), ", on agent ", agent_name));
  if (!lease.requested_by().empty()) log.Note(absl::StrCat("Requested by: ", lease.requested_by()));
  log.Note(SourceLine(lease));
  log.Note(absl::StrCat("Dockerfile: ", DockerfilePath(lease),
                        lease.spec().recipe().context_dir().empty()
                            ? ""
                            : absl::StrCat(", context: ", lease.spec().recipe().context_dir())));
  log.Note(absl::StrCat("Image: ", ImageName(lease)));
}

// The recipe's arguments and those of Davit's own that the Dockerfile declares.
std::map<std::string, std::string> BuildArguments(const proto::Lease& lease, const dockerfile::Dockerfile& dockerfile) {
  std::map<std::string, std::string> arguments(lease.spec().recipe().build_args().begin(),
                                               lease.spec().recipe().build_args().end());
  const std::pair<const char*, std::string> own[] = {
      {"DAVIT_BUILD", lease.build_id()},
      {"DAVIT_COMMIT", lease.spec().git().commit()},
      {"DAVIT_REF", lease.spec().git().ref()},
  };
  for (const auto& [name, value] : own) {
    if (!value.empty() && dockerfile.DeclaresArgument(name)) arguments[name] = value;
  }
  return arguments;
}

// What must not show in the log. Of a build secret of several lines also each line: a step may print one of them, and
// what prints the value may leave out the line's end.
std::vector<crypto::SecretString> Secrets(const registry::v1::IssueBuildCredentialsResponse& credentials) {
  std::vector<crypto::SecretString> secrets;
  secrets.emplace_back(credentials.source().password());
  secrets.emplace_back(credentials.registry().password());
  for (const registry::v1::SecretValue& secret : credentials.secrets()) {
    secrets.emplace_back(secret.value());
    secrets.emplace_back(std::string(absl::StripAsciiWhitespace(secret.value())));
    for (const absl::string_view line : absl::StrSplit(secret.value(), '\n')) {
      const absl::string_view text = absl::StripAsciiWhitespace(line);
      if (text.size() >= kShortestSecretLine) secrets.emplace_back(std::string(text));
    }
  }
  return secrets;
}

// The recipe's secrets with the values that were issued. FAILED_PRECONDITION names one that was not.
absl::StatusOr<std::vector<buildkit::NamedSecret>> BuildSecrets(
    const common::v1::Recipe& recipe, const registry::v1::IssueBuildCredentialsResponse& credentials) {
  std::vector<buildkit::NamedSecret> secrets;
  for (const common::v1::RecipeSecret& wanted : recipe.secrets()) {
    const auto issued =
        std::find_if(credentials.secrets().begin(), credentials.secrets().end(),
                     [&wanted](const registry::v1::SecretValue& value) { return value.name() == wanted.secret(); });
    if (issued == credentials.secrets().end()) {
      return absl::FailedPreconditionError(absl::StrCat("no secret \"", wanted.secret(), "\" was issued"));
    }
    secrets.push_back({wanted.id(), crypto::SecretString(issued->value())});
  }
  return secrets;
}

}  // namespace

BuildPipeline::BuildPipeline(PipelineParts parts, PipelineOptions options)
    : parts_(parts), options_(std::move(options)) {}

proto::BuildResult BuildPipeline::Run(const PipelineRun& run) {
  const absl::Duration start = parts_.clock.Monotonic();
  WriteHeader(run.lease, options_.agent_name, run.log);
  bool building = false;
  const absl::StatusOr<std::string> digest = Build(run, building);
  run.log.Finish();
  proto::BuildResult result;
  if (run.stop.stop_requested()) {
    result.set_outcome(proto::BuildAttempt::OUTCOME_CANCELLED);
  } else if (digest.ok()) {
    result.set_outcome(proto::BuildAttempt::OUTCOME_SUCCEEDED);
    result.set_image_digest(*digest);
    const absl::Duration took = parts_.clock.Monotonic() - start;
    run.log.Note(absl::StrFormat("Built %s@%s in %.1fs", run.lease.spec().destination().repository(), *digest,
                                 absl::ToDoubleSeconds(took)));
  } else {
    result.set_outcome(proto::BuildAttempt::OUTCOME_FAILED);
    proto::Failure failure =
        building ? BuildFailure(digest.status(), run.log.failed_step()) : FailureOf(digest.status());
    failure.set_message(run.log.Mask(failure.message()));
    run.log.Note(absl::StrCat("ERROR: ", failure.message()));
    *result.mutable_failure() = std::move(failure);
  }
  return result;
}

absl::StatusOr<registry::v1::IssueBuildCredentialsResponse> BuildPipeline::Credentials(const PipelineRun& run) {
  const LeaseKey key{run.lease.build_id(), run.lease.fence()};
  absl::StatusOr<registry::v1::IssueBuildCredentialsResponse> issued;
  for (int attempt = 0; attempt < kCredentialTries && !run.stop.stop_requested(); ++attempt) {
    if (attempt > 0) parts_.clock.SleepFor(absl::Milliseconds(500) * attempt);
    issued = parts_.credentials.Issue(key);
    if (issued.ok() || !(absl::IsUnavailable(issued.status()) || absl::IsDeadlineExceeded(issued.status()))) break;
  }
  if (issued.ok()) return issued;
  // Whatever the reason, it is no fault of the user's: what the user named was checked before the build was leased.
  return absl::UnavailableError(absl::StrCat("Failed to get the build's credentials: ", issued.status().message()));
}

absl::StatusOr<std::unique_ptr<BuildSource>> BuildPipeline::Fetch(
    const PipelineRun& run, registry::v1::IssueBuildCredentialsResponse& credentials) {
  DAVIT_ASSIGN_OR_RETURN(credentials, Credentials(run));
  run.log.SetSecrets(Secrets(credentials));
  SourceFetcher& fetcher = run.lease.spec().has_upload() ? parts_.uploads : parts_.commits;
  const auto fetch = [&] {
    return fetcher.Fetch({.lease = run.lease,
                          .credentials = credentials,
                          .work_prefix = run.work_prefix,
                          .note = [&run](absl::string_view text) { run.log.Note(text); },
                          .stop = run.stop});
  };
  absl::StatusOr<std::unique_ptr<BuildSource>> source = fetch();
  if (!absl::IsUnauthenticated(source.status())) return source;
  // The token may have been replaced since it was issued: an OAuth token that is refreshed ends at once.
  DAVIT_ASSIGN_OR_RETURN(registry::v1::IssueBuildCredentialsResponse newer, Credentials(run));
  if (newer.source().password() == credentials.source().password()) return source;
  std::vector<crypto::SecretString> secrets = Secrets(credentials);
  for (crypto::SecretString& secret : Secrets(newer)) secrets.push_back(std::move(secret));
  run.log.SetSecrets(secrets);
  credentials = std::move(newer);
  return fetch();
}

absl::StatusOr<std::string> BuildPipeline::Build(const PipelineRun& run, bool& building) {
  const proto::BuildSpec& spec = run.lease.spec();
  run.on_phase(proto::BUILD_PHASE_FETCHING);
  registry::v1::IssueBuildCredentialsResponse credentials;
  DAVIT_ASSIGN_OR_RETURN(const std::unique_ptr<BuildSource> source, Fetch(run, credentials));
  DAVIT_ASSIGN_OR_RETURN(const std::string text, source->ReadDockerfile(DockerfilePath(run.lease)));
  DAVIT_ASSIGN_OR_RETURN(const dockerfile::Dockerfile dockerfile, dockerfile::Parse(text));

  buildkit::BuildRequest request;
  request.solve_id = absl::StrCat(run.lease.build_id(), "-", run.lease.fence());
  request.shared_key = source->shared_key();
  request.context = &source->context();
  request.dockerfile_source = &source->root();
  request.dockerfile_path = DockerfilePath(run.lease);
  request.target = spec.recipe().target();
  request.platform = spec.recipe().platform();
  request.build_args = BuildArguments(run.lease, dockerfile);
  request.labels.insert(spec.recipe().labels().begin(), spec.recipe().labels().end());
  request.image = ImageName(run.lease);
  DAVIT_ASSIGN_OR_RETURN(const oci::Reference reference, oci::Reference::Parse(request.image));
  request.plain_http =
      std::count(options_.plain_http_registries.begin(), options_.plain_http_registries.end(), reference.registry) > 0;
  if (!credentials.registry().username().empty()) {
    request.accounts.push_back({credentials.registry().registry(), credentials.registry().username(),
                                crypto::SecretString(credentials.registry().password())});
  }
  DAVIT_ASSIGN_OR_RETURN(request.secrets, BuildSecrets(spec.recipe(), credentials));
  request.on_push = [&run] { run.on_phase(proto::BUILD_PHASE_PUSHING); };
  run.on_phase(proto::BUILD_PHASE_BUILDING);
  building = true;
  DAVIT_ASSIGN_OR_RETURN(const buildkit::BuiltImage image, parts_.builder.Build(request, run.log, run.stop));
  building = false;
  run.on_phase(proto::BUILD_PHASE_PUSHING);
  run.log.Note(absl::StrCat("Pushed ", request.image, ", config ", image.config_digest));
  absl::StatusOr<std::string> digest =
      parts_.annotator.Annotate(request.image, image.manifest_digest, credentials.registry(), source->annotations());
  if (!digest.ok()) return Annotate(digest.status(), "Failed to annotate the image");
  return digest;
}

}  // namespace davit::builder_agent
