// Tests of the server and the channels of libs/rpc, with a real server on 127.0.0.1 and in process.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/client_unary_call.h>
#include <gtest/gtest.h>

#include "davit/registry/v1/identity.grpc.pb.h"
#include "libs/logging/testing/captured_log.h"
#include "libs/metrics/metrics.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/client_context.h"
#include "libs/rpc/metadata.h"
#include "libs/rpc/server.h"
#include "libs/rpc/status_conversion.h"

namespace davit::rpc {
namespace {

namespace registry_v1 = ::davit::registry::v1;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Remembers the metadata of the last call and answers what the test wants.
class FakeIdentity : public registry_v1::IdentityService::Service {
 public:
  grpc::Status GetCaller(grpc::ServerContext* context, const registry_v1::GetCallerRequest*,
                         registry_v1::GetCallerResponse* response) override {
    authorization = Value(*context, kAuthorization);
    request_id = Value(*context, kRequestId);
    context->AddTrailingMetadata(kRequestId, request_id);
    response->mutable_api_token()->set_id("tok_1");
    return ToGrpcStatus(answer);
  }

  static std::string Value(const grpc::ServerContext& context, const char* key) {
    const auto found = context.client_metadata().find(key);
    return found == context.client_metadata().end() ? "" : std::string(found->second.data(), found->second.size());
  }

  std::string authorization;
  std::string request_id;
  absl::Status answer;
};

class RpcTest : public ::testing::Test {
 protected:
  RpcTest() {
    ServerOptions options;
    options.listen = {"127.0.0.1:0"};
    auto started = Server::Start(options, {&identity_}, log_.logger(), metrics_);
    EXPECT_TRUE(started.ok()) << started.status();
    server_ = *std::move(started);
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(server_->ports()[0]); }

  static absl::Status Call(const std::shared_ptr<grpc::Channel>& channel, grpc::ClientContext& context) {
    SetDeadline(context, absl::Seconds(10));
    registry_v1::GetCallerResponse response;
    return FromGrpcStatus(registry_v1::IdentityService::NewStub(channel)->GetCaller(
        &context, registry_v1::GetCallerRequest(), &response));
  }

  static ClientOptions WithToken() {
    ClientOptions options;
    options.token = crypto::SecretString("dvt_secret");
    return options;
  }

  FakeIdentity identity_;
  CapturedLog log_;
  metrics::Registry metrics_;
  std::unique_ptr<Server> server_;
};

TEST_F(RpcTest, AChannelSendsItsTokenAndARequestId) {
  grpc::ClientContext context;
  ASSERT_TRUE(Call(MakeChannel(address(), WithToken()), context).ok());
  EXPECT_EQ(identity_.authorization, "Bearer dvt_secret");
  EXPECT_THAT(identity_.request_id, StartsWith("req_"));
}

TEST_F(RpcTest, AnInProcessChannelSendsThemToo) {
  grpc::ClientContext context;
  ASSERT_TRUE(Call(server_->InProcessChannel(WithToken()), context).ok());
  EXPECT_EQ(identity_.authorization, "Bearer dvt_secret");
  EXPECT_THAT(identity_.request_id, StartsWith("req_"));
}

TEST_F(RpcTest, WhatTheContextHoldsIsKept) {
  grpc::ClientContext context;
  SetRequestId(context, "req_of_the_caller");
  SetBearerToken(context, "dvt_other");
  ASSERT_TRUE(Call(MakeChannel(address(), WithToken()), context).ok());
  EXPECT_EQ(identity_.authorization, "Bearer dvt_other");
  EXPECT_EQ(identity_.request_id, "req_of_the_caller");
}

TEST_F(RpcTest, EachCallIsLoggedOnceAndCountedAndTheTokenIsNot) {
  identity_.answer = absl::NotFoundError("no such build");
  grpc::ClientContext context;
  SetRequestId(context, "req_7");
  EXPECT_EQ(Call(MakeChannel(address(), WithToken()), context), absl::NotFoundError("no such build"));
  server_->Drain(absl::InfiniteFuture());
  ASSERT_EQ(log_.lines().size(), 1u);
  EXPECT_THAT(log_.text(), HasSubstr("\"method\":\"/davit.registry.v1.IdentityService/GetCaller\""));
  EXPECT_THAT(log_.text(), HasSubstr("\"code\":\"NOT_FOUND\""));
  EXPECT_THAT(log_.text(), HasSubstr("\"error\":\"no such build\""));
  EXPECT_THAT(log_.text(), HasSubstr("\"request\":\"req_7\""));
  EXPECT_FALSE(log_.Contains("dvt_secret"));
  EXPECT_THAT(metrics_.ServeText(),
              HasSubstr("davit_rpc_server_seconds_count{code=\"NOT_FOUND\",method=\"/davit.registry.v1.IdentityService/"
                        "GetCaller\"} 1"));
}

// Calls a method whose request and response the test knows in wire format, because Debian ships no code for the protos
// of the health and reflection services.
absl::StatusOr<std::string> CallRaw(const std::string& address, const std::string& method, const std::string& request) {
  const auto channel = MakeChannel(address, ClientOptions());
  grpc::internal::RpcMethod rpc(method.c_str(), grpc::internal::RpcMethod::NORMAL_RPC);
  grpc::ClientContext context;
  SetDeadline(context, absl::Seconds(10));
  const grpc::Slice slice(request);
  const grpc::ByteBuffer sent(&slice, 1);
  grpc::ByteBuffer received;
  const grpc::Status status = grpc::internal::BlockingUnaryCall<grpc::ByteBuffer, grpc::ByteBuffer>(
      channel.get(), rpc, &context, sent, &received);
  if (!status.ok()) return FromGrpcStatus(status);
  grpc::Slice all;
  if (!received.DumpToSingleSlice(&all).ok()) return absl::InternalError("no response");
  return std::string(reinterpret_cast<const char*>(all.begin()), all.size());
}

TEST_F(RpcTest, TheHealthServiceSaysServingAndThenNot) {
  EXPECT_EQ(*CallRaw(address(), "/grpc.health.v1.Health/Check", ""), "\x08\x01");
  server_->SetHealth(Server::Health::kNotServing);
  EXPECT_EQ(*CallRaw(address(), "/grpc.health.v1.Health/Check", ""), "\x08\x02");
}

TEST_F(RpcTest, ReflectionListsTheServices) {
  // ServerReflectionRequest{list_services: "*"}; one message each way of a bidirectional stream.
  const absl::StatusOr<std::string> response =
      CallRaw(address(), "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", std::string("\x3a\x01*"));
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_THAT(*response, HasSubstr("davit.registry.v1.IdentityService"));
  EXPECT_THAT(*response, HasSubstr("grpc.health.v1.Health"));
}

TEST_F(RpcTest, AnAddressInUseIsAnError) {
  ServerOptions options;
  options.listen = {address()};
  FakeIdentity other;
  const auto second = Server::Start(options, {&other}, log_.logger(), metrics_);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(address()));
}

TEST_F(RpcTest, ADrainedServerIsUnavailable) {
  const auto channel = MakeChannel(address(), WithToken());
  server_->Drain(absl::Now() + absl::Seconds(1));
  grpc::ClientContext context;
  EXPECT_EQ(Call(channel, context).code(), absl::StatusCode::kUnavailable);
}

TEST(StatusConversionTest, CodesAndMessagesSurviveBothWays) {
  for (int code = 1; code <= 16; ++code) {
    const absl::Status status(static_cast<absl::StatusCode>(code), "why");
    EXPECT_EQ(FromGrpcStatus(ToGrpcStatus(status)), status);
  }
  EXPECT_TRUE(FromGrpcStatus(ToGrpcStatus(absl::OkStatus())).ok());
}

}  // namespace
}  // namespace davit::rpc
