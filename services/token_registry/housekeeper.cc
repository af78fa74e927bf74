// Implements housekeeper.h.
#include "services/token_registry/housekeeper.h"

#include <utility>

#include "services/token_registry/connection_directory.h"

namespace davit::token_registry {

Housekeeper::Housekeeper(Store& store, TokenKeeper& tokens, Clock& clock, Logger logger, metrics::Registry& metrics,
                         absl::Duration period)
    : store_(store),
      tokens_(tokens),
      clock_(clock),
      logger_(std::move(logger)),
      tokens_ending_(metrics.GetGauge("davit_token_registry_tokens_ending", "Connections whose token ends soon.")),
      tokens_ended_(metrics.GetGauge("davit_token_registry_tokens_ended", "Connections whose token has ended.")),
      thread_([this, period] { Run(period); }) {}

Housekeeper::~Housekeeper() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

absl::Status Housekeeper::PurgeOnce(Store& store, Clock& clock) {
  const absl::Time now = clock.Now();
  return store.Purge(now - kGrantsKept, now - kAccessesKept);
}

void Housekeeper::LookAfterTokens() {
  tokens_.RefreshAhead();
  const absl::StatusOr<TokenEnds> ends = store_.MarkTokenEnds(clock_.Now(), ConnectionDirectory::kWarnBefore);
  if (!ends.ok()) {
    logger_.Warning("failed to look for tokens that end; trying again later", {{"error", ends.status()}});
    return;
  }
  tokens_ending_.Set(static_cast<double>(ends->ending));
  tokens_ended_.Set(static_cast<double>(ends->ended));
}

void Housekeeper::Run(absl::Duration period) {
  LookAfterTokens();
  absl::MutexLock lock(&mutex_);
  while (!mutex_.AwaitWithTimeout(absl::Condition(&stopping_), period)) {
    mutex_.Unlock();
    LookAfterTokens();
    const absl::Status status = PurgeOnce(store_, clock_);
    if (!status.ok()) logger_.Warning("failed to purge old records; trying again later", {{"error", status}});
    mutex_.Lock();
  }
}

}  // namespace davit::token_registry
