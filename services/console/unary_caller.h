// Makes unary calls of any method, as a person. Thread-safe.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "libs/crypto/secret.h"
#include "services/console/api_methods.h"

namespace google::protobuf {
class Message;
}
namespace grpc {
class Channel;
}

namespace davit::console {

// The channels to the services; they carry no token of their own.
struct Backends {
  std::shared_ptr<grpc::Channel> token_registry;
  std::shared_ptr<grpc::Channel> rule_engine;
  std::shared_ptr<grpc::Channel> scheduler;
};

class UnaryCaller {
 public:
  explicit UnaryCaller(Backends backends) : backends_(std::move(backends)) {}
  virtual ~UnaryCaller() = default;

  // Calls `method` with the token of whoever asks; blocks until the answer or the method's time-out. The services'
  // errors come back as they are.
  virtual absl::Status Call(const ApiMethod& method, const crypto::SecretString& token,
                            const google::protobuf::Message& request, google::protobuf::Message& response);

 private:
  const Backends backends_;
};

}  // namespace davit::console
