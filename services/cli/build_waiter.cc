// Implements build_waiter.h.
#include "services/cli/build_waiter.h"

#include <functional>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "davit/scheduler/v1/scheduler.grpc.pb.h"
#include "libs/status/retry.h"
#include "libs/status/status_macros.h"
#include "services/cli/log_follower.h"
#include "services/cli/output.h"
#include "services/cli/policy_options.h"

namespace davit::cli {
namespace {

namespace v1 = ::davit::scheduler::v1;

constexpr int kMostFruitlessTries = 10;

// Watches one build and tells its changes of state once each.
class BuildWatch {
 public:
  BuildWatch(Session& session, std::string build_id)
      : session_(session),
        build_id_(std::move(build_id)),
        backoff_(absl::Milliseconds(250), absl::Seconds(5), 2, 0.2, session.environment().random) {}

  // Reads until `enough`, over lost connections.
  absl::StatusOr<v1::Build> Until(const std::function<bool(const v1::Build&)>& enough) {
    for (int fruitless = 0;;) {
      bool progress = false;
      DAVIT_ASSIGN_OR_RETURN(const bool reached, WatchOnce(enough, progress));
      if (reached) return build_;
      fruitless = progress ? 1 : fruitless + 1;
      if (progress) backoff_.Reset();
      if (fruitless > kMostFruitlessTries) return absl::UnavailableError(absl::StrCat("lost sight of ", build_id_));
      session_.environment().clock.SleepFor(backoff_.Next());
    }
  }

 private:
  // One stream; false when it broke and may be tried again.
  absl::StatusOr<bool> WatchOnce(const std::function<bool(const v1::Build&)>& enough, bool& progress) {
    grpc::ClientContext context;
    v1::WatchBuildRequest request;
    request.set_project(session_.project());
    request.set_id(build_id_);
    const auto stub = v1::Scheduler::NewStub(session_.channel(Api::kScheduler));
    const auto reader = stub->WatchBuild(&context, request);
    for (v1::WatchBuildResponse response; reader->Read(&response);) {
      progress = true;
      build_ = response.build();
      Tell();
      if (enough(build_)) {
        context.TryCancel();
        reader->Finish();
        return true;
      }
    }
    const absl::Status status = rpc::FromGrpcStatus(reader->Finish());
    if (status.ok() || IsRetryable(status.code())) return false;
    return status;
  }

  void Tell() {
    const std::string state = BuildStateText(build_);
    if (state == told_) return;
    told_ = state;
    session_.environment().err << "-- " << build_id_ << " is " << state << std::endl;
  }

  Session& session_;
  const std::string build_id_;
  Backoff backoff_;
  v1::Build build_;
  std::string told_;
};

std::string SourceText(const v1::BuildSpec& spec) {
  if (spec.has_upload()) return absl::StrCat("upload ", spec.upload().upload_id());
  return absl::StrCat(spec.git().repository(), spec.git().ref().empty() ? "" : " ", RefText(spec.git().ref()),
                      spec.git().commit().empty() ? "" : " ", spec.git().commit());
}

std::string TagsText(const v1::Build& build) {
  if (build.tag_results().empty()) return absl::StrJoin(build.spec().tags(), ", ");
  return absl::StrJoin(build.tag_results(), ", ", [](std::string* out, const v1::TagResult& result) {
    absl::StrAppend(out, result.tag(), result.set() ? "" : " (a newer build has it)");
  });
}

std::string AttemptRows(const v1::Build& build) {
  std::vector<std::vector<std::string>> rows;
  for (const v1::BuildAttempt& attempt : build.attempts()) {
    std::string outcome = EnumText(v1::BuildAttempt::Outcome_Name(attempt.outcome()), "OUTCOME_");
    rows.push_back({std::to_string(attempt.number()), attempt.agent_name(), TimeText(attempt.start_time()),
                    DurationText(attempt.start_time(), attempt.end_time()), outcome.empty() ? "running" : outcome,
                    attempt.failure().message()});
  }
  return rows.empty() ? "" : "\n" + ToTable({"ATTEMPT", "AGENT", "STARTED", "TOOK", "OUTCOME", "FAILURE"}, rows);
}

}  // namespace

bool HasEnded(const v1::Build& build) {
  switch (build.state()) {
    case v1::BUILD_STATE_SUCCEEDED:
    case v1::BUILD_STATE_FAILED:
    case v1::BUILD_STATE_CANCELLED:
    case v1::BUILD_STATE_TIMED_OUT:
    case v1::BUILD_STATE_SUPERSEDED:
      return true;
    default:
      return false;
  }
}

std::string BuildStateText(const v1::Build& build) {
  std::string state = EnumText(v1::BuildState_Name(build.state()), "BUILD_STATE_");
  const std::string phase = EnumText(v1::BuildPhase_Name(build.phase()), "BUILD_PHASE_");
  if (build.state() == v1::BUILD_STATE_RUNNING && !phase.empty()) absl::StrAppend(&state, " (", phase, ")");
  return state;
}

// Why it ended as it did, where its history says more than its failure.
std::string ReasonText(const v1::Build& build) {
  const bool stopped = build.state() == v1::BUILD_STATE_SUPERSEDED || build.state() == v1::BUILD_STATE_CANCELLED;
  return stopped && build.transitions_size() > 0 ? build.transitions(build.transitions_size() - 1).detail() : "";
}

// How the build is queued, in a line; empty when as any other.
std::string PolicyText(const v1::Build& build) {
  return absl::StrJoin(PolicyTexts(build.policy()), ", ", absl::PairFormatter(" "));
}

std::string BuildText(const v1::Build& build) {
  const std::string image = build.image_digest().empty()
                                ? build.spec().destination().repository()
                                : absl::StrCat(build.spec().destination().repository(), "@", build.image_digest());
  return ToFields({{"id", build.id()},
                   {"project", build.project()},
                   {"state", BuildStateText(build)},
                   {"failure", build.failure().message()},
                   {"reason", ReasonText(build)},
                   {"superseded by", build.superseded_by()},
                   {"source", SourceText(build.spec())},
                   {"image", image},
                   {"tags", TagsText(build)},
                   {"requested by", build.origin().requested_by()},
                   {"rule", build.origin().rule_id()},
                   {"event", build.origin().event_id()},
                   {"policy", PolicyText(build)},
                   {"retry of", build.origin().retry_of()},
                   {"created", TimeText(build.create_time())},
                   {"started", TimeText(build.start_time())},
                   {"ended", TimeText(build.end_time())},
                   {"took", DurationText(build.start_time(), build.end_time())}}) +
         AttemptRows(build);
}

absl::StatusOr<int> WaitForBuild(Session& session, const std::string& build_id) {
  const bool json = session.format() == Format::kJson;
  BuildWatch watch(session, build_id);
  // A build that waits has no log yet.
  DAVIT_ASSIGN_OR_RETURN(v1::Build build, watch.Until([](const v1::Build& seen) {
    return HasEnded(seen) || seen.attempts_size() > 0 || seen.state() == v1::BUILD_STATE_RUNNING;
  }));
  if (build.attempts_size() > 0 || !HasEnded(build)) {
    LogFollower follower(session, json ? session.environment().err : session.environment().out);
    LogRequest request;
    request.build_id = build_id;
    request.until = LogRequest::Until::kBuildEnds;
    DAVIT_RETURN_IF_ERROR(follower.Read(request));
  }
  DAVIT_ASSIGN_OR_RETURN(build, watch.Until(HasEnded));
  if (json) {
    session.Show(build, "");
  } else {
    session.environment().err << BuildText(build) << std::flush;
  }
  // A build that a newer one kept from being built has no image.
  const bool good = build.state() == v1::BUILD_STATE_SUCCEEDED ||
                    (build.state() == v1::BUILD_STATE_SUPERSEDED && build.superseded_by().empty());
  return good ? kExitOk : kExitBuildFailed;
}

}  // namespace davit::cli
