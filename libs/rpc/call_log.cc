// Implements call_log.h. An interceptor belongs to one call; its steps are called one after the other.
#include "libs/rpc/call_log.h"

#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "libs/clock/clock.h"
#include "libs/rpc/metadata.h"
#include "libs/rpc/status_conversion.h"

namespace davit::rpc {
namespace {

using grpc::experimental::InterceptionHookPoints;

// What all calls of a server share.
struct Shared {
  Logger logger;
  metrics::Registry& metrics;
  std::set<std::string> quiet_methods;
  RealClock clock;

  bool IsQuiet(const std::string& method) const {
    return absl::StartsWith(method, "/grpc.") || quiet_methods.count(method) > 0;
  }

  LogLevel LevelOf(const std::string& method, absl::StatusCode code) const {
    switch (code) {
      case absl::StatusCode::kOk:
        return IsQuiet(method) ? LogLevel::kDebug : LogLevel::kInfo;
      case absl::StatusCode::kInternal:
      case absl::StatusCode::kUnknown:
      case absl::StatusCode::kDataLoss:
        return LogLevel::kError;
      case absl::StatusCode::kUnavailable:
      case absl::StatusCode::kDeadlineExceeded:
      case absl::StatusCode::kResourceExhausted:
        return LogLevel::kWarning;
      default:
        return LogLevel::kInfo;
    }
  }
};

std::string ValueOf(const std::multimap<std::string, std::string>* metadata, const char* key) {
  if (metadata == nullptr) return "";
  const auto found = metadata->find(key);
  return found == metadata->end() ? "" : found->second;
}

class CallLog : public grpc::experimental::Interceptor {
 public:
  CallLog(Shared& shared, const char* method) : shared_(shared), method_(method), start_(shared.clock.Monotonic()) {}

  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS)) {
      Finish(FromGrpcStatus(methods->GetSendStatus()), methods->GetSendTrailingMetadata());
    }
    methods->Proceed();
  }

 private:
  void Finish(const absl::Status& status, const std::multimap<std::string, std::string>* trailing) {
    const absl::Duration took = shared_.clock.Monotonic() - start_;
    const std::string code = status.ok() ? "OK" : absl::StatusCodeToString(status.code());
    shared_.metrics
        .GetHistogram("davit_rpc_server_seconds", "Duration of calls by method and code.", metrics::CallSeconds(),
                      {{"method", method_}, {"code", code}})
        .Observe(took);
    const LogLevel level = shared_.LevelOf(method_, status.code());
    if (!shared_.logger.Writes(level)) return;
    const std::string request = ValueOf(trailing, kRequestId);
    const std::string token = ValueOf(trailing, kCallerToken);
    if (status.ok()) {
      shared_.logger.Write(
          level, "call",
          {{"method", method_}, {"code", code}, {"seconds", took}, {"request", request}, {"token", token}});
    } else {
      shared_.logger.Write(level, "call",
                           {{"method", method_},
                            {"code", code},
                            {"error", status.message()},
                            {"seconds", took},
                            {"request", request},
                            {"token", token}});
    }
  }

  Shared& shared_;
  const std::string method_;
  const absl::Duration start_;
};

// Lives as long as the server.
class CallLogFactory : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  CallLogFactory(Logger logger, metrics::Registry& metrics, std::set<std::string> quiet_methods)
      : shared_{std::move(logger), metrics, std::move(quiet_methods), {}} {}

  grpc::experimental::Interceptor* CreateServerInterceptor(grpc::experimental::ServerRpcInfo* info) override {
    return new CallLog(shared_, info->method());
  }

 private:
  Shared shared_;
};

}  // namespace

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> NewCallLog(Logger logger,
                                                                                  metrics::Registry& metrics,
                                                                                  std::set<std::string> quiet_methods) {
  return std::make_unique<CallLogFactory>(std::move(logger), metrics, std::move(quiet_methods));
}

}  // namespace davit::rpc
