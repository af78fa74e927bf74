// Implements server.h over grpc::ServerBuilder.
#include "libs/rpc/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <deque>
#include <mutex>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "libs/rpc/call_log.h"

namespace davit::rpc {
namespace {

// gRPC adds these two services to every server that is built after they were switched on for the process.
void EnableReflectionAndHealth() {
  static std::once_flag once;
  std::call_once(once, [] {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  });
}

void SetBounds(grpc::ServerBuilder& builder, const ServerOptions& options) {
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.SetMaxSendMessageSize(kMaxMessageBytes);
  grpc::ResourceQuota quota("davit-server");
  quota.SetMaxThreads(options.max_threads);
  builder.SetResourceQuota(quota);
  builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  // gRPC ends a thread after a call when more than this many wait for calls, and makes one anew for the next.
  builder.SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 8);
  // Two servers on one port would share its calls without a word.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // Clients may ask whether the server is there, also while no call is open, every 10 s.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10000);
  // A client that is gone must not hold a parked call for ever.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20000);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const ServerOptions& options,
                                                      const std::vector<grpc::Service*>& services, Logger logger,
                                                      metrics::Registry& metrics) {
  EnableReflectionAndHealth();
  grpc::ServerBuilder builder;
  SetBounds(builder, options);
  std::deque<int> ports;  // gRPC writes to its elements; a deque does not move them.
  for (const std::string& address : options.listen) {
    ports.push_back(0);
    builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &ports.back());
  }
  for (grpc::Service* service : services) builder.RegisterService(service);
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> interceptors;
  interceptors.push_back(NewCallLog(std::move(logger), metrics, options.quiet_methods));
  builder.experimental().SetInterceptorCreators(std::move(interceptors));
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("listen: cannot listen on ", absl::StrJoin(options.listen, ", "),
                                                   " (host:port of this machine that is free, or unix:/path)"));
  }
  auto started = absl::WrapUnique(new Server(std::move(server), {ports.begin(), ports.end()}));
  started->SetHealth(Health::kServing);
  return started;
}

Server::Server(std::unique_ptr<grpc::Server> server, std::vector<int> ports)
    : server_(std::move(server)), ports_(std::move(ports)) {}

Server::~Server() { Drain(absl::InfinitePast()); }

std::shared_ptr<grpc::Channel> Server::InProcessChannel(const ClientOptions& options) {
  return server_->experimental().InProcessChannelWithInterceptors(ClientArguments(options),
                                                                  ClientInterceptors(options));
}

void Server::SetHealth(Health health) {
  server_->GetHealthCheckService()->SetServingStatus(health == Health::kServing);
}

void Server::Drain(absl::Time deadline) {
  SetHealth(Health::kNotServing);
  server_->Shutdown(absl::ToChronoTime(std::max(deadline, absl::Now() - absl::Seconds(1))));
  server_->Wait();
}

}  // namespace davit::rpc
