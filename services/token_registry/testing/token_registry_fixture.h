// A token-registry for tests: real PostgreSQL, fake providers, a channel in process, a token of every role.
#pragma once

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <map>
#include <set>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "davit/registry/v1/identity.grpc.pb.h"
#include "davit/registry/v1/token_registry.grpc.pb.h"
#include "libs/clock/testing/fake_clock.h"
#include "libs/crypto/key_ring.h"
#include "libs/ids/testing/fake_random.h"
#include "libs/logging/testing/captured_log.h"
#include "libs/postgres/testing/test_database.h"
#include "libs/rpc/client_context.h"
#include "libs/rpc/server.h"
#include "libs/rpc/status_conversion.h"
#include "services/token_registry/testing/fake_provider_client.h"
#include "services/token_registry/token_registry_app.h"

namespace davit::token_registry {

namespace v1 = ::davit::registry::v1;
using Registry = v1::TokenRegistry::StubInterface;
using Identity = v1::IdentityService::StubInterface;

inline constexpr char kSourceToken[] = "planted-source-token-7Qk2";
inline constexpr char kPassword[] = "planted registry password 9Zx1";

// Role names of tests → bootstrap roles and projects.
inline const std::map<std::string, std::string>& Roles() {
  static const auto* const roles = new std::map<std::string, std::string>{
      {"root", "admin *"},          {"admin", "admin default"},   {"developer", "developer default"},
      {"viewer", "viewer default"}, {"agent", "agent *"},         {"gateway", "gateway *"},
      {"engine", "rule-engine *"},  {"scheduler", "scheduler *"}, {"console", "console *"},
      {"stranger", "admin other"}};
  return *roles;
}

// The token of one of them.
inline std::string TokenOf(const std::string& who) {
  return absl::StrCat("dvt_", who, std::string(40 - who.size(), '0'));
}

// Matches a status by its message.
MATCHER_P(Says, message, "") {
  return testing::ExplainMatchResult(message, std::string(arg.message()), result_listener);
}

class TokenRegistryAppTest : public testing::Test {
 protected:
  TokenRegistryAppTest() {
    const std::string key_file = testing::TempDir() + "/keys";
    const std::string token_file = testing::TempDir() + "/tokens";
    std::ofstream(key_file) << crypto::KeyRing::NewFileText("k1", random_).Reveal();
    chmod(key_file.c_str(), 0600);
    std::ofstream tokens(token_file);
    for (const auto& [who, role] : Roles()) tokens << role << " " << TokenOf(who) << "\n";
    tokens.close();
    options_.database = database_.app_conninfo("token_registry");
    options_.owner_database = database_.owner_conninfo("token_registry");
    options_.database_connections = 2;
    options_.key_file = key_file;
    options_.bootstrap_tokens_file = token_file;
    Restart();
  }

  // Makes the app anew over the same database.
  void Restart() {
    server_.reset();
    app_.reset();
    auto provider = std::make_unique<FakeProviderClient>();
    provider_ = provider.get();
    auto app = TokenRegistryApp::Create(options_, clock_, random_, log_.logger(), metrics_, std::move(provider));
    ASSERT_TRUE(app.ok()) << app.status();
    app_ = *std::move(app);
    ASSERT_TRUE(app_->Start().ok());
    auto server = rpc::Server::Start(rpc::ServerOptions(), app_->services(), log_.logger(), metrics_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    channel_ = server_->InProcessChannel({});
    registry_ = v1::TokenRegistry::NewStub(channel_);
    identity_ = v1::IdentityService::NewStub(channel_);
  }

  // Calls a method of the TokenRegistry as `who`.
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(const std::string& who,
                                grpc::Status (v1::TokenRegistry::StubInterface::*method)(grpc::ClientContext*,
                                                                                         const Request&, Response*),
                                const Request& request) {
    grpc::ClientContext context;
    rpc::SetDeadline(context, absl::Seconds(20));
    rpc::SetBearerToken(context, TokenOf(who));
    Response response;
    const absl::Status status = rpc::FromGrpcStatus((registry_.get()->*method)(&context, request, &response));
    if (!status.ok()) return status;
    return response;
  }

  // The same for the IdentityService, with any token.
  template <typename Request, typename Response>
  absl::StatusOr<Response> CallIdentity(const std::string& token,
                                        grpc::Status (v1::IdentityService::StubInterface::*method)(grpc::ClientContext*,
                                                                                                   const Request&,
                                                                                                   Response*),
                                        const Request& request) {
    grpc::ClientContext context;
    rpc::SetDeadline(context, absl::Seconds(20));
    rpc::SetBearerToken(context, token);
    Response response;
    const absl::Status status = rpc::FromGrpcStatus((identity_.get()->*method)(&context, request, &response));
    if (!status.ok()) return status;
    return response;
  }

  // Calls any method with an empty request; without a token if it is empty.
  absl::StatusCode CallEmpty(const std::string& method, const std::string& token) {
    grpc::GenericStub stub(channel_);
    grpc::ClientContext context;
    rpc::SetDeadline(context, absl::Seconds(20));
    if (!token.empty()) rpc::SetBearerToken(context, token);
    grpc::CompletionQueue queue;
    const grpc::ByteBuffer request(nullptr, 0);
    auto call = stub.PrepareUnaryCall(&context, method, request, &queue);
    call->StartCall();
    grpc::ByteBuffer response;
    grpc::Status status;
    call->Finish(&response, &status, this);
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue.Next(&tag, &ok));
    return rpc::FromGrpcStatus(status).code();
  }

  static v1::CreateConnectionRequest ConnectionRequest(const std::string& name = "hub") {
    v1::CreateConnectionRequest request;
    request.mutable_connection()->set_display_name(name);
    request.mutable_connection()->set_provider(v1::PROVIDER_GITHUB);
    request.set_token(kSourceToken);
    return request;
  }

  v1::Connection MustCreateConnection(const std::string& name = "hub") {
    const auto response = Call("admin", &v1::TokenRegistry::StubInterface::CreateConnection, ConnectionRequest(name));
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? response->connection() : v1::Connection();
  }

  v1::RegistryCredential MustCreateCredential() {
    v1::CreateRegistryCredentialRequest request;
    request.mutable_registry_credential()->set_display_name("local");
    request.mutable_registry_credential()->set_registry("127.0.0.1:5000");
    request.mutable_registry_credential()->set_username("ann");
    request.set_password(kPassword);
    const auto response = Call("admin", &v1::TokenRegistry::StubInterface::CreateRegistryCredential, request);
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? response->registry_credential() : v1::RegistryCredential();
  }

  v1::GrantBuildCredentialsRequest GrantRequest(const v1::Connection& connection,
                                                const v1::RegistryCredential& credential, int64_t fence) {
    v1::GrantBuildCredentialsRequest request;
    request.set_project("default");
    request.set_build_id("bld_1");
    request.set_fence(fence);
    request.mutable_scope()->set_connection_id(connection.id());
    request.mutable_scope()->set_repository("owner/name");
    request.mutable_scope()->set_registry_credential_id(credential.id());
    request.mutable_scope()->set_image_repository("127.0.0.1:5000/team/app");
    request.mutable_expire_time()->set_seconds(absl::ToUnixSeconds(clock_.Now() + absl::Hours(1)));
    return request;
  }

  absl::StatusOr<v1::IssueBuildCredentialsResponse> Issue(int64_t fence) {
    v1::IssueBuildCredentialsRequest request;
    request.set_build_id("bld_1");
    request.set_fence(fence);
    return Call("agent", &v1::TokenRegistry::StubInterface::IssueBuildCredentials, request);
  }

  absl::Status Revoke(int64_t fence) {
    v1::RevokeBuildCredentialsRequest request;
    request.set_project("default");
    request.set_build_id("bld_1");
    request.set_fence(fence);
    return Call("scheduler", &v1::TokenRegistry::StubInterface::RevokeBuildCredentials, request).status();
  }

  absl::Status Grant(const v1::GrantBuildCredentialsRequest& request) {
    return Call("scheduler", &v1::TokenRegistry::StubInterface::GrantBuildCredentials, request).status();
  }

  FakeClock clock_;
  FakeRandom random_;
  CapturedLog log_;
  metrics::Registry metrics_;
  postgres::TestDatabase database_{"token_registry"};
  TokenRegistryOptions options_;
  FakeProviderClient* provider_ = nullptr;  // Owned by app_.
  std::unique_ptr<TokenRegistryApp> app_;
  std::unique_ptr<rpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::TokenRegistry::StubInterface> registry_;
  std::unique_ptr<v1::IdentityService::StubInterface> identity_;
};

}  // namespace davit::token_registry
