// Channels to Davit's services: keepalive, message bounds, bearer token and request id on every call.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/support/channel_arguments.h>
#include <grpcpp/support/client_interceptor.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "libs/crypto/secret.h"

namespace davit::rpc {

// The largest message that clients and servers accept.
inline constexpr int kMaxMessageBytes = 16 << 20;

// How a channel is made.
struct ClientOptions {
  // Sent as `authorization: Bearer …` with every call whose context has no authorization of its own; empty = nothing is
  // sent.
  crypto::SecretString token;

  // How long the connection may be silent, while calls are open, before the server is asked whether it is still there.
  absl::Duration keepalive = absl::Seconds(30);
};

// A channel to "host:port", "dns:///host:port" or "unix:/path". It connects when it is first used and by itself again
// after a failure, at most 5 s apart.
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target, ClientOptions options);

// The channel arguments and interceptors that MakeChannel uses, for in-process channels (see Server::InProcessChannel).
grpc::ChannelArguments ClientArguments(const ClientOptions& options);
std::vector<std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>> ClientInterceptors(
    const ClientOptions& options);

}  // namespace davit::rpc
