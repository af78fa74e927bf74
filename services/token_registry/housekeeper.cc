// Implements housekeeper.h.
#include "services/token_registry/housekeeper.h"

#include <utility>

namespace davit::token_registry {

Housekeeper::Housekeeper(Store& store, Clock& clock, Logger logger, absl::Duration period)
    : store_(store), clock_(clock), logger_(std::move(logger)), thread_([this, period] { Run(period); }) {}

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

void Housekeeper::Run(absl::Duration period) {
  absl::MutexLock lock(&mutex_);
  while (!mutex_.AwaitWithTimeout(absl::Condition(&stopping_), period)) {
    mutex_.Unlock();
    const absl::Status status = PurgeOnce(store_, clock_);
    if (!status.ok()) logger_.Warning("failed to purge old records; trying again later", {{"error", status}});
    mutex_.Lock();
  }
}

}  // namespace davit::token_registry
