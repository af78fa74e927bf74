// Implements build_list_hub.h.
#include "services/console/build_list_hub.h"

#include <google/protobuf/message.h>

#include <algorithm>
#include <utility>

#include "services/console/api_error.h"
#include "services/console/event_source.h"
#include "services/console/json_codec.h"

namespace davit::console {
namespace {

constexpr absl::Duration kInterval = absl::Seconds(1);
constexpr absl::Duration kTrust = absl::Seconds(30);  // how long a token that worked is not tried again
constexpr size_t kMaxTriesARound = 20;                // of one project, so that many viewers do not hold others up

// Whether a call with the same token may work again.
bool MayPass(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
      return true;
    default:
      return false;
  }
}

}  // namespace

BuildListHub::BuildListHub(UnaryCaller& caller, const ApiMethods& methods, Clock& clock)
    : caller_(caller), methods_(methods), clock_(clock) {}

BuildListHub::~BuildListHub() { Stop(); }

void BuildListHub::Start() {
  thread_ = std::thread([this] { Run(); });
}

void BuildListHub::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

void BuildListHub::Watch(const crypto::SecretString& token, const std::string& project,
                         std::shared_ptr<http::BytePipe> pipe) {
  auto viewer = std::make_shared<Viewer>();
  viewer->token = token;
  viewer->pipe = std::move(pipe);
  absl::MutexLock lock(&mutex_);
  projects_[project].viewers.push_back(std::move(viewer));
  fresh_ = true;
}

void BuildListHub::Run() {
  while (true) {
    PollOnce();
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(
        absl::Condition(
            +[](BuildListHub* self) ABSL_NO_THREAD_SAFETY_ANALYSIS { return self->stopping_ || self->fresh_; }, this),
        kInterval);
    if (stopping_) return;
  }
}

void BuildListHub::PollOnce() {
  std::vector<std::string> names;
  {
    absl::MutexLock lock(&mutex_);
    fresh_ = false;
    for (auto it = projects_.begin(); it != projects_.end();) {
      std::erase_if(it->second.viewers, [](const std::shared_ptr<Viewer>& viewer) {
        return viewer->pipe->state() == http::BytePipe::State::kClosed;
      });
      if (it->second.viewers.empty()) {
        it = projects_.erase(it);
      } else {
        names.push_back((it++)->first);
      }
    }
  }
  for (const std::string& project : names) {
    for (const std::shared_ptr<Viewer>& viewer : Due(project)) Ask(project, *viewer);
    Send(project);
  }
}

std::vector<std::shared_ptr<BuildListHub::Viewer>> BuildListHub::Due(const std::string& project) {
  const absl::Duration now = clock_.Monotonic();
  absl::MutexLock lock(&mutex_);
  if (stopping_) return {};
  std::vector<std::shared_ptr<Viewer>> due = projects_[project].viewers;
  std::sort(due.begin(), due.end(), [](const auto& left, const auto& right) { return left->tried < right->tried; });
  size_t count = 0;
  while (count < std::min(due.size(), kMaxTriesARound) && (count == 0 || now - due[count]->tried >= kTrust)) ++count;
  due.resize(count);
  return due;
}

void BuildListHub::Ask(const std::string& project, Viewer& viewer) {
  const ApiMethod& method = *methods_.Find("scheduler", "ListBuilds");
  const std::unique_ptr<google::protobuf::Message> request(method.request->New()), response(method.response->New());
  const google::protobuf::Descriptor& fields = *request->GetDescriptor();
  request->GetReflection()->SetString(request.get(), fields.FindFieldByName("project"), project);
  const absl::Status status = caller_.Call(method, viewer.token, *request, *response);
  if (!status.ok()) {
    if (MayPass(status)) return;
    viewer.pipe->Write(FormatEvent("failed", "", ErrorJson(status)));
    viewer.pipe->End();
    return;
  }
  std::string event = FormatEvent("builds", "", ToJson(*response).value_or("{}"));
  absl::MutexLock lock(&mutex_);
  viewer.tried = clock_.Monotonic();
  Project& known = projects_[project];
  if (known.page != nullptr && *known.page == event) return;
  known.page = std::make_shared<const std::string>(std::move(event));
  ++known.version;
}

void BuildListHub::Send(const std::string& project) {
  const absl::Duration now = clock_.Monotonic();
  absl::MutexLock lock(&mutex_);
  const Project& known = projects_[project];
  for (const std::shared_ptr<Viewer>& viewer : known.viewers) {
    if (known.page == nullptr || viewer->sent == known.version) continue;
    // Twice the trust: with very many viewers a token's turn comes later.
    if (now - viewer->tried >= 2 * kTrust) continue;
    if (viewer->pipe->state() != http::BytePipe::State::kReady) continue;
    viewer->pipe->Write(*known.page);
    viewer->sent = known.version;
  }
}

}  // namespace davit::console
