// Tests of registry_client.h against a real docker-registry, and against a scripted server for what that one does not
// do.
#include "libs/oci/registry_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/http/server.h"
#include "libs/oci/testing/test_registry.h"

namespace davit::oci {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::TestRegistry;

constexpr char kConfig[] = R"({"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}})";
constexpr char kLayer[] = "a layer, as far as a registry can tell";
const std::string kAbsent = "sha256:" + std::string(64, '0');

http::Client& SharedClient() {
  static auto& client = *new http::Client(http::ClientOptions{.policy = *http::AddressPolicy::Create({{"127.0.0.1"}})});
  return client;
}

// Stores a blob with the two requests of the distribution API.
void PushBlob(const std::string& registry, const std::string& authorization, const std::string& bytes) {
  http::Request request;
  request.method = "POST";
  request.url = absl::StrCat("http://", registry, "/v2/team/app/blobs/uploads/");
  if (!authorization.empty()) request.headers.Add("Authorization", authorization);
  const absl::StatusOr<http::Response> begun = SharedClient().Send(request);
  ASSERT_TRUE(begun.ok()) << begun.status();
  ASSERT_EQ(begun->status, 202) << begun->body;
  request.method = "PUT";
  request.url = absl::StrCat(*begun->headers.Get("Location"), "&digest=", DigestOf(bytes));
  request.headers.Add("Content-Type", "application/octet-stream");
  request.body = bytes;
  EXPECT_EQ(SharedClient().Send(request)->status, 201);
}

Manifest DockerImage() {
  return Manifest::FromBytes(
      kDockerManifest,
      absl::StrCat(R"({"schemaVersion":2,"mediaType":")", kDockerManifest, R"(","config":{"mediaType":")",
                   kDockerConfig, R"(","size":)", sizeof(kConfig) - 1, R"(,"digest":")", DigestOf(kConfig),
                   R"("},"layers":[{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","size":)",
                   sizeof(kLayer) - 1, R"(,"digest":")", DigestOf(kLayer), R"("}]})"));
}

RegistryClient ClientOf(const std::string& registry, RegistryCredential credential = {}) {
  return RegistryClient(SharedClient(), {.registry = registry, .credential = std::move(credential)});
}

// A registry with a password that holds one image, team/app:v1.
class RegistryClientTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    absl::StatusOr<std::unique_ptr<TestRegistry>> started = TestRegistry::StartWithPassword("robot", "hunter2");
    ASSERT_TRUE(started.ok()) << started.status();
    registry_ = started->release();
    const std::string authorization = http::BasicAuthorization("robot", "hunter2");
    PushBlob(registry_->address(), authorization, kConfig);
    PushBlob(registry_->address(), authorization, kLayer);
    RegistryClient client = ClientOf(registry_->address(), {"robot", "hunter2"});
    const absl::Status stored = client.PutManifest("team/app", "v1", DockerImage());
    ASSERT_TRUE(stored.ok()) << stored;
  }
  static void TearDownTestSuite() {
    delete registry_;
    registry_ = nullptr;
  }

  static TestRegistry* registry_;
  RegistryClient client_ = ClientOf(registry_->address(), {"robot", "hunter2"});
};

TestRegistry* RegistryClientTest::registry_ = nullptr;

TEST_F(RegistryClientTest, AcceptsTheRightCredential) {
  EXPECT_TRUE(client_.CheckCredential().ok());
  EXPECT_TRUE(client_.CheckCredential().ok());
}

TEST_F(RegistryClientTest, SaysThatACredentialIsRejected) {
  RegistryClient client = ClientOf(registry_->address(), {"robot", "wrong-password"});
  const absl::Status status = client.CheckCredential();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(status.message(), absl::StrCat("credential rejected by ", registry_->address(), " (401)"));
}

TEST_F(RegistryClientTest, SaysThatACredentialIsMissing) {
  RegistryClient client = ClientOf(registry_->address());
  const absl::Status status = client.HeadManifest("team/app", "v1").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_THAT(std::string(status.message()), HasSubstr("asks for a credential (401)"));
}

TEST_F(RegistryClientTest, ReadsAManifestByTagAndByDigest) {
  EXPECT_EQ(*client_.HeadManifest("team/app", "v1"), DockerImage().descriptor());
  EXPECT_EQ(client_.GetManifest("team/app", "v1")->bytes, DockerImage().bytes);
  EXPECT_EQ(client_.GetManifest("team/app", DockerImage().digest)->media_type, kDockerManifest);
}

TEST_F(RegistryClientTest, TagsAnImageAgainWithoutChangingIt) {
  ASSERT_TRUE(client_.TagManifest("team/app", DockerImage().digest, "latest").ok());
  EXPECT_EQ(client_.HeadManifest("team/app", "latest")->digest, DockerImage().digest);
}

TEST_F(RegistryClientTest, StoresTheAnnotatedImageBesideTheOther) {
  const Manifest annotated = *AnnotateManifest(DockerImage(), {{"org.opencontainers.image.revision", "abc"}});
  ASSERT_TRUE(client_.PutManifest("team/app", annotated.digest, annotated).ok());
  ASSERT_TRUE(client_.TagManifest("team/app", annotated.digest, "annotated").ok());
  const Manifest read = *client_.GetManifest("team/app", "annotated");
  EXPECT_EQ(read.bytes, annotated.bytes);
  EXPECT_EQ(read.media_type, kOciManifest);
  EXPECT_EQ(client_.HeadManifest("team/app", "v1")->digest, DockerImage().digest);
}

TEST_F(RegistryClientTest, ReadsABlobWithinABound) {
  EXPECT_EQ(*client_.GetBlob("team/app", DigestOf(kConfig), 1000), kConfig);
  EXPECT_EQ(client_.GetBlob("team/app", DigestOf(kConfig), 10).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(RegistryClientTest, NamesWhatIsNotThere) {
  EXPECT_EQ(client_.GetManifest("team/app", "v9").status(),
            absl::NotFoundError(absl::StrCat("image not found: ", registry_->address(), "/team/app:v9")));
  EXPECT_EQ(client_.HeadManifest("team/none", kAbsent).status(),
            absl::NotFoundError(absl::StrCat("image not found: ", registry_->address(), "/team/none@", kAbsent)));
  EXPECT_EQ(client_.TagManifest("team/app", kAbsent, "x").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(client_.GetBlob("team/app", kAbsent, 10).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(RegistryClientTest, RepeatsTheRegistrysReasonButNothingElse) {
  const Manifest broken = Manifest::FromBytes(kOciManifest, R"({"schemaVersion":2,"config":{},"layers":[]})");
  const absl::Status status = client_.PutManifest("team/app", "broken", broken);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("answered 400 DIGEST_INVALID for"));
}

TEST_F(RegistryClientTest, ChecksNamesBeforeItAsks) {
  EXPECT_EQ(client_.GetManifest("team/../x", "v1").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(client_.GetManifest("team/app", "x y").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(client_.GetManifest("team/app", "sha256:x").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(client_.PutManifest("team/app", kAbsent, DockerImage()).code(), absl::StatusCode::kInvalidArgument);
}

TEST(RegistryClientPolicyTest, RefusesARegistryThatIsNotListed) {
  http::Client strict{http::ClientOptions{}};
  for (const char* registry : {"127.0.0.1:5000", "169.254.169.254", "localhost:5000", "10.0.0.1"}) {
    const absl::Status status = RegistryClient(strict, {.registry = registry, .credential = {}}).CheckCredential();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << registry;
    EXPECT_THAT(std::string(status.message()), HasSubstr("address not allowed")) << registry;
  }
}

TEST(RegistryClientPolicyTest, IsUnavailableWhenNobodyListens) {
  EXPECT_EQ(ClientOf("127.0.0.1:1").CheckCredential().code(), absl::StatusCode::kUnavailable);
}

// A server that the test scripts.
class ScriptedRegistryTest : public ::testing::Test {
 protected:
  ScriptedRegistryTest() {
    server_ = *http::Server::Start({}, [this](const http::ServerRequest& request) { return answer_(request); });
  }
  std::string Address() const { return absl::StrCat("127.0.0.1:", server_->port()); }

  http::Handler answer_;
  std::unique_ptr<http::Server> server_;
};

TEST_F(ScriptedRegistryTest, FetchesATokenForTheScope) {
  int tokens = 0;
  answer_ = [&](const http::ServerRequest& request) -> http::ServerResponse {
    if (request.path == "/token") {
      ++tokens;
      EXPECT_EQ(request.headers.Get("Authorization"), http::BasicAuthorization("robot", "pw"));
      EXPECT_EQ(request.query, "service=s&scope=repository%3Ateam%2Fapp%3Apull&account=robot");
      return {200, {}, R"({"token":"tok"})"};
    }
    if (request.headers.Get("Authorization") == "Bearer tok") return {200, {{"Content-Type", kOciIndex}}, "{}"};
    return {
        401, {{"WWW-Authenticate", absl::StrCat("Bearer realm=\"http://", Address(), "/token\",service=\"s\"")}}, ""};
  };
  RegistryClient client = ClientOf(Address(), {"robot", "pw"});
  EXPECT_EQ(client.GetManifest("team/app", "v1")->media_type, kOciIndex);
  EXPECT_TRUE(client.GetManifest("team/app", "v2").ok());
  EXPECT_EQ(tokens, 1);
}

TEST_F(ScriptedRegistryTest, DoesNotTakeItsCredentialToARefusedTokenService) {
  answer_ = [](const http::ServerRequest&) -> http::ServerResponse {
    return {401, {{"WWW-Authenticate", "Bearer realm=\"http://169.254.169.254/token\""}}, ""};
  };
  const absl::Status status = ClientOf(Address(), {"robot", "pw"}).CheckCredential();
  EXPECT_THAT(std::string(status.message()), HasSubstr("address not allowed"));
}

TEST_F(ScriptedRegistryTest, ATokenServiceMayRejectTheCredential) {
  answer_ = [this](const http::ServerRequest&) -> http::ServerResponse {
    return {401, {{"WWW-Authenticate", absl::StrCat("Bearer realm=\"http://", Address(), "/token\"")}}, "hunter2"};
  };
  const absl::Status status = ClientOf(Address(), {"robot", "hunter2"}).CheckCredential();
  EXPECT_EQ(status, absl::UnauthenticatedError(absl::StrCat("credential rejected by ", Address(), " (401)")));
}

TEST_F(ScriptedRegistryTest, SaysWhatIsWorthRetrying) {
  for (const auto& [status, code] : {std::pair{429, absl::StatusCode::kUnavailable},
                                     {500, absl::StatusCode::kUnavailable},
                                     {503, absl::StatusCode::kUnavailable},
                                     {403, absl::StatusCode::kPermissionDenied},
                                     {400, absl::StatusCode::kFailedPrecondition}}) {
    answer_ = [status = status](const http::ServerRequest&) -> http::ServerResponse {
      return {status, {}, R"({"errors":[{"code":"secret in <lower case>"}]})"};
    };
    const absl::Status result = ClientOf(Address()).GetManifest("a", "b").status();
    EXPECT_EQ(result.code(), code) << status;
    EXPECT_THAT(std::string(result.message()), Not(HasSubstr("secret")));
  }
}

TEST_F(ScriptedRegistryTest, NoticesContentThatDoesNotHaveItsDigest) {
  answer_ = [](const http::ServerRequest& request) -> http::ServerResponse {
    http::ServerResponse response{200, {{"Content-Type", kOciManifest}}, "tampered"};
    if (absl::StrContains(request.path, "announced")) response.headers.Add("Docker-Content-Digest", kAbsent);
    return response;
  };
  RegistryClient client = ClientOf(Address());
  EXPECT_EQ(client.GetManifest("a", kAbsent).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(client.GetManifest("announced", "v1").status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(client.GetBlob("a", kAbsent, 100).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(client.PutManifest("announced", "v1", DockerImage()).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(client.HeadManifest("a", "v1")->digest, DigestOf("tampered"));
}

TEST_F(ScriptedRegistryTest, FollowsABlobToItsStorage) {
  answer_ = [this](const http::ServerRequest& request) -> http::ServerResponse {
    if (request.path == "/storage") return {200, {}, kLayer};
    if (absl::StrContains(request.path, "/blobs/"))
      return {307, {{"Location", absl::StrCat("http://", Address(), "/storage")}}, ""};
    return {200, {}, ""};
  };
  EXPECT_EQ(*ClientOf(Address()).GetBlob("a", DigestOf(kLayer), 1000), kLayer);
}

}  // namespace
}  // namespace davit::oci
