// The commands about builds: build, builds, logs, cancel, retry, queue. Each runs on the main thread.
#include <filesystem>
#include <ostream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "davit/scheduler/v1/scheduler.grpc.pb.h"
#include "libs/ids/ids.h"
#include "libs/status/status_macros.h"
#include "services/cli/build_waiter.h"
#include "services/cli/command.h"
#include "services/cli/log_follower.h"
#include "services/cli/output.h"
#include "services/cli/policy_options.h"
#include "services/cli/recipe_options.h"
#include "services/cli/session.h"
#include "services/cli/upload.h"

namespace davit::cli {
namespace {

namespace v1 = ::davit::scheduler::v1;
using Scheduler = v1::Scheduler::Stub;

std::unique_ptr<Scheduler> NewScheduler(Session& session) {
  return v1::Scheduler::NewStub(session.channel(Api::kScheduler));
}

v1::UploadFormat FormatOf(UploadKind kind) {
  switch (kind) {
    case UploadKind::kDockerfile:
      return v1::UPLOAD_FORMAT_DOCKERFILE;
    case UploadKind::kZip:
      return v1::UPLOAD_FORMAT_ZIP;
    case UploadKind::kTar:
    case UploadKind::kDirectory:
      return v1::UPLOAD_FORMAT_TAR;
  }
  return v1::UPLOAD_FORMAT_UNSPECIFIED;
}

absl::StatusOr<v1::Upload> Upload(Session& session, const std::string& path, UploadKind kind) {
  grpc::ClientContext context;
  v1::UploadContextResponse response;
  const auto stub = NewScheduler(session);
  const auto writer = stub->UploadContext(&context, &response);
  v1::UploadContextRequest request;
  request.mutable_header()->set_project(session.project());
  request.mutable_header()->set_format(FormatOf(kind));
  request.mutable_header()->set_file_name(std::filesystem::path(path).filename().string());
  absl::Status sent = writer->Write(request) ? absl::OkStatus() : absl::CancelledError("the server ended the upload");
  const PieceSink sink = [&](absl::string_view piece) {
    request.set_data(piece.data(), piece.size());
    return writer->Write(request) ? absl::OkStatus() : absl::CancelledError("the server ended the upload");
  };
  if (sent.ok()) sent = kind == UploadKind::kDirectory ? SendDirectory(path, sink) : SendFile(path, sink);
  if (sent.ok()) {
    writer->WritesDone();
  } else if (!absl::IsCancelled(sent)) {
    context.TryCancel();  // What could not be read must not look like a whole upload.
  }
  const absl::Status status = rpc::FromGrpcStatus(writer->Finish());
  if (!sent.ok() && !absl::IsCancelled(sent)) return sent;
  if (!status.ok()) return status;
  if (!sent.ok()) return sent;
  return response.upload();
}

// Which commit `--branch`, `--tag` or `--commit` name.
absl::Status ReadRevision(const Arguments& arguments, v1::GitSource& git) {
  const int given = arguments.Has("branch") + arguments.Has("tag") + arguments.Has("commit");
  if (given > 1 && !(given == 2 && arguments.Has("commit"))) {
    return UsageError("give one of --branch, --tag and --commit (--commit may be joined by the ref that it is on)");
  }
  if (arguments.Has("branch")) git.set_ref(absl::StrCat("refs/heads/", arguments.Get("branch")));
  if (arguments.Has("tag")) git.set_ref(absl::StrCat("refs/tags/", arguments.Get("tag")));
  git.set_commit(absl::AsciiStrToLower(arguments.Get("commit")));
  return absl::OkStatus();
}

// Fills in where the files come from, uploading them when they are here.
absl::Status ReadSource(Session& session, v1::BuildSpec& spec) {
  const Arguments& arguments = session.arguments();
  const bool from_repository = arguments.Has("connection") || arguments.Has("repository");
  const bool from_path = !arguments.positionals().empty();
  if (from_repository && from_path) return UsageError("give either --connection and --repository, or a PATH to upload");
  if (from_repository) {
    DAVIT_RETURN_IF_ERROR(arguments.Require("connection"));
    DAVIT_RETURN_IF_ERROR(arguments.Require("repository"));
    spec.mutable_git()->set_connection_id(arguments.Get("connection"));
    spec.mutable_git()->set_repository(arguments.Get("repository"));
    return ReadRevision(arguments, *spec.mutable_git());
  }
  for (const char* option : {"branch", "tag", "commit"}) {
    if (arguments.Has(option))
      return UsageError(absl::StrCat("option --", option, " needs --connection and --repository"));
  }
  std::string path;
  UploadKind kind = UploadKind::kDockerfile;
  if (from_path) {
    path = arguments.positionals()[0];
    DAVIT_ASSIGN_OR_RETURN(kind, RecogniseUpload(path));
  } else if (arguments.Has("file")) {
    path = arguments.Get("file");
    spec.mutable_recipe()->clear_dockerfile_path();  // The upload is the Dockerfile.
  } else {
    return UsageError("nothing to build: give --connection and --repository, a PATH to upload, or -f DOCKERFILE");
  }
  DAVIT_ASSIGN_OR_RETURN(const v1::Upload upload, Upload(session, path, kind));
  spec.mutable_upload()->set_upload_id(upload.id());
  return absl::OkStatus();
}

absl::StatusOr<int> ShowNewBuild(Session& session, const v1::Build& build) {
  if (session.arguments().Has("wait")) return WaitForBuild(session, build.id());
  return session.Show(build, BuildText(build));
}

absl::StatusOr<int> BuildCreate(Session& session) {
  const Arguments& arguments = session.arguments();
  DAVIT_RETURN_IF_ERROR(arguments.Require("image"));
  DAVIT_ASSIGN_OR_RETURN(const RecipeValues values, ReadRecipe(arguments));
  v1::CreateBuildRequest request;
  request.set_project(session.project());
  request.set_request_id(arguments.Has("request-id")
                             ? arguments.Get("request-id")
                             : NewId("cli", session.environment().clock, session.environment().random));
  v1::BuildSpec& spec = *request.mutable_spec();
  *spec.mutable_recipe() = values.recipe;
  *spec.mutable_destination() = values.destination;
  DAVIT_ASSIGN_OR_RETURN(const PolicyValues policy, ReadPolicy(arguments));
  if (!policy.fields.empty()) *request.mutable_policy() = policy.policy;
  if (!values.image_tag.empty()) spec.add_tags(values.image_tag);
  for (const std::string& tag : arguments.GetAll("image-tag")) spec.add_tags(tag);
  DAVIT_RETURN_IF_ERROR(ReadSource(session, spec));
  const auto stub = NewScheduler(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::CreateBuildResponse response, session.Call(*stub, &Scheduler::CreateBuild, request));
  return ShowNewBuild(session, response.build());
}

absl::StatusOr<v1::BuildState> ReadState(const std::string& text) {
  const std::string name = absl::StrCat("BUILD_STATE_", absl::StrReplaceAll(absl::AsciiStrToUpper(text), {{"-", "_"}}));
  v1::BuildState state = v1::BUILD_STATE_UNSPECIFIED;
  if (v1::BuildState_Parse(name, &state) && state != v1::BUILD_STATE_UNSPECIFIED) return state;
  return UsageError(
      absl::StrCat("option --state is queued, running, publishing, succeeded, failed, cancelled, timed-out, "
                   "superseded or held, not \"",
                   text, "\""));
}

absl::StatusOr<int> BuildsList(Session& session) {
  const Arguments& arguments = session.arguments();
  DAVIT_ASSIGN_OR_RETURN(const int64_t limit, arguments.GetNumber("limit", 50, 1));
  v1::ListBuildsRequest request;
  request.set_project(session.project());
  request.set_repository(arguments.Get("repository"));
  request.set_rule_id(arguments.Get("rule"));
  for (const std::string& text : arguments.GetAll("state")) {
    DAVIT_ASSIGN_OR_RETURN(const v1::BuildState state, ReadState(text));
    request.add_states(state);
  }
  const auto stub = NewScheduler(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::ListBuildsResponse response,
                         ListAll(session, *stub, &Scheduler::ListBuilds, request, limit,
                                 [](v1::ListBuildsResponse& page) { return page.mutable_builds(); }));
  std::vector<std::vector<std::string>> rows;
  for (const v1::Build& build : response.builds()) {
    const v1::GitSource& git = build.spec().git();
    rows.push_back({build.id(), BuildStateText(build), build.spec().has_upload() ? "(upload)" : git.repository(),
                    RefText(git.ref()), git.commit().substr(0, 7), TimeText(build.create_time()),
                    DurationText(build.start_time(), build.end_time()), build.failure().message()});
  }
  return session.Show(response,
                      ToTable({"ID", "STATE", "REPOSITORY", "REF", "COMMIT", "CREATED", "TOOK", "FAILURE"}, rows));
}

absl::StatusOr<int> BuildsGet(Session& session) {
  v1::GetBuildRequest request;
  request.set_project(session.project());
  request.set_id(session.arguments().positionals()[0]);
  const auto stub = NewScheduler(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::GetBuildResponse response, session.Call(*stub, &Scheduler::GetBuild, request));
  return session.Show(response.build(), BuildText(response.build()));
}

absl::StatusOr<int> Logs(Session& session) {
  const Arguments& arguments = session.arguments();
  if (session.format() == Format::kJson) return UsageError("a log is bytes, not JSON: leave out -o json");
  LogRequest request;
  request.build_id = arguments.positionals()[0];
  DAVIT_ASSIGN_OR_RETURN(const int64_t attempt, arguments.GetNumber("attempt", 0, 1));
  DAVIT_ASSIGN_OR_RETURN(request.offset, arguments.GetNumber("offset", 0, 0));
  request.attempt = static_cast<int32_t>(attempt);
  if (arguments.Has("follow")) request.until = LogRequest::Until::kBuildEnds;
  LogFollower follower(session, session.environment().out);
  DAVIT_RETURN_IF_ERROR(follower.Read(request));
  return kExitOk;
}

absl::StatusOr<int> Cancel(Session& session) {
  v1::CancelBuildRequest request;
  request.set_project(session.project());
  request.set_id(session.arguments().positionals()[0]);
  const auto stub = NewScheduler(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::CancelBuildResponse response, session.Call(*stub, &Scheduler::CancelBuild, request));
  const v1::Build& build = response.build();
  return session.Show(build, absl::StrCat(build.id(), HasEnded(build) ? " is " : " is being cancelled; it is ",
                                          BuildStateText(build), "\n"));
}

absl::StatusOr<int> Retry(Session& session) {
  v1::RetryBuildRequest request;
  request.set_project(session.project());
  request.set_id(session.arguments().positionals()[0]);
  request.set_request_id(NewId("cli", session.environment().clock, session.environment().random));
  const auto stub = NewScheduler(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::RetryBuildResponse response, session.Call(*stub, &Scheduler::RetryBuild, request));
  return ShowNewBuild(session, response.build());
}

absl::StatusOr<int> Queue(Session& session) {
  v1::ExplainQueueRequest request;
  request.set_project(session.project());
  request.set_build_id(session.arguments().positionals()[0]);
  const auto stub = NewScheduler(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::ExplainQueueResponse response,
                         session.Call(*stub, &Scheduler::ExplainQueue, request));
  return session.Show(
      response, ToFields({{"reason", EnumText(v1::ExplainQueueResponse::Reason_Name(response.reason()), "REASON_")},
                          {"detail", response.detail()},
                          {"position", std::to_string(response.position())},
                          {"not before", TimeText(response.not_before())}}));
}

std::vector<Option> BuildOptions() {
  std::vector<Option> options = {
      {"connection", 0, "ID", "Build a repository of this connection, con_..."},
      {"repository", 0, "PATH", "The repository, owner/name."},
      {"branch", 0, "NAME", "Build this branch; default: the default branch."},
      {"tag", 0, "NAME", "Build this git tag."},
      {"commit", 0, "SHA", "Build this commit, 40 digits."},
      {"image-tag", 't', "TAG", "A tag for the image.", Repeat::kMany},
      {"wait", 'w', "", "Follow the log and wait for the end; exit code 1 if the build does not succeed."},
      {"request-id", 0, "TEXT", "Makes repeating the command safe: the same text again gives the same build."},
  };
  for (Option& option : RecipeOptions()) options.push_back(std::move(option));
  for (Option& option : QueueOptions()) options.push_back(std::move(option));
  return options;
}

const Option kWait = {"wait", 'w', "",
                      "Follow the log and wait for the end; exit code 1 if the build does not succeed."};
const Positional kBuild = {"BUILD", "its id, bld_..."};

}  // namespace

std::vector<Command> BuildCommands() {
  return {
      {"build",
       "Build an image now: from a repository, a directory, an archive or a Dockerfile.",
       "From a repository: give --connection and --repository, and a branch, tag or commit.\n"
       "From this machine: give a directory or an archive (tar, tar.gz, tar.zst, zip), which is uploaded whole but for "
       ".git; the builder applies "
       ".dockerignore. With -f alone only that Dockerfile is uploaded.\n"
       "Ctrl-C with --wait ends the waiting, not the build; see davit cancel.",
       "davit build --connection con_... --repository team/app --branch main --image 127.0.0.1:5000/team/app:try "
       "--wait\n"
       "davit build -f Dockerfile --image 127.0.0.1:5000/team/tool -t v1\n"
       "davit build . --image 127.0.0.1:5000/team/app:dev --build-arg MODE=debug --wait\n"
       "davit build context.tar.gz --image 127.0.0.1:5000/team/app -o json",
       {{"PATH", "a directory or an archive to upload", Positional::Count::kOptional}},
       BuildOptions(),
       BuildCreate},
      {"builds list",
       "List builds, newest first.",
       "",
       "davit builds list --state failed --repository team/app --limit 10",
       {},
       {{"state", 0, "STATE", "Only builds in this state, for example running or timed-out.", Repeat::kMany},
        {"repository", 0, "PATH", "Only builds of owner/name."},
        {"rule", 0, "ID", "Only builds of this rule, rul_..."},
        kLimitOption},
       BuildsList},
      {"builds get", "Show a build and its attempts.", "", "", {kBuild}, {}, BuildsGet},
      {"logs",
       "Show a build's log.",
       "A log that is followed goes on after a lost connection at the byte that comes next.",
       "davit logs -f bld_01jgfjh3zdf2mvq8r6kq8c0v4x",
       {kBuild},
       {{"follow", 'f', "", "Go on until the build has ended, over all of its attempts."},
        {"attempt", 0, "N", "Of this attempt; default: the newest."},
        {"offset", 0, "BYTES", "From this byte on."}},
       Logs},
      {"cancel", "Cancel a build.", "", "", {kBuild}, {}, Cancel},
      {"retry", "Build the same again: a new build of the same commit.", "", "", {kBuild}, {kWait}, Retry},
      {"queue", "Say why a build waits.", "", "", {kBuild}, {}, Queue},
  };
}

}  // namespace davit::cli
