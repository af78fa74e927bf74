// Tells watchers that a build or its log has changed: at once for changes made in this process, within a poll for those
// of other replicas. Owns the subscriptions and one polling thread; every function may be called from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/ids/random.h"
#include "services/scheduler/loop.h"
#include "services/scheduler/store/build_store.h"

namespace davit::scheduler {

// What a subscription is about.
enum class Topic { kBuild, kLog };

// Callbacks run under the hub's lock: they must be short, must not block and must not call the hub.
class ChangeHub {
 public:
  using Callback = std::function<void()>;

  // Polls the builds that are watched each `period`; every tenth time all callbacks run, for what depends on time only.
  ChangeHub(BuildStore& builds, absl::Duration period, RandomSource& random);
  ~ChangeHub();

  // Calls `callback` after each change until Unsubscribe.
  int64_t Subscribe(const std::string& build_id, Topic topic, Callback callback);

  // After it returns the callback is not running and will not run.
  void Unsubscribe(int64_t subscription);

  // Something has changed in this process.
  void Notify(const std::string& build_id, Topic topic);

  // Calls every callback once and stops polling: the watchers are to end.
  void Close();

  // Whether Close was called.
  bool closed() const;

 private:
  struct Subscription {
    std::string build_id;
    Topic topic;
    Callback callback;
  };

  Loop::Again Poll();
  void Compare(const std::vector<BuildVersion>& versions);

  BuildStore& builds_;
  mutable absl::Mutex mutex_;
  int64_t next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  std::map<int64_t, Subscription> subscriptions_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, BuildVersion> seen_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  int round_ = 0;  // Of the polling thread.
  std::unique_ptr<Loop> loop_;
};

}  // namespace davit::scheduler
