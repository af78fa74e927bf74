// Implements session_store.h. Streams are closed without holding the store's lock.
#include "services/console/session_store.h"

#include <algorithm>
#include <utility>

#include "libs/crypto/hash.h"
#include "libs/crypto/token.h"

namespace davit::console {
namespace {

constexpr size_t kMaxStreams = 32;  // of one session; a browser opens six connections to a server

}  // namespace

absl::Status Session::Attach(const std::shared_ptr<http::BytePipe>& stream) {
  absl::MutexLock lock(&mutex_);
  if (ended_) return absl::UnauthenticatedError("sign in first");
  std::erase_if(streams_, [](const std::weak_ptr<http::BytePipe>& open) {
    const std::shared_ptr<http::BytePipe> alive = open.lock();
    return alive == nullptr || alive->state() == http::BytePipe::State::kClosed;
  });
  if (streams_.size() >= kMaxStreams) return absl::ResourceExhaustedError("too many open streams of this session");
  streams_.push_back(stream);
  return absl::OkStatus();
}

void Session::End() {
  std::vector<std::weak_ptr<http::BytePipe>> streams;
  {
    absl::MutexLock lock(&mutex_);
    ended_ = true;
    streams.swap(streams_);
  }
  for (const std::weak_ptr<http::BytePipe>& open : streams) {
    if (const std::shared_ptr<http::BytePipe> stream = open.lock()) stream->End();
  }
}

SessionStore::SessionStore(SessionLimits limits, Clock& clock, RandomSource& random)
    : limits_(limits), clock_(clock), random_(random) {}

SessionStore::Created SessionStore::Create(SignedIn who) {
  Created created{crypto::RandomToken(random_, ""), nullptr};
  const std::string token_id = who.token_id;
  created.session = std::make_shared<Session>(std::move(who), crypto::RandomToken(random_, "").Reveal());
  const absl::Duration now = clock_.Monotonic();
  std::vector<std::shared_ptr<Session>> ended;
  {
    absl::MutexLock lock(&mutex_);
    ended = MakeRoom(token_id, now);
    entries_[crypto::Sha256(created.id.Reveal())] = {created.session, now, now};
  }
  for (const std::shared_ptr<Session>& session : ended) session->End();
  return created;
}

std::shared_ptr<Session> SessionStore::Find(absl::string_view id, Use use) {
  const absl::Duration now = clock_.Monotonic();
  std::shared_ptr<Session> ended;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = entries_.find(crypto::Sha256(id));
    if (found == entries_.end()) return nullptr;
    if (!Expired(found->second, now)) {
      if (use == Use::kTouches) found->second.last_used = now;
      return found->second.session;
    }
    ended = std::move(found->second.session);
    entries_.erase(found);
  }
  ended->End();
  return nullptr;
}

void SessionStore::End(absl::string_view id) {
  std::shared_ptr<Session> ended;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = entries_.find(crypto::Sha256(id));
    if (found == entries_.end()) return;
    ended = std::move(found->second.session);
    entries_.erase(found);
  }
  ended->End();
}

void SessionStore::EndAll() {
  Entries all;
  {
    absl::MutexLock lock(&mutex_);
    all.swap(entries_);
  }
  for (const auto& [key, entry] : all) entry.session->End();
}

size_t SessionStore::size() const {
  absl::MutexLock lock(&mutex_);
  return entries_.size();
}

bool SessionStore::Expired(const Entry& entry, absl::Duration now) const {
  return now - entry.created >= limits_.lifetime || now - entry.last_used >= limits_.idle;
}

std::vector<std::shared_ptr<Session>> SessionStore::MakeRoom(const std::string& token_id, absl::Duration now) {
  std::vector<std::shared_ptr<Session>> ended;
  size_t of_token = 0;
  auto oldest = entries_.end(), oldest_of_token = entries_.end();
  const auto is_older = [this](Entries::iterator left, Entries::iterator right) {
    return right == entries_.end() || left->second.last_used < right->second.last_used;
  };
  for (auto it = entries_.begin(); it != entries_.end();) {
    const auto current = it++;
    if (Expired(current->second, now)) {
      ended.push_back(std::move(current->second.session));
      entries_.erase(current);
      continue;
    }
    if (is_older(current, oldest)) oldest = current;
    if (current->second.session->who().token_id != token_id) continue;
    ++of_token;
    if (is_older(current, oldest_of_token)) oldest_of_token = current;
  }
  auto extra = entries_.end();
  if (of_token >= limits_.max_per_token) {
    extra = oldest_of_token;
  } else if (entries_.size() >= limits_.max_sessions) {
    extra = oldest;
  }
  if (extra != entries_.end()) {
    ended.push_back(std::move(extra->second.session));
    entries_.erase(extra);
  }
  return ended;
}

}  // namespace davit::console
