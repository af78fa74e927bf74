// Forgets what has no more use (ended grants, old accesses), refreshes tokens before they end, and notes which end soon
// without that. Owns one thread.
#pragma once

#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/clock/clock.h"
#include "libs/logging/logger.h"
#include "libs/metrics/metrics.h"
#include "services/token_registry/store.h"
#include "services/token_registry/token_keeper.h"

namespace davit::token_registry {

// Looks after the store at once and then now and then until it is destroyed. Several replicas may do so at once. The
// gauges davit_token_registry_tokens_ending and davit_token_registry_tokens_ended count connections whose token ends
// within ConnectionDirectory::kWarnBefore and is not refreshed, or has ended.
class Housekeeper {
 public:
  // How long an ended grant is kept (a late call must still be told what became of it), and an access to a secret.
  static constexpr absl::Duration kGrantsKept = absl::Hours(24);
  static constexpr absl::Duration kAccessesKept = absl::Hours(24 * 400);

  // Starts the thread. All but the logger must outlive this.
  Housekeeper(Store& store, TokenKeeper& tokens, Clock& clock, Logger logger, metrics::Registry& metrics,
              absl::Duration period = absl::Minutes(5));

  // Ends the thread; does not wait for the period.
  ~Housekeeper();
  Housekeeper(const Housekeeper&) = delete;
  Housekeeper& operator=(const Housekeeper&) = delete;

  // What the thread does once a period.
  static absl::Status PurgeOnce(Store& store, Clock& clock);

 private:
  void Run(absl::Duration period);
  void LookAfterTokens();

  Store& store_;
  TokenKeeper& tokens_;
  Clock& clock_;
  const Logger logger_;
  metrics::Gauge tokens_ending_;
  metrics::Gauge tokens_ended_;
  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace davit::token_registry
