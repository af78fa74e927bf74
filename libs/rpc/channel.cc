// Implements channel.h. The interceptor runs on the threads of the callers.
#include "libs/rpc/channel.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/clock/clock.h"
#include "libs/ids/ids.h"
#include "libs/ids/random.h"
#include "libs/rpc/metadata.h"

namespace davit::rpc {
namespace {

using grpc::experimental::InterceptionHookPoints;

// Adds what the context does not hold yet: the channel's token and a new request id.
class CallMetadata : public grpc::experimental::Interceptor {
 public:
  CallMetadata(const crypto::SecretString& token, RealClock& clock, SystemRandom& random)
      : token_(token), clock_(clock), random_(random) {}

  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
      std::multimap<std::string, std::string>& metadata = *methods->GetSendInitialMetadata();
      if (metadata.count(kRequestId) == 0) metadata.emplace(kRequestId, NewId("req", clock_, random_));
      if (!token_.empty() && metadata.count(kAuthorization) == 0) {
        metadata.emplace(kAuthorization, absl::StrCat("Bearer ", token_.Reveal()));
      }
    }
    methods->Proceed();
  }

 private:
  const crypto::SecretString& token_;
  RealClock& clock_;
  SystemRandom& random_;
};

// Lives as long as the channel, and so do its interceptors' references.
class CallMetadataFactory : public grpc::experimental::ClientInterceptorFactoryInterface {
 public:
  explicit CallMetadataFactory(crypto::SecretString token) : token_(std::move(token)) {}

  grpc::experimental::Interceptor* CreateClientInterceptor(grpc::experimental::ClientRpcInfo*) override {
    return new CallMetadata(token_, clock_, random_);
  }

 private:
  const crypto::SecretString token_;
  RealClock clock_;
  SystemRandom random_;
};

using Interceptors = std::vector<std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>>;

Interceptors InterceptorsWith(crypto::SecretString token) {
  Interceptors interceptors;
  interceptors.push_back(std::make_unique<CallMetadataFactory>(std::move(token)));
  return interceptors;
}

}  // namespace

grpc::ChannelArguments ClientArguments(const ClientOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetMaxSendMessageSize(kMaxMessageBytes);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, static_cast<int>(absl::ToInt64Milliseconds(options.keepalive)));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10000);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 200);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5000);
  // A proxy of the environment is for the way out, not for the way between services.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // What may be repeated is decided by the caller (status/retry.h).
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  return arguments;
}

Interceptors ClientInterceptors(const ClientOptions& options) { return InterceptorsWith(options.token); }

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target, ClientOptions options) {
  const grpc::ChannelArguments arguments = ClientArguments(options);
  return grpc::experimental::CreateCustomChannelWithInterceptors(target, grpc::InsecureChannelCredentials(), arguments,
                                                                 InterceptorsWith(std::move(options.token)));
}

}  // namespace davit::rpc
