// A gRPC server with what every Davit service has: reflection, health, bounds, a log line and metrics per call, a
// drain.
#pragma once

#include <grpcpp/impl/service_type.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/logging/logger.h"
#include "libs/metrics/metrics.h"
#include "libs/rpc/channel.h"

namespace grpc {
class Channel;
class Server;
}  // namespace grpc

namespace davit::rpc {

// How a server is made.
struct ServerOptions {
  // Where to listen: "127.0.0.1:7080", "[::]:7080", "unix:/path"; port 0 takes a free one. May be empty: then the
  // server is reached through InProcessChannel only.
  std::vector<std::string> listen;

  // Most threads that may run synchronous handlers at a time; more calls get RESOURCE_EXHAUSTED.
  int max_threads = 256;

  // Full names of methods that are called all the time ("/davit.scheduler.v1.AgentService/Synchronize"): a call of them
  // that succeeds is logged at debug level.
  std::set<std::string> quiet_methods;
};

// Serves until it is drained or destroyed. Thread-safe.
class Server {
 public:
  // Starts serving `services`, which must outlive the server, as must `metrics`. Logs one line per call to `logger` and
  // counts davit_rpc_server_seconds{method,code}. INVALID_ARGUMENT: an address cannot be listened on.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const ServerOptions& options,
                                                       const std::vector<grpc::Service*>& services, Logger logger,
                                                       metrics::Registry& metrics);

  // Drains without waiting.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // The ports in use, in the order of ServerOptions::listen.
  const std::vector<int>& ports() const { return ports_; }

  // A channel that calls this server without a socket; it must not be used after the server is gone.
  std::shared_ptr<grpc::Channel> InProcessChannel(const ClientOptions& options);

  // What the health service says; SERVING after Start.
  enum class Health { kServing, kNotServing };
  void SetHealth(Health health);

  // Says NOT_SERVING, refuses new calls, lets the open ones end until `deadline`, then cancels them. Returns when no
  // call is left. Draining again changes nothing.
  void Drain(absl::Time deadline);

 private:
  Server(std::unique_ptr<grpc::Server> server, std::vector<int> ports);

  const std::unique_ptr<grpc::Server> server_;
  const std::vector<int> ports_;
};

}  // namespace davit::rpc
