// A BuildKit session: the Session call carries an HTTP/2 connection on which BuildKit is the client (BuildKit's
// session/grpchijack). One thread for each direction passes its bytes between the call and a SessionServer.
#include "libs/buildkit/session.h"

#include <grpcpp/grpcpp.h>

#include <functional>
#include <map>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "libs/buildkit/file_sync.h"
#include "libs/buildkit/session_server.h"
#include "moby/buildkit/secrets/v1/secrets.pb.h"
#include "moby/buildkit/v1/control.grpc.pb.h"
#include "moby/filesync/v1/filesync.pb.h"

namespace davit::buildkit {
namespace {

namespace control = moby::buildkit::v1;
namespace filesync = moby::filesync::v1;
namespace secret_proto = moby::buildkit::secrets::v1;

// At most about this much of the connection goes into one message of the Session call.
constexpr size_t kPieceBytes = 256 << 10;
constexpr char kDiffCopy[] = "/moby.filesync.v1.FileSync/DiffCopy";
constexpr char kCredentials[] = "/moby.filesync.v1.Auth/Credentials";
constexpr char kGetSecret[] = "/moby.buildkit.secrets.v1.Secrets/GetSecret";
constexpr char kHealthCheck[] = "/grpc.health.v1.Health/Check";
// A HealthCheckResponse whose field 1, the status, is SERVING.
constexpr absl::string_view kServing = "\x08\x01";

// Docker Hub's registry is asked for under its API's host name.
absl::string_view CanonicalHost(absl::string_view host) {
  return host == "registry-1.docker.io" || host == "index.docker.io" ? "docker.io" : host;
}

// Answers a unary call; `answer` makes the response from the request, both serialized.
absl::Status AnswerOnce(ServerCall& call, const std::function<std::string(const std::string&)>& answer) {
  std::string request;
  if (!call.Read(&request)) return absl::InvalidArgumentError("a request is missing");
  call.Write(answer(request), /*more_follows=*/false);
  return absl::OkStatus();
}

// The account for a registry that BuildKit asks for; "none" for every host that the build has no account for.
std::string CredentialsFor(const std::vector<RegistryAccount>& accounts, const std::string& serialized_request) {
  filesync::CredentialsRequest request;
  filesync::CredentialsResponse response;
  if (!request.ParseFromString(serialized_request)) return "";
  for (const RegistryAccount& account : accounts) {
    if (CanonicalHost(account.host) != CanonicalHost(request.host())) continue;
    response.set_username(account.username);
    response.set_secret(std::string(account.password.Reveal()));
    break;
  }
  return response.SerializeAsString();
}

// Answers with a secret of the build from memory. NOT_FOUND for any other: a step that does not need it goes on.
absl::Status ServeSecret(ServerCall& call, const std::vector<NamedSecret>& secrets) {
  std::string serialized;
  secret_proto::GetSecretRequest request;
  if (!call.Read(&serialized) || !request.ParseFromString(serialized)) {
    return absl::InvalidArgumentError("a request is missing");
  }
  for (const NamedSecret& secret : secrets) {
    if (secret.id != request.id()) continue;
    secret_proto::GetSecretResponse response;
    response.set_data(secret.value.Reveal());
    call.Write(response.SerializeAsString(), /*more_follows=*/false);
    return absl::OkStatus();
  }
  // BuildKit prints this beside the step that asked.
  return absl::NotFoundError(absl::StrCat("no secret ", request.id(), " in the rule or the request of this build"));
}

std::map<std::string, const ContextSource*> SharedDirectories(const BuildRequest& request) {
  return {{"context", request.context},
          {"dockerfile", request.dockerfile_source != nullptr ? request.dockerfile_source : request.context}};
}

class OpenSession final : public Session {
 public:
  OpenSession(const std::shared_ptr<grpc::Channel>& channel, const std::string& id, const BuildRequest& request)
      : id_(id),
        files_(SharedDirectories(request)),
        server_(Methods(request)),
        stub_(control::Control::NewStub(channel)) {
    call_.AddMetadata("x-docker-expose-session-uuid", id_);
    call_.AddMetadata("x-docker-expose-session-name", "davit");
    call_.AddMetadata("x-docker-expose-session-sharedkey", request.shared_key);
    for (const char* method : {kDiffCopy, kCredentials, kGetSecret, kHealthCheck}) {
      call_.AddMetadata("x-docker-expose-session-grpc-method", method);
    }
    stream_ = stub_->Session(&call_);
    upward_ = std::thread([this] { CarryUpward(); });
    downward_ = std::thread([this] { CarryDownward(); });
  }

  ~OpenSession() override {
    call_.TryCancel();
    server_.Close();
    upward_.join();
    downward_.join();
    stream_->Finish();
  }

  const std::string& id() const override { return id_; }
  absl::Status source_error() const override { return files_.source_error(); }

 private:
  std::map<std::string, SessionServer::Handler> Methods(const BuildRequest& request) {
    return {
        {kDiffCopy, [this](ServerCall& call) { return files_.DiffCopy(call); }},
        {kCredentials,
         [&accounts = request.accounts](ServerCall& call) {
           return AnswerOnce(call, [&](const std::string& asked) { return CredentialsFor(accounts, asked); });
         }},
        {kGetSecret, [&secrets = request.secrets](ServerCall& call) { return ServeSecret(call, secrets); }},
        {kHealthCheck,
         [](ServerCall& call) { return AnswerOnce(call, [](const std::string&) { return std::string(kServing); }); }},
    };
  }

  // From our server to BuildKit.
  void CarryUpward() {
    control::BytesMessage message;
    while (server_.TakeOutput(message.mutable_data(), kPieceBytes)) {
      if (!stream_->Write(message)) break;
    }
    server_.Close();
    call_.TryCancel();
  }

  // From BuildKit to our server.
  void CarryDownward() {
    control::BytesMessage message;
    while (stream_->Read(&message)) {
      if (!server_.Receive(message.data()).ok()) break;
    }
    server_.Close();
  }

  const std::string id_;
  FileSync files_;
  SessionServer server_;
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
