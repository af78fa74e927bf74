// Tests of the table of methods, of JSON and of errors.
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "davit/registry/v1/token_registry.pb.h"
#include "davit/rules/v1/rule_engine.pb.h"
#include "davit/scheduler/v1/scheduler.pb.h"
#include "services/console/api_error.h"
#include "services/console/api_methods.h"
#include "services/console/json_codec.h"

namespace davit::console {
namespace {

TEST(ApiMethodsTest, KnowsTheMethodsOfPeople) {
  const ApiMethods methods;
  for (const char* name :
       {"registry/CreateConnection", "registry/ListRefs", "registry/CreateWebhook", "registry/CreateRegistryCredential",
        "identity/GetCaller", "identity/CreateApiToken", "identity/RevokeApiToken", "rules/CreateRule",
        "rules/PreviewTags", "rules/TriggerRule", "rules/GetEvent", "scheduler/CreateBuild", "scheduler/ListBuilds",
        "scheduler/CancelBuild", "scheduler/RetryBuild", "scheduler/ExplainQueue", "scheduler/DrainAgent"}) {
    const std::string text(name);
    const size_t slash = text.find('/');
    EXPECT_NE(methods.Find(text.substr(0, slash), text.substr(slash + 1)), nullptr) << name;
  }
  const ApiMethod& list = *methods.Find("scheduler", "ListBuilds");
  EXPECT_EQ(list.path, "/davit.scheduler.v1.Scheduler/ListBuilds");
  EXPECT_EQ(list.request->GetDescriptor(), scheduler::v1::ListBuildsRequest::descriptor());
  EXPECT_EQ(list.response->GetDescriptor(), scheduler::v1::ListBuildsResponse::descriptor());
}

TEST(ApiMethodsTest, NoMethodOfServicesOrAgentsAndNoStreamIsReachable) {
  const ApiMethods methods;
  for (const char* service : {"registry", "identity", "rules", "scheduler", "agent", ""}) {
    for (const char* method :
         {"GetWebhookSecret", "GrantBuildCredentials", "RevokeBuildCredentials", "IssueBuildCredentials",
          "IssuePublishCredentials", "SetCommitStatus", "RotateKeys", "IngestEvent", "IntrospectToken", "Synchronize",
          "AppendLog", "ReadUpload", "WatchBuild", "ReadLog", "UploadContext", "NoSuchMethod", ""}) {
      EXPECT_EQ(methods.Find(service, method), nullptr) << service << "/" << method;
    }
  }
}

TEST(JsonCodecTest, ReadsBothSpellingsAndWritesTheProtosOwn) {
  for (const char* text : {R"({"page_size":7,"rule_id":"rul_1"})", R"({"pageSize":7,"ruleId":"rul_1"})"}) {
    scheduler::v1::ListBuildsRequest request;
    ASSERT_TRUE(ParseJson(text, request).ok());
    EXPECT_EQ(request.page_size(), 7);
    const nlohmann::json json = nlohmann::json::parse(*ToJson(request));
    EXPECT_EQ(json["rule_id"], "rul_1");
    EXPECT_EQ(json["page_token"], "");  // defaults are written
  }
}

TEST(JsonCodecTest, NamesTheFieldThatIsWrongAndNeverItsValue) {
  rules::v1::CreateRuleRequest rule;
  EXPECT_EQ(ParseJson(R"({"rule":{"recipe":{"nosuch":1}}})", rule),
            absl::InvalidArgumentError("rule.recipe.nosuch: there is no such field"));
  EXPECT_EQ(ParseJson(R"({"nosuch":1})", rule), absl::InvalidArgumentError("nosuch: there is no such field"));
  scheduler::v1::ListBuildsRequest list;
  EXPECT_EQ(ParseJson(R"({"page_size":"planted"})", list),
            absl::InvalidArgumentError("page_size: expected a value of type int32"));
  registry::v1::CreateConnectionRequest connection;
  const absl::Status status = ParseJson(R"({"token":{"planted-secret":1}})", connection);
  EXPECT_FALSE(status.ok());
  EXPECT_FALSE(absl::StrContains(status.message(), "planted-secret")) << status;
}

TEST(JsonCodecTest, RefusesWhatIsNotJson) {
  scheduler::v1::ListBuildsRequest list;
  for (const char* text : {"", "planted-secret", "[]", "{", "{\"page_size\":1", "\xff"}) {
    const absl::Status status = ParseJson(text, list);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_FALSE(absl::StrContains(status.message(), "planted-secret")) << status;
  }
}

TEST(ApiErrorTest, GivesCodeFieldAndMessage) {
  const http::ServerResponse response =
      ErrorResponse(absl::InvalidArgumentError("rule.recipe.build_args[0].name: path leaves: the repository"));
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(nlohmann::json::parse(response.body),
            nlohmann::json::parse(R"({"error":{"code":"INVALID_ARGUMENT","field":"rule.recipe.build_args[0].name",
                                     "message":"path leaves: the repository"}})"));
}

TEST(ApiErrorTest, OnlyAFieldsPathIsAField) {
  const auto field = [](const absl::Status& status) {
    return nlohmann::json::parse(ErrorJson(status))["error"].contains("field");
  };
  EXPECT_FALSE(field(absl::InvalidArgumentError("Content-Type: expected application/json")));
  EXPECT_FALSE(field(absl::InvalidArgumentError("Dockerfile has no instructions")));
  EXPECT_FALSE(field(absl::NotFoundError("repository: nothing")));
}

TEST(ApiErrorTest, EveryCodeHasAnHttpStatus) {
  EXPECT_EQ(ErrorResponse(absl::UnauthenticatedError("x")).status, 401);
  EXPECT_EQ(ErrorResponse(absl::PermissionDeniedError("x")).status, 403);
  EXPECT_EQ(ErrorResponse(absl::NotFoundError("x")).status, 404);
  EXPECT_EQ(ErrorResponse(absl::FailedPreconditionError("x")).status, 409);
  EXPECT_EQ(ErrorResponse(absl::ResourceExhaustedError("x")).status, 429);
  EXPECT_EQ(ErrorResponse(absl::UnavailableError("x")).status, 503);
  EXPECT_EQ(ErrorResponse(absl::InternalError("x")).status, 500);
  EXPECT_EQ(RenderServerError(413, "body over 1 MiB").status, 413);
}

}  // namespace
}  // namespace davit::console
