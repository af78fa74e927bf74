// Construction of the rule engine's parts, in the order of their dependencies, and its loops.
#include "services/rule_engine/rule_engine_app.h"

#include <algorithm>
#include <utility>

#include "libs/auth/call_guard.h"
#include "libs/postgres/migrate.h"
#include "libs/postgres/pool.h"
#include "libs/status/status_macros.h"
#include "services/rule_engine/build_dispatcher.h"
#include "services/rule_engine/change_finder.h"
#include "services/rule_engine/event_evaluator.h"
#include "services/rule_engine/grpc_build_creator.h"
#include "services/rule_engine/grpc_hook_remover.h"
#include "services/rule_engine/grpc_source_directory.h"
#include "services/rule_engine/hook_releaser.h"
#include "services/rule_engine/migrations.h"
#include "services/rule_engine/postgres_build_outbox.h"
#include "services/rule_engine/postgres_change_requests.h"
#include "services/rule_engine/postgres_event_ledger.h"
#include "services/rule_engine/postgres_hook_releases.h"
#include "services/rule_engine/postgres_repository_watches.h"
#include "services/rule_engine/postgres_rule_store.h"
#include "services/rule_engine/reconciler.h"
#include "services/rule_engine/rule_engine_service.h"
#include "services/rule_engine/worker_loop.h"

namespace davit::rule_engine {
namespace {

constexpr char kSchema[] = "rule_engine";
// Events evaluated in one transaction.
constexpr int kEvaluationBatch = 500;
// Between two batches: under load events are evaluated many at a time, which leaves the database to those that come in.
constexpr absl::Duration kEvaluationGap = absl::Milliseconds(50);
// Pushes whose changed paths are asked for at a time.
constexpr int kFinders = 2;
// Events removed in one transaction.
constexpr int kRetentionBatch = 500;

WorkerLoop::Found FoundAny(int count) { return count > 0 ? WorkerLoop::Found::kWork : WorkerLoop::Found::kNothing; }

}  // namespace

// Everything, in the order of construction; the loops end first.
class RuleEngineApp::Parts {
 public:
  Parts(const RuleEngineOptions& options, std::unique_ptr<postgres::Pool> pool, Clock& clock, RandomSource& random,
        const Logger& logger, metrics::Registry& metrics, auth::Authenticator& authenticator,
        std::shared_ptr<grpc::Channel> token_registry, std::shared_ptr<grpc::Channel> scheduler)
      : retention_(options.event_retention),
        reconcile_interval_(options.reconcile_interval),
        pool_(std::move(pool)),
        rule_store_(*pool_, clock, random),
        ledger_(*pool_, clock, random),
        outbox_(*pool_),
        directory_(token_registry),
        hook_remover_(std::move(token_registry)),
        build_creator_(std::move(scheduler)),
        dispatcher_(outbox_, build_creator_, random, logger, metrics),
        events_waiting_(
            metrics.GetGauge("davit_rule_engine_events_waiting", "Events whose rules were not looked at yet.")),
        events_oldest_(metrics.GetGauge("davit_rule_engine_events_oldest_seconds", "Age of the oldest of them.")),
        orders_waiting_(
            metrics.GetGauge("davit_rule_engine_build_orders_waiting", "Orders the scheduler does not have yet.")),
        orders_oldest_(metrics.GetGauge("davit_rule_engine_build_orders_oldest_seconds", "Age of the oldest of them.")),
        evaluating_(
            {.name = "evaluating events", .poll = absl::Seconds(2), .gap = kEvaluationGap},
            [this] { return Evaluate(); }, random, logger),
        sending_(
            {.name = "ordering builds", .poll = absl::Seconds(2)}, [this] { return Send(); }, random, logger),
        measuring_(
            {.name = "measuring", .poll = absl::Seconds(15)}, [this] { return Measure(); }, random, logger),
        removed_(metrics.GetCounter("davit_rule_engine_events_removed_total",
                                    "Events that the ledger kept for as long as it should.")),
        removing_(
            {.name = "removing old events", .poll = absl::Minutes(10)}, [this] { return RemoveOld(); }, random, logger),
        watches_(*pool_),
        reconciler_({.interval = options.reconcile_interval,
                     .grace = std::min(options.reconcile_grace, options.reconcile_interval)},
                    watches_, ledger_, directory_, clock, logger, metrics, [this] { evaluating_.Wake(); }),
        reconciling_(
            {.name = "comparing repositories with the ledger", .poll = absl::Seconds(5)},
            [this] { return Reconcile(); }, random, logger),
        releases_(*pool_),
        releaser_(releases_, hook_remover_, logger),
        releasing_(
            {.name = "removing webhooks without rules", .poll = absl::Seconds(2)}, [this] { return ReleaseHook(); },
            random, logger),
        change_requests_(*pool_),
        change_finder_(change_requests_, directory_, random, logger, metrics, [this] { evaluating_.Wake(); }),
        rule_calls_(rule_store_, directory_, clock),
        event_calls_(rule_store_, ledger_, evaluator_, directory_, clock, metrics,
                     Wakeups{[this] { evaluating_.Wake(); }, [this] { sending_.Wake(); }}),
        simulation_calls_(ledger_, evaluator_, clock),
        guard_(authenticator, clock, random, metrics),
        service_(guard_, rule_calls_, event_calls_, simulation_calls_) {
    for (int i = 0; i < kFinders; ++i) {
      finding_.push_back(std::make_unique<WorkerLoop>(
          WorkerLoop::Options{.name = "asking for changed paths", .poll = absl::Seconds(5)},
          [this] { return FindChanges(); }, random, logger));
    }
  }

  grpc::Service* service() { return &service_; }

  absl::StatusOr<rules::v1::IngestEventsResponse> IngestEvents(const crypto::SecretString& token,
                                                               const rules::v1::IngestEventsRequest& request) {
    DAVIT_ASSIGN_OR_RETURN(const auth::Caller caller, guard_.Admit(token, auth::Permission::kIngestEvents));
    return event_calls_.IngestAll(caller, request);
  }

  void StartLoops() {
    evaluating_.Start();
    sending_.Start();
    measuring_.Start();
    if (retention_ > absl::ZeroDuration()) removing_.Start();
    if (reconcile_interval_ > absl::ZeroDuration()) reconciling_.Start();
    releasing_.Start();
    for (const auto& finding : finding_) finding->Start();
  }

  void StopLoops() {
    evaluating_.Stop();
    sending_.Stop();
    measuring_.Stop();
    removing_.Stop();
    reconciling_.Stop();
    releasing_.Stop();
    for (const auto& finding : finding_) finding->Stop();
  }

 private:
  absl::StatusOr<WorkerLoop::Found> Evaluate() {
    bool wants_changes = false;
    DAVIT_ASSIGN_OR_RETURN(
        const int evaluated,
        ledger_.EvaluateReceived(kEvaluationBatch, [&](const Event& event, absl::Span<const Rule> rules) {
          Evaluation evaluation = evaluator_.Evaluate(event, rules);
          wants_changes |= evaluation.wants_changes;
          return evaluation;
        }));
    if (evaluated > 0) sending_.Wake();
    if (wants_changes) {
      for (const auto& finding : finding_) finding->Wake();
    }
    return FoundAny(evaluated);
  }

  absl::StatusOr<WorkerLoop::Found> Send() {
    DAVIT_ASSIGN_OR_RETURN(const int sent, dispatcher_.Dispatch());
    return FoundAny(sent);
  }

  absl::StatusOr<WorkerLoop::Found> Measure() {
    DAVIT_ASSIGN_OR_RETURN(const Waiting events, ledger_.CountReceived());
    DAVIT_ASSIGN_OR_RETURN(const Waiting orders, outbox_.Count());
    events_waiting_.Set(static_cast<double>(events.count));
    events_oldest_.Set(absl::ToDoubleSeconds(events.oldest));
    orders_waiting_.Set(static_cast<double>(orders.count));
    orders_oldest_.Set(absl::ToDoubleSeconds(orders.oldest));
    return WorkerLoop::Found::kNothing;
  }

  absl::StatusOr<WorkerLoop::Found> RemoveOld() {
    DAVIT_ASSIGN_OR_RETURN(const int removed, ledger_.DeleteOld(retention_, kRetentionBatch));
    removed_.Increment(removed);
    return FoundAny(removed);
  }

  absl::StatusOr<WorkerLoop::Found> FindChanges() {
    DAVIT_ASSIGN_OR_RETURN(const bool answered, change_finder_.Step());
    return FoundAny(answered ? 1 : 0);
  }

  absl::StatusOr<WorkerLoop::Found> Reconcile() {
    DAVIT_ASSIGN_OR_RETURN(const bool looked, reconciler_.Step());
    return FoundAny(looked ? 1 : 0);
  }

  absl::StatusOr<WorkerLoop::Found> ReleaseHook() {
    DAVIT_ASSIGN_OR_RETURN(const bool released, releaser_.Step());
    return FoundAny(released ? 1 : 0);
  }

  const absl::Duration retention_;
  const absl::Duration reconcile_interval_;
  const std::unique_ptr<postgres::Pool> pool_;
  PostgresRuleStore rule_store_;
  PostgresEventLedger ledger_;
  PostgresBuildOutbox outbox_;
  GrpcSourceDirectory directory_;
  GrpcHookRemover hook_remover_;
  GrpcBuildCreator build_creator_;
  EventEvaluator evaluator_;
  BuildDispatcher dispatcher_;
  metrics::Gauge events_waiting_;
  metrics::Gauge events_oldest_;
  metrics::Gauge orders_waiting_;
  metrics::Gauge orders_oldest_;
  WorkerLoop evaluating_;
  WorkerLoop sending_;
  WorkerLoop measuring_;
  metrics::Counter removed_;
  WorkerLoop removing_;
  PostgresRepositoryWatches watches_;
  Reconciler reconciler_;
  WorkerLoop reconciling_;
  PostgresHookReleases releases_;
  HookReleaser releaser_;
  WorkerLoop releasing_;
  PostgresChangeRequests change_requests_;
  ChangeFinder change_finder_;
  std::vector<std::unique_ptr<WorkerLoop>> finding_;
  RuleCalls rule_calls_;
  EventCalls event_calls_;
  SimulationCalls simulation_calls_;
  auth::CallGuard guard_;
  RuleEngineService service_;
};

RuleEngineApp::RuleEngineApp(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

RuleEngineApp::~RuleEngineApp() { parts_->StopLoops(); }

absl::StatusOr<std::unique_ptr<RuleEngineApp>> RuleEngineApp::Create(const RuleEngineOptions& options, Clock& clock,
                                                                     RandomSource& random, Logger logger,
                                                                     metrics::Registry& metrics,
                                                                     auth::Authenticator& authenticator,
                                                                     std::shared_ptr<grpc::Channel> token_registry,
                                                                     std::shared_ptr<grpc::Channel> scheduler) {
  DAVIT_RETURN_IF_ERROR(postgres::MigrateOrCheck(options.owner_conninfo, options.conninfo, kSchema, migrations::kAll));
  DAVIT_ASSIGN_OR_RETURN(std::unique_ptr<postgres::Pool> pool,
                         postgres::Pool::Open({.conninfo = options.conninfo,
                                               .max_connections = options.max_connections,
                                               .application_name = "davit-rule-engine"}));
  return std::unique_ptr<RuleEngineApp>(
      new RuleEngineApp(std::make_unique<Parts>(options, std::move(pool), clock, random, logger, metrics, authenticator,
                                                std::move(token_registry), std::move(scheduler))));
}

std::vector<grpc::Service*> RuleEngineApp::services() { return {parts_->service()}; }

absl::StatusOr<rules::v1::IngestEventsResponse> RuleEngineApp::IngestEvents(
    const crypto::SecretString& token, const rules::v1::IngestEventsRequest& request) {
  return parts_->IngestEvents(token, request);
}

absl::Status RuleEngineApp::Start() {
  parts_->StartLoops();
  return absl::OkStatus();
}

void RuleEngineApp::Drain(absl::Time) { parts_->StopLoops(); }

}  // namespace davit::rule_engine
