// A BuildKit session: the Session call carries an HTTP/2 connection on which BuildKit is the client. A socket pair
// joins that byte stream to a gRPC server, with one thread for each direction (BuildKit's session/grpchijack does the
// same in Go).
#include "libs/buildkit/session.h"

#include <fcntl.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/server_posix.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <thread>
#include <utility>

#include "absl/strings/string_view.h"
#include "libs/buildkit/file_sync.h"
#include "moby/buildkit/v1/control.grpc.pb.h"
#include "moby/filesync/v1/filesync.grpc.pb.h"

namespace davit::buildkit {
namespace {

namespace control = moby::buildkit::v1;
namespace filesync = moby::filesync::v1;

constexpr size_t kPieceBytes = 256 << 10;
constexpr int kSocketBufferBytes = 1 << 20;
constexpr int kMaxMessageBytes = 16 << 20;

// Docker Hub's registry is asked for under its API's host name.
absl::string_view CanonicalHost(absl::string_view host) {
  return host == "registry-1.docker.io" || host == "index.docker.io" ? "docker.io" : host;
}

// Serves the accounts of one build, and for every other host the answer "none".
class AccountService final : public filesync::Auth::Service {
 public:
  explicit AccountService(const std::vector<RegistryAccount>& accounts) : accounts_(accounts) {}

  grpc::Status Credentials(grpc::ServerContext*, const filesync::CredentialsRequest* request,
                           filesync::CredentialsResponse* response) override {
    for (const RegistryAccount& account : accounts_) {
      if (CanonicalHost(account.host) != CanonicalHost(request->host())) continue;
      response->set_username(account.username);
      response->set_secret(std::string(account.password.Reveal()));
      break;
    }
    return grpc::Status::OK;
  }

 private:
  const std::vector<RegistryAccount>& accounts_;
};

std::map<std::string, const ContextSource*> SharedDirectories(const BuildRequest& request) {
  return {{"context", request.context},
          {"dockerfile", request.dockerfile_source != nullptr ? request.dockerfile_source : request.context}};
}

class OpenSession final : public Session {
 public:
  OpenSession(const std::shared_ptr<grpc::Channel>& channel, const std::string& id, const BuildRequest& request)
      : id_(id),
        files_(SharedDirectories(request)),
        accounts_(request.accounts),
        stub_(control::Control::NewStub(channel)) {
    StartServer();
    call_.AddMetadata("x-docker-expose-session-uuid", id_);
    call_.AddMetadata("x-docker-expose-session-name", "davit");
    call_.AddMetadata("x-docker-expose-session-sharedkey", request.shared_key);
    for (const char* method : {"/moby.filesync.v1.FileSync/DiffCopy", "/moby.filesync.v1.Auth/Credentials",
                               "/grpc.health.v1.Health/Check"}) {
      call_.AddMetadata("x-docker-expose-session-grpc-method", method);
    }
    stream_ = stub_->Session(&call_);
    upward_ = std::thread([this] { CarryUpward(); });
    downward_ = std::thread([this] { CarryDownward(); });
  }

  ~OpenSession() override {
    call_.TryCancel();
    shutdown(carrier_, SHUT_RDWR);
    upward_.join();
    downward_.join();
    stream_->Finish();
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
    close(carrier_);
  }

  const std::string& id() const override { return id_; }
  absl::Status source_error() const override { return files_.source_error(); }

 private:
  void StartServer() {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::ServerBuilder builder;
    builder.RegisterService(&files_);
    builder.RegisterService(&accounts_);
    builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
    builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
    builder.SetSyncServerOption(grpc::ServerBuilder::MIN_POLLERS, 1);
    builder.SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 2);
    server_ = builder.BuildAndStart();
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
      // Out of descriptors: without the pair nothing is served and the build fails for want of its session.
      return;
    }
    for (const int fd : pair) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kSocketBufferBytes, sizeof(kSocketBufferBytes));
    fcntl(pair[0], F_SETFL, O_NONBLOCK);
    carrier_ = pair[1];
    grpc::AddInsecureChannelFromFd(server_.get(), pair[0]);
  }

  // From our server to BuildKit.
  void CarryUpward() {
    control::BytesMessage message;
    std::string& buffer = *message.mutable_data();
    while (true) {
      buffer.resize(kPieceBytes);
      const ssize_t count = read(carrier_, buffer.data(), buffer.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) break;
      buffer.resize(count);
      if (!stream_->Write(message)) break;
    }
    shutdown(carrier_, SHUT_RDWR);
    call_.TryCancel();
  }

  // From BuildKit to our server.
  void CarryDownward() {
    control::BytesMessage message;
    while (stream_->Read(&message)) {
      absl::string_view rest = message.data();
      while (!rest.empty()) {
        const ssize_t count = send(carrier_, rest.data(), rest.size(), MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        rest.remove_prefix(count);
      }
      if (!rest.empty()) break;
    }
    shutdown(carrier_, SHUT_RDWR);
  }

  const std::string id_;
  FileSyncService files_;
  AccountService accounts_;
  std::unique_ptr<grpc::Server> server_;
  int carrier_ = -1;  // Our end of the socket pair; the server owns the other.
  std::unique_ptr<control::Control::Stub> stub_;
  grpc::ClientContext call_;
  std::unique_ptr<grpc::ClientReaderWriter<control::BytesMessage, control::BytesMessage>> stream_;
  std::thread upward_;
  std::thread downward_;
};

}  // namespace

std::unique_ptr<Session> Session::Open(const std::shared_ptr<grpc::Channel>& channel, const std::string& id,
                                       const BuildRequest& request) {
  return std::make_unique<OpenSession>(channel, id, request);
}

}  // namespace davit::buildkit
