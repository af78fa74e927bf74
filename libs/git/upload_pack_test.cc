// Tests of upload_pack.h that a real git server does not give occasion for: odd answers, redirects, what is sent.
#include "libs/git/upload_pack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/http/server.h"

namespace davit::git {
namespace {

using ::testing::HasSubstr;

PackRequest RequestWithHave() {
  PackRequest request;
  request.want = *ObjectId::FromHex(std::string(40, 'a'));
  request.haves = {*ObjectId::FromHex(std::string(40, 'b'))};
  request.shallow = request.haves;
  request.depth = 1;
  return request;
}

TEST(EncodePackRequestTest, SpeaksVersion2) {
  RemoteCapabilities capabilities;
  capabilities.version = 2;
  PackRequest request = RequestWithHave();
  request.commits_only = true;
  EXPECT_EQ(EncodePackRequest(capabilities, request),
            absl::StrCat("0012command=fetch\n0010agent=davit\n0017object-format=sha1\n0001000ethin-pack\n"
                         "0010no-progress\n000eofs-delta\n0032want ",
                         std::string(40, 'a'), "\n0035shallow ", std::string(40, 'b'),
                         "\n000ddeepen 1\n0012filter tree:0\n0032have ", std::string(40, 'b'), "\n0009done\n0000"));
}

TEST(EncodePackRequestTest, SpeaksVersion0) {
  const std::string body = EncodePackRequest(RemoteCapabilities(), RequestWithHave());
  EXPECT_EQ(body,
            absl::StrCat("0074want ", std::string(40, 'a'),
                         " side-band-64k thin-pack no-progress ofs-delta shallow agent=davit\n0035shallow ",
                         std::string(40, 'b'), "\n000ddeepen 1\n00000032have ", std::string(40, 'b'), "\n0009done\n"));
}

// A server that answers as a test wants, and a Remote that talks to it.
class RemoteTest : public ::testing::Test {
 protected:
  RemoteTest() {
    server_ = *http::Server::Start({}, [this](const http::ServerRequest& request) {
      seen_ = request;
      return answer_(request);
    });
    authority_ = absl::StrCat("127.0.0.1:", server_->port());
    http::AddressPolicyOptions allowed;
    allowed.allowed_hosts = {authority_};
    http::ClientOptions options;
    options.policy = *http::AddressPolicy::Create(allowed);
    client_ = std::make_unique<http::Client>(options);
  }

  absl::Status Discover() {
    const RepositoryUrl url =
        *RepositoryUrl::Parse(absl::StrCat("http://", authority_, "/team/app.git"), client_->policy());
    Remote remote(*client_, url, credential_, control_, absl::Now() + absl::Seconds(20));
    return remote.Discover().status();
  }

  static http::ServerResponse Advertise(std::string body) {
    return {200, {{"Content-Type", "application/x-git-upload-pack-advertisement"}}, std::move(body)};
  }

  http::ServerRequest seen_;
  std::function<http::ServerResponse(const http::ServerRequest&)> answer_;
  std::unique_ptr<http::Server> server_;
  std::string authority_;
  std::unique_ptr<http::Client> client_;
  Credential credential_ = Credential::GitLab(crypto::SecretString("s3cret"));
  FetchControl control_;
};

TEST_F(RemoteTest, SendsTheCredentialAndAsksForVersion2) {
  answer_ = [](const http::ServerRequest&) { return Advertise("000eversion 2\n0000"); };
  EXPECT_TRUE(Discover().ok());
  EXPECT_EQ(seen_.path, "/team/app.git/info/refs");
  EXPECT_EQ(seen_.query, "service=git-upload-pack");
  EXPECT_EQ(seen_.headers.Get("Git-Protocol"), "version=2");
  EXPECT_EQ(seen_.headers.Get("Authorization"), http::BasicAuthorization("oauth2", "s3cret"));
}

TEST_F(RemoteTest, SendsNoCredentialWhenThereIsNone) {
  credential_ = Credential::Anonymous();
  answer_ = [](const http::ServerRequest&) { return http::ServerResponse{401}; };
  const absl::Status status = Discover();
  EXPECT_FALSE(seen_.headers.Has("Authorization"));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_THAT(std::string(status.message()), HasSubstr("needs a credential"));
}

TEST_F(RemoteTest, MapsStatusCodes) {
  const std::vector<std::pair<int, absl::StatusCode>> cases = {{401, absl::StatusCode::kUnauthenticated},
                                                               {403, absl::StatusCode::kPermissionDenied},
                                                               {404, absl::StatusCode::kNotFound},
                                                               {429, absl::StatusCode::kUnavailable},
                                                               {502, absl::StatusCode::kUnavailable}};
  for (const auto& [code, expected] : cases) {
    answer_ = [code = code](const http::ServerRequest&) { return http::ServerResponse{code}; };
    const absl::Status status = Discover();
    EXPECT_EQ(status.code(), expected) << status;
    EXPECT_THAT(std::string(status.message()), testing::Not(HasSubstr("s3cret")));
  }
}

TEST_F(RemoteTest, RefusesAPageThatIsNoGitServer) {
  answer_ = [](const http::ServerRequest&) {
    return http::ServerResponse{200, {{"Content-Type", "text/html"}}, "<html>"};
  };
  EXPECT_EQ(Discover().code(), absl::StatusCode::kNotFound);
  answer_ = [](const http::ServerRequest&) { return Advertise("<html>"); };
  EXPECT_EQ(Discover().code(), absl::StatusCode::kInternal);
}

TEST_F(RemoteTest, FollowsARedirectOnTheSameServerOnly) {
  answer_ = [this](const http::ServerRequest& request) {
    if (request.path == "/new/app.git/info/refs") return Advertise("000eversion 2\n0000");
    return http::ServerResponse{
        301, {{"Location", absl::StrCat("http://", authority_, "/new/app.git/info/refs?service=git-upload-pack")}}};
  };
  EXPECT_TRUE(Discover().ok()) << Discover();
  answer_ = [](const http::ServerRequest&) {
    return http::ServerResponse{301, {{"Location", "https://192.0.2.1/info/refs?service=git-upload-pack"}}};
  };
  EXPECT_FALSE(Discover().ok());
}

TEST_F(RemoteTest, RefusesRepositoriesOfAnotherObjectFormat) {
  answer_ = [](const http::ServerRequest&) { return Advertise("000eversion 2\n0019object-format=sha256\n0000"); };
  EXPECT_EQ(Discover().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(RemoteTest, PassesOnWhatTheServerSaysInWordsOfItsOwn) {
  answer_ = [](const http::ServerRequest&) {
    return Advertise("001e# service=git-upload-pack\n00000010ERR \x1b[2Jbusy\n\n");
  };
  const absl::Status status = Discover();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("\\x1b"));
}

}  // namespace
}  // namespace davit::git
