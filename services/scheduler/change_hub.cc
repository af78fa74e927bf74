// Implements change_hub.h.
#include "services/scheduler/change_hub.h"

#include <set>
#include <utility>

namespace davit::scheduler {
namespace {

// Each so many polls, everybody looks.
constexpr int kRoundsPerTick = 10;

}  // namespace

ChangeHub::ChangeHub(BuildStore& builds, absl::Duration period, RandomSource& random)
    : builds_(builds), loop_(std::make_unique<Loop>(period, random, [this] { return Poll(); })) {}

ChangeHub::~ChangeHub() { loop_->Stop(); }

int64_t ChangeHub::Subscribe(const std::string& build_id, Topic topic, Callback callback) {
  absl::MutexLock lock(&mutex_);
  subscriptions_.emplace(next_id_, Subscription{build_id, topic, std::move(callback)});
  return next_id_++;
}

void ChangeHub::Unsubscribe(int64_t subscription) {
  absl::MutexLock lock(&mutex_);
  subscriptions_.erase(subscription);
}

void ChangeHub::Notify(const std::string& build_id, Topic topic) {
  absl::MutexLock lock(&mutex_);
  for (const auto& [id, subscription] : subscriptions_) {
    // A build's change can be the end of its log.
    const bool concerns = subscription.topic == topic || topic == Topic::kBuild;
    if (concerns && subscription.build_id == build_id) subscription.callback();
  }
}

void ChangeHub::Close() {
  loop_->Stop();
  absl::MutexLock lock(&mutex_);
  closed_ = true;
  for (const auto& [id, subscription] : subscriptions_) subscription.callback();
}

bool ChangeHub::closed() const {
  absl::MutexLock lock(&mutex_);
  return closed_;
}

Loop::Again ChangeHub::Poll() {
  std::set<std::string> watched;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [id, subscription] : subscriptions_) watched.insert(subscription.build_id);
    std::erase_if(seen_, [&watched](const auto& entry) { return !watched.contains(entry.first); });
  }
  if (watched.empty()) return Loop::Again::kLater;
  // An error shows to the watchers themselves when they next look, at the latest at the tick.
  const absl::StatusOr<std::vector<BuildVersion>> versions =
      builds_.Versions(std::vector<std::string>(watched.begin(), watched.end()));
  if (versions.ok()) Compare(*versions);
  if (++round_ % kRoundsPerTick == 0) {
    absl::MutexLock lock(&mutex_);
    for (const auto& [id, subscription] : subscriptions_) subscription.callback();
  }
  return Loop::Again::kLater;
}

void ChangeHub::Compare(const std::vector<BuildVersion>& versions) {
  absl::MutexLock lock(&mutex_);
  for (const BuildVersion& version : versions) {
    const auto [entry, first] = seen_.try_emplace(version.id, version);
    if (!first && entry->second == version) continue;
    entry->second = version;
    for (const auto& [id, subscription] : subscriptions_) {
      if (subscription.build_id == version.id) subscription.callback();
    }
  }
}

}  // namespace davit::scheduler
