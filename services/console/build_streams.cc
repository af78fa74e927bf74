// Implements build_streams.h.
#include "services/console/build_streams.h"

#include <grpcpp/channel.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "davit/scheduler/v1/scheduler.grpc.pb.h"
#include "libs/rpc/client_context.h"
#include "services/console/json_codec.h"
#include "services/console/stream_relay.h"

namespace davit::console {

namespace v1 = scheduler::v1;

absl::StatusOr<LogPosition> ParseLogPosition(absl::string_view event_id) {
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(event_id, absl::MaxSplits(':', 1));
  LogPosition position;
  if (!absl::SimpleAtoi(parts.first, &position.attempt) || !absl::SimpleAtoi(parts.second, &position.offset) ||
      position.attempt < 0 || position.offset < 0) {
    return absl::InvalidArgumentError("Last-Event-ID: expected ATTEMPT:OFFSET");
  }
  return position;
}

namespace {

// A piece of a log. Made by hand: protobuf's JSON takes several times as long, which shows with long logs.
std::string LogEvent(const v1::ReadLogResponse& message) {
  const int64_t next = message.offset() + static_cast<int64_t>(message.data().size());
  return absl::StrCat("event: log\nid: ", message.attempt(), ":", next, "\ndata: {\"attempt\":", message.attempt(),
                      ",\"offset\":\"", message.offset(), "\",\"data\":\"", absl::Base64Escape(message.data()),
                      "\",\"end_of_attempt\":", message.end_of_attempt() ? "true" : "false",
                      ",\"complete\":", message.complete() ? "true" : "false", "}\n\n");
}

}  // namespace

class BuildStreams::Impl {
 public:
  explicit Impl(const std::shared_ptr<grpc::Channel>& scheduler) : stub(v1::Scheduler::NewStub(scheduler)) {}

  const std::unique_ptr<v1::Scheduler::Stub> stub;
  RelayCount relays;
};

BuildStreams::BuildStreams(std::shared_ptr<grpc::Channel> scheduler) : impl_(std::make_unique<Impl>(scheduler)) {}

BuildStreams::~BuildStreams() { impl_->relays.AwaitNone(); }

void BuildStreams::WatchBuild(const crypto::SecretString& token, const std::string& project,
                              const std::string& build_id, std::shared_ptr<http::BytePipe> pipe) {
  v1::WatchBuildRequest request;
  request.set_project(project);
  request.set_id(build_id);
  auto* relay = new StreamRelay<v1::WatchBuildResponse>(
      std::move(pipe), impl_->relays,
      [](const v1::WatchBuildResponse& message) {
        return FormatEvent("build", "", ToJson(message.build()).value_or("{}"));
      },
      [] { return FormatEvent("end", "", "{}"); });
  rpc::SetBearerToken(relay->context(), token.Reveal());
  impl_->stub->async()->WatchBuild(&relay->context(), &request, relay);
  relay->Begin();
}

void BuildStreams::ReadLog(const crypto::SecretString& token, const std::string& project, const std::string& build_id,
                           LogPosition from, Follow follow, std::shared_ptr<http::BytePipe> pipe) {
  v1::ReadLogRequest request;
  request.set_project(project);
  request.set_build_id(build_id);
  request.set_attempt(from.attempt);
  request.set_offset(from.offset);
  request.set_follow(follow == Follow::kYes);
  const auto last = std::make_shared<v1::ReadLogResponse>();  // without data; for the event `end`
  last->set_attempt(from.attempt);
  auto* relay = new StreamRelay<v1::ReadLogResponse>(
      std::move(pipe), impl_->relays,
      [last](const v1::ReadLogResponse& message) {
        last->set_attempt(message.attempt());
        last->set_end_of_attempt(message.end_of_attempt());
        last->set_complete(message.complete());
        return LogEvent(message);
      },
      [last] {
        const nlohmann::json end = {
            {"attempt", last->attempt()}, {"end_of_attempt", last->end_of_attempt()}, {"complete", last->complete()}};
        return FormatEvent("end", "", end.dump());
      });
  rpc::SetBearerToken(relay->context(), token.Reveal());
  impl_->stub->async()->ReadLog(&relay->context(), &request, relay);
  relay->Begin();
}

}  // namespace davit::console
