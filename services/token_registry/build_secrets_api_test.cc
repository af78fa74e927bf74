// Tests of the secrets of projects through the API: kept, listed without values, issued to builds that name them,
// sealed with the newest key after a rotation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "davit/registry/v1/build_secrets.grpc.pb.h"
#include "services/token_registry/testing/token_registry_fixture.h"

namespace davit::token_registry {
namespace {

using ::testing::StartsWith;
using Secrets = v1::BuildSecrets::StubInterface;

constexpr char kValue[] = "planted build secret 5Tb3\nof two lines\n";

class BuildSecretsTest : public TokenRegistryAppTest {
 protected:
  // Calls a method of BuildSecrets as `who`.
  template <typename Request, typename Response>
  absl::StatusOr<Response> CallSecrets(const std::string& who,
                                       grpc::Status (Secrets::*method)(grpc::ClientContext*, const Request&, Response*),
                                       const Request& request) {
    const auto stub = v1::BuildSecrets::NewStub(channel_);
    grpc::ClientContext context;
    rpc::SetDeadline(context, absl::Seconds(20));
    rpc::SetBearerToken(context, TokenOf(who));
    Response response;
    const absl::Status status = rpc::FromGrpcStatus((stub.get()->*method)(&context, request, &response));
    if (!status.ok()) return status;
    return response;
  }

  static v1::CreateSecretRequest NewSecret(const std::string& name, const std::string& value = kValue) {
    v1::CreateSecretRequest request;
    request.mutable_secret()->set_name(name);
    request.set_value(value);
    return request;
  }

  v1::GrantBuildCredentialsRequest GrantOf(int64_t fence, const std::vector<std::string>& secrets) {
    v1::GrantBuildCredentialsRequest request = GrantRequest(v1::Connection(), v1::RegistryCredential(), fence);
    request.mutable_scope()->clear_repository();
    for (const std::string& name : secrets) request.mutable_scope()->add_secrets(name);
    return request;
  }
};

TEST_F(BuildSecretsTest, ASecretIsKeptWithoutItsValueComingBack) {
  v1::CreateSecretRequest create = NewSecret("npm");
  create.mutable_secret()->set_description("for the private packages");
  const auto made = CallSecrets("admin", &Secrets::CreateSecret, create);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->secret().version(), 1);
  EXPECT_EQ(made->secret().project(), "default");
  ASSERT_TRUE(CallSecrets("admin", &Secrets::CreateSecret, NewSecret("a.b")).ok());
  EXPECT_EQ(CallSecrets("admin", &Secrets::CreateSecret, NewSecret("npm")).status().code(),
            absl::StatusCode::kAlreadyExists);

  const auto listed = CallSecrets("viewer", &Secrets::ListSecrets, {});
  ASSERT_TRUE(listed.ok()) << listed.status();
  ASSERT_EQ(listed->secrets_size(), 2);
  EXPECT_EQ(listed->secrets(0).name(), "a.b");
  EXPECT_EQ(listed->secrets(1).description(), "for the private packages");
  EXPECT_FALSE(absl::StrContains(listed->SerializeAsString(), "planted"));
  v1::ListSecretsRequest page;
  page.set_page_size(1);
  const auto first = CallSecrets("viewer", &Secrets::ListSecrets, page);
  ASSERT_EQ(first->secrets_size(), 1);
  page.set_page_token(first->next_page_token());
  EXPECT_EQ(CallSecrets("viewer", &Secrets::ListSecrets, page)->secrets(0).name(), "npm");

  v1::UpdateSecretRequest update;
  update.set_name("npm");
  EXPECT_THAT(CallSecrets("admin", &Secrets::UpdateSecret, update).status(),
              Says(StartsWith("value: nothing to change")));
  update.set_description("changed");
  EXPECT_EQ(CallSecrets("admin", &Secrets::UpdateSecret, update)->secret().version(), 1);
  update.set_value("another");
  const auto updated = CallSecrets("admin", &Secrets::UpdateSecret, update);
  EXPECT_EQ(updated->secret().version(), 2);
  EXPECT_EQ(updated->secret().description(), "changed");

  v1::DeleteSecretRequest remove;
  remove.set_name("npm");
  EXPECT_TRUE(CallSecrets("admin", &Secrets::DeleteSecret, remove).ok());
  EXPECT_THAT(CallSecrets("admin", &Secrets::DeleteSecret, remove).status(), Says(StartsWith("no secret \"npm\"")));
  EXPECT_EQ(CallSecrets("admin", &Secrets::UpdateSecret, update).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(BuildSecretsTest, WhatIsWrongIsNamed) {
  for (const std::string name : {"", "a b", "-x", ".x", "a/b"}) {
    EXPECT_THAT(CallSecrets("admin", &Secrets::CreateSecret, NewSecret(name)).status(),
                Says(StartsWith("secret.name: ")));
  }
  EXPECT_THAT(CallSecrets("admin", &Secrets::CreateSecret, NewSecret("x", "")).status(), Says(StartsWith("value: ")));
  EXPECT_THAT(CallSecrets("admin", &Secrets::CreateSecret, NewSecret("x", std::string(65537, 'x'))).status(),
              Says(StartsWith("value: ")));
  EXPECT_TRUE(CallSecrets("admin", &Secrets::CreateSecret, NewSecret("x", std::string(65536, '\0'))).ok());
  v1::CreateSecretRequest described = NewSecret("y");
  described.mutable_secret()->set_description("a\nb");
  EXPECT_THAT(CallSecrets("admin", &Secrets::CreateSecret, described).status(),
              Says(StartsWith("secret.description: ")));
}

TEST_F(BuildSecretsTest, OnlyAdministratorsOfTheProjectWrite) {
  EXPECT_EQ(CallSecrets("developer", &Secrets::CreateSecret, NewSecret("npm")).status().code(),
            absl::StatusCode::kPermissionDenied);
  ASSERT_TRUE(CallSecrets("admin", &Secrets::CreateSecret, NewSecret("npm")).ok());
  v1::GetSecretRequest get;
  get.set_name("npm");
  EXPECT_TRUE(CallSecrets("scheduler", &Secrets::GetSecret, get).ok());
  EXPECT_EQ(CallSecrets("agent", &Secrets::GetSecret, get).status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(CallSecrets("stranger", &Secrets::GetSecret, get).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(CallSecrets("stranger", &Secrets::ListSecrets, {})->secrets_size(), 0);
}

TEST_F(BuildSecretsTest, AnAgentIsIssuedTheSecretsThatItsBuildNames) {
  ASSERT_TRUE(CallSecrets("admin", &Secrets::CreateSecret, NewSecret("npm")).ok());
  ASSERT_TRUE(CallSecrets("admin", &Secrets::CreateSecret, NewSecret("other")).ok());
  EXPECT_THAT(Grant(GrantOf(7, {"npm", "gone"})), Says(StartsWith("no secret \"gone\"")));
  ASSERT_TRUE(Grant(GrantOf(7, {"npm"})).ok());
  const auto issued = Issue(7);
  ASSERT_TRUE(issued.ok()) << issued.status();
  ASSERT_EQ(issued->secrets_size(), 1);
  EXPECT_EQ(issued->secrets(0).name(), "npm");
  EXPECT_EQ(issued->secrets(0).value(), kValue);

  // A new value is what the next one gets; of one that is gone the name is said.
  v1::UpdateSecretRequest update;
  update.set_name("npm");
  update.set_value(std::string("\0\xff", 2));
  ASSERT_TRUE(CallSecrets("admin", &Secrets::UpdateSecret, update).ok());
  EXPECT_EQ(Issue(7)->secrets(0).value(), std::string("\0\xff", 2));
  v1::DeleteSecretRequest remove;
  remove.set_name("npm");
  ASSERT_TRUE(CallSecrets("admin", &Secrets::DeleteSecret, remove).ok());
  EXPECT_THAT(Issue(7).status(), Says(StartsWith("no secret \"npm\"")));
  EXPECT_EQ(Grant(GrantOf(8, std::vector<std::string>(21, "other"))).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(BuildSecretsTest, TheValueStandsNowhereAndEachOpeningDoes) {
  ASSERT_TRUE(CallSecrets("admin", &Secrets::CreateSecret, NewSecret("npm")).ok());
  ASSERT_TRUE(Grant(GrantOf(7, {"npm"})).ok());
  ASSERT_TRUE(Issue(7).ok());
  const std::string dump = database_.Dump();
  for (const std::string& form :
       {std::string(kValue), absl::BytesToHexString(kValue), absl::Base64Escape(kValue), std::string("5Tb3")}) {
    EXPECT_FALSE(absl::StrContains(dump, form));
    EXPECT_FALSE(log_.Contains(form));
  }
  v1::GetSecretRequest get;
  get.set_name("npm");
  const std::string id = CallSecrets("viewer", &Secrets::GetSecret, get)->secret().id();
  EXPECT_TRUE(absl::StrContains(dump, absl::StrCat(id, "\tvalue\tbuild\tbld_1"))) << dump;
}

TEST_F(BuildSecretsTest, ARotationOfKeysTakesItAlong) {
  ASSERT_TRUE(CallSecrets("admin", &Secrets::CreateSecret, NewSecret("npm")).ok());
  std::ifstream old_keys(options_.key_file);
  const std::string old_text((std::istreambuf_iterator<char>(old_keys)), {});
  std::ofstream(options_.key_file) << crypto::KeyRing::NewFileText("k2", random_).Reveal() << old_text;
  Restart();
  const auto rotated = Call("root", &Registry::RotateKeys, {});
  ASSERT_TRUE(rotated.ok()) << rotated.status();
  EXPECT_EQ(rotated->rewrapped(), 1);
  EXPECT_EQ(rotated->remaining(), 0);
  ASSERT_TRUE(Grant(GrantOf(7, {"npm"})).ok());
  EXPECT_EQ(Issue(7)->secrets(0).value(), kValue);
}

}  // namespace
}  // namespace davit::token_registry
