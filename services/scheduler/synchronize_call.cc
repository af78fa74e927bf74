// Implements synchronize_call.h. The steps run one after the other on the executor; only the cancellation comes from
// elsewhere.
#include "services/scheduler/synchronize_call.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "libs/ids/ids.h"
#include "libs/rpc/status_conversion.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"
#include "services/scheduler/conversion.h"

namespace davit::scheduler {
namespace {

constexpr int kMaxSlots = 256;
constexpr int kMaxLabels = 32;
constexpr size_t kMaxLabelBytes = 255;
constexpr size_t kMaxNameBytes = 63;
constexpr absl::Duration kMaxWait = absl::Seconds(60);

bool IsAgentName(const std::string& name) {
  const auto is_alnum = [](char c) {
    return absl::ascii_islower(static_cast<unsigned char>(c)) || absl::ascii_isdigit(static_cast<unsigned char>(c));
  };
  return !name.empty() && name.size() <= kMaxNameBytes && is_alnum(name[0]) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return is_alnum(c) || c == '.' || c == '-'; });
}

absl::Status Check(const v1::SynchronizeRequest& request) {
  if (!IsAgentName(request.agent_name())) {
    return absl::InvalidArgumentError("agent_name: [a-z0-9][a-z0-9.-]{0,62} is needed");
  }
  if (!IsId("ses", request.session_id())) return absl::InvalidArgumentError("session_id: an id, ses_…, is needed");
  if (request.slots() < 0 || request.slots() > kMaxSlots || request.free_slots() < 0 ||
      request.free_slots() > request.slots()) {
    return absl::InvalidArgumentError(absl::StrCat("slots: 0 <= free_slots <= slots <= ", kMaxSlots, " is needed"));
  }
  if (request.labels_size() > kMaxLabels) {
    return absl::InvalidArgumentError(absl::StrCat("labels: at most ", kMaxLabels, " are allowed"));
  }
  for (const auto& [name, value] : request.labels()) {
    if (name.empty() || name.size() > kMaxLabelBytes || value.size() > kMaxLabelBytes) {
      return absl::InvalidArgumentError("labels: names have 1 to 255, values at most 255 bytes");
    }
  }
  if (request.reports_size() > 2 * kMaxSlots) return absl::InvalidArgumentError("reports: too many");
  if (request.version().size() > kMaxLabelBytes) return absl::InvalidArgumentError("version: over 255 bytes");
  return absl::OkStatus();
}

absl::StatusOr<SessionReport> ReadRequest(const v1::SynchronizeRequest& request, const auth::Caller& caller,
                                          const AgentServiceDeps& deps) {
  DAVIT_RETURN_IF_ERROR(Check(request));
  SessionReport report;
  report.new_agent_id = NewId("agt", deps.clock, deps.random);
  report.agent_name = request.agent_name();
  report.project = caller.project;
  report.session_id = request.session_id();
  report.start = request.starts_session() ? SessionStart::kStarts : SessionStart::kContinues;
  report.labels.insert(request.labels().begin(), request.labels().end());
  report.version = request.version();
  report.slots = request.slots();
  report.free_slots = request.free_slots();
  report.draining = request.draining();
  for (int i = 0; i < request.reports_size(); ++i) {
    const v1::LeaseReport& lease = request.reports(i);
    if (lease.has_result() || lease.returned()) {
      absl::StatusOr<AttemptReport> ended = FromProto(lease);
      DAVIT_RETURN_IF_ERROR(Annotate(ended.status(), absl::StrCat("reports[", i, "]")));
      report.ended.push_back(*std::move(ended));
    } else {
      const BuildPhase phase =
          v1::BuildPhase_IsValid(lease.phase()) ? static_cast<BuildPhase>(lease.phase()) : BuildPhase::kNone;
      report.held.push_back({lease.build_id(), lease.fence(), phase});
    }
  }
  return report;
}

// A parked call's ticket and whether the caller has gone: what the thread that parks a call and the one that cancels it
// tell each other. It outlives the call, which may be answered and destroyed before the former has the ticket.
struct Parking {
  absl::Mutex mutex;
  int64_t ticket ABSL_GUARDED_BY(mutex) = 0;
  bool cancelled ABSL_GUARDED_BY(mutex) = false;
};

class SynchronizeCall : public grpc::ServerUnaryReactor {
 public:
  SynchronizeCall(const AgentServiceDeps& deps, const AgentServiceOptions& options,
                  grpc::CallbackServerContext* context, const v1::SynchronizeRequest& request,
                  v1::SynchronizeResponse& response)
      : deps_(deps), options_(options), context_(context), request_(request), response_(response) {
    Continue([this] { TakeReports(); });
  }

 private:
  ~SynchronizeCall() override = default;

  // Goes on with the next step, or ends the call when the executor is full.
  void Continue(rpc::Executor::Task step) {
    const absl::Status accepted = deps_.executor.Submit(std::move(step));
    if (!accepted.ok()) Finish(rpc::ToGrpcStatus(accepted));
  }

  void TakeReports() {
    const absl::StatusOr<SessionOutcome> outcome = Synchronize();
    if (!outcome.ok()) return Finish(rpc::ToGrpcStatus(outcome.status()));
    agent_id_ = outcome->agent_id;
    drained_ = outcome->drained;
    for (const std::string& build : outcome->changed) deps_.hub.Notify(build, Topic::kBuild);
    if (!outcome->ended.empty()) deps_.attempts_ended(outcome->ended);
    if (!outcome->replaced_session.empty()) deps_.dispatcher.WithdrawSession(outcome->replaced_session);

    SlotDemand demand = Demand(*outcome);
    if (context_->IsCancelled() || (demand.slots == 0 && demand.wait <= absl::ZeroDuration())) return Answer();
    ClaimDispatcher& dispatcher = deps_.dispatcher;
    const std::shared_ptr<Parking> parking = parking_;
    const int64_t ticket = dispatcher.Submit(std::move(demand), [this] { Continue([this] { Answer(); }); });
    // From here on the call may be gone.
    bool cancelled;
    {
      absl::MutexLock lock(&parking->mutex);
      parking->ticket = ticket;
      cancelled = parking->cancelled;
    }
    if (cancelled) dispatcher.Withdraw(ticket);
  }

  absl::StatusOr<SessionOutcome> Synchronize() {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, deps_.guard.Admit(*context_, auth::Permission::kWorkBuilds));
    project_ = caller.project;
    DAVIT_ASSIGN_OR_RETURN(const SessionReport report, ReadRequest(request_, caller, deps_));
    return deps_.leases.Synchronize(report);
  }

  // How many builds the agent would take beyond those that it does not know of yet, and how long it may wait for them.
  SlotDemand Demand(const SessionOutcome& outcome) const {
    SlotDemand demand;
    demand.pool = kDefaultPool;
    demand.project = project_;
    demand.agent_id = agent_id_;
    demand.session_id = request_.session_id();
    const bool takes_builds = !request_.draining() && !outcome.drained;
    const int unknown = static_cast<int>(outcome.leases - outcome.renewed);
    demand.slots = takes_builds ? std::max(0, request_.free_slots() - unknown) : 0;
    const bool idle = outcome.leases == 0 && request_.reports().empty();
    if (idle) demand.wait = std::min({FromProto(request_.max_wait()), options_.idle_park, kMaxWait});
    return demand;
  }

  void Answer() {
    const absl::Status answered = Fill();
    Finish(rpc::ToGrpcStatus(answered));
  }

  absl::Status Fill() {
    DAVIT_ASSIGN_OR_RETURN(std::vector<HeldLease> leases, deps_.leases.Leases(agent_id_, request_.session_id()));
    std::vector<EndedAttempt> undone;
    DAVIT_ASSIGN_OR_RETURN(leases, deps_.granter.Grant(std::move(leases), undone));
    if (!undone.empty()) {
      for (const EndedAttempt& attempt : undone) deps_.hub.Notify(attempt.build_id, Topic::kBuild);
      deps_.attempts_ended(undone);
    }
    std::set<std::pair<std::string, int64_t>> known;
    for (const v1::LeaseReport& report : request_.reports()) known.insert({report.build_id(), report.fence()});
    for (const HeldLease& held : leases) {
      const bool is_known = known.contains({held.build_id, held.fence});
      if (!is_known) deps_.hub.Notify(held.build_id, Topic::kBuild);
      DAVIT_RETURN_IF_ERROR(Add(held, is_known));
    }
    response_.set_agent_id(agent_id_);
    response_.set_draining(drained_);
    const bool parks = leases.empty() && FromProto(request_.max_wait()) > absl::ZeroDuration();
    *response_.mutable_next_sync_in() = ToProto(parks ? absl::ZeroDuration() : options_.busy_sync_interval);
    return absl::OkStatus();
  }

  absl::Status Add(const HeldLease& held, bool known) {
    v1::Lease& lease = *response_.add_leases();
    lease.set_build_id(held.build_id);
    lease.set_fence(held.fence);
    *lease.mutable_ttl() = ToProto(options_.lease_ttl);
    lease.set_desired(static_cast<v1::Lease::Desired>(held.desired));
    if (known) return absl::OkStatus();
    if (!lease.mutable_spec()->ParseFromString(held.spec)) {
      return absl::InternalError("the stored specification cannot be read");
    }
    lease.set_project(held.project);
    lease.set_attempt(held.attempt);
    lease.set_requested_by(held.requested_by);
    if (held.upload_id.empty()) return absl::OkStatus();
    DAVIT_ASSIGN_OR_RETURN(const UploadRecord upload, deps_.uploads.Get(held.project, held.upload_id));
    *lease.mutable_upload() = ToProto(upload);
    return absl::OkStatus();
  }

  void OnCancel() override {
    int64_t ticket;
    {
      absl::MutexLock lock(&parking_->mutex);
      parking_->cancelled = true;
      ticket = parking_->ticket;
    }
    // Without a ticket the call is not parked yet; the thread that parks it withdraws.
    if (ticket != 0) deps_.dispatcher.Withdraw(ticket);
  }

  void OnDone() override { delete this; }

  const AgentServiceDeps& deps_;
  const AgentServiceOptions& options_;
  grpc::CallbackServerContext* const context_;
  const v1::SynchronizeRequest& request_;
  v1::SynchronizeResponse& response_;
  std::string project_;
  std::string agent_id_;
  bool drained_ = false;
  const std::shared_ptr<Parking> parking_ = std::make_shared<Parking>();
};

}  // namespace

grpc::ServerUnaryReactor* StartSynchronize(const AgentServiceDeps& deps, const AgentServiceOptions& options,
                                           grpc::CallbackServerContext* context, const v1::SynchronizeRequest* request,
                                           v1::SynchronizeResponse* response) {
  return new SynchronizeCall(deps, options, context, *request, *response);
}

}  // namespace davit::scheduler
