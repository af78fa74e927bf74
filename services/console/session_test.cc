// Tests of sessions, sign-in codes and the request guard.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/clock/testing/fake_clock.h"
#include "libs/ids/random.h"
#include "services/console/request_guard.h"
#include "services/console/session_store.h"
#include "services/console/sign_in_codes.h"

namespace davit::console {
namespace {

using Use = SessionStore::Use;

SignedIn Who(const std::string& token_id) { return {crypto::SecretString("dvt_x"), token_id, "shop", "{}"}; }

class SessionTest : public ::testing::Test {
 protected:
  FakeClock clock_;
  SystemRandom random_;
  SessionStore sessions_{{.max_sessions = 4, .max_per_token = 2}, clock_, random_};
};

TEST_F(SessionTest, ASessionIsFoundByItsIdOnly) {
  const auto created = sessions_.Create(Who("tok_1"));
  EXPECT_GE(created.id.Reveal().size(), 43u);
  EXPECT_NE(created.id.Reveal(), created.session->csrf_token());
  EXPECT_EQ(sessions_.Find(created.id.Reveal(), Use::kTouches), created.session);
  EXPECT_EQ(sessions_.Find(created.session->csrf_token(), Use::kTouches), nullptr);
  EXPECT_EQ(sessions_.Find("", Use::kTouches), nullptr);
}

TEST_F(SessionTest, ASessionEndsWhenItIsNotUsedForTwoHours) {
  const std::string id = sessions_.Create(Who("tok_1")).id.Reveal();
  clock_.Advance(absl::Minutes(119));
  EXPECT_NE(sessions_.Find(id, Use::kTouches), nullptr);
  clock_.Advance(absl::Minutes(119));
  EXPECT_NE(sessions_.Find(id, Use::kDoesNotTouch), nullptr);
  clock_.Advance(absl::Minutes(1));
  EXPECT_EQ(sessions_.Find(id, Use::kTouches), nullptr);
  EXPECT_EQ(sessions_.size(), 0u);
}

TEST_F(SessionTest, ASessionEndsAfterTwelveHoursHoweverOftenItIsUsed) {
  const std::string id = sessions_.Create(Who("tok_1")).id.Reveal();
  for (int hour = 1; hour < 12; ++hour) {
    clock_.Advance(absl::Hours(1));
    EXPECT_NE(sessions_.Find(id, Use::kTouches), nullptr);
  }
  clock_.Advance(absl::Hours(1));
  EXPECT_EQ(sessions_.Find(id, Use::kTouches), nullptr);
}

TEST_F(SessionTest, TooManySessionsOfATokenEndItsOwnOldest) {
  const std::string other = sessions_.Create(Who("tok_2")).id.Reveal();
  clock_.Advance(absl::Seconds(1));
  const std::string first = sessions_.Create(Who("tok_1")).id.Reveal();
  clock_.Advance(absl::Seconds(1));
  const std::string second = sessions_.Create(Who("tok_1")).id.Reveal();
  clock_.Advance(absl::Seconds(1));
  sessions_.Create(Who("tok_1"));
  EXPECT_EQ(sessions_.Find(first, Use::kTouches), nullptr);
  EXPECT_NE(sessions_.Find(second, Use::kTouches), nullptr);
  EXPECT_NE(sessions_.Find(other, Use::kTouches), nullptr);
}

TEST_F(SessionTest, TooManySessionsEndTheOneThatWasUsedLongestAgo) {
  const std::string first = sessions_.Create(Who("tok_1")).id.Reveal();
  for (int i = 2; i <= 5; ++i) {
    clock_.Advance(absl::Seconds(1));
    sessions_.Create(Who(absl::StrCat("tok_", i)));
  }
  EXPECT_EQ(sessions_.size(), 4u);
  EXPECT_EQ(sessions_.Find(first, Use::kTouches), nullptr);
}

TEST_F(SessionTest, EndingASessionEndsItsStreams) {
  const auto created = sessions_.Create(Who("tok_1"));
  const auto stream = std::make_shared<http::BytePipe>(10);
  EXPECT_TRUE(created.session->Attach(stream).ok());
  sessions_.End(created.id.Reveal());
  EXPECT_EQ(stream->state(), http::BytePipe::State::kClosed);
  EXPECT_EQ(created.session->Attach(stream).code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(SessionTest, ASessionHoldsSoManyOpenStreams) {
  const auto created = sessions_.Create(Who("tok_1"));
  std::vector<std::shared_ptr<http::BytePipe>> streams;
  for (int i = 0; i < 32; ++i) {
    streams.push_back(std::make_shared<http::BytePipe>(10));
    EXPECT_TRUE(created.session->Attach(streams.back()).ok());
  }
  const auto one_more = std::make_shared<http::BytePipe>(10);
  EXPECT_EQ(created.session->Attach(one_more).code(), absl::StatusCode::kResourceExhausted);
  streams[0]->Close();
  EXPECT_TRUE(created.session->Attach(one_more).ok());
}

class SignInCodesTest : public ::testing::Test {
 protected:
  SignInCodesTest() : path_(absl::StrCat(::testing::TempDir(), "/codes-", getpid())) { unlink(path_.c_str()); }
  ~SignInCodesTest() override { unlink(path_.c_str()); }

  void Write(const std::string& text, mode_t mode = 0600) {
    std::ofstream(path_) << text;
    chmod(path_.c_str(), mode);
  }

  const std::string path_;
  FakeClock clock_;
  SystemRandom random_;
  SignInCodes codes_{path_, clock_, random_};
};

TEST_F(SignInCodesTest, ACodeWorksOnce) {
  const auto code = codes_.Add(crypto::SecretString("dvt_admin"));
  ASSERT_TRUE(code.ok()) << code.status();
  struct stat info {};
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  const auto other = codes_.Add(crypto::SecretString("dvt_other"));
  EXPECT_EQ(codes_.Redeem(code->Reveal())->Reveal(), "dvt_admin");
  EXPECT_EQ(codes_.Redeem(code->Reveal()).status().code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(codes_.Redeem(other->Reveal())->Reveal(), "dvt_other");
}

TEST_F(SignInCodesTest, ACodeEndsAfterTenMinutes) {
  const auto code = codes_.Add(crypto::SecretString("dvt_admin"));
  clock_.Advance(absl::Minutes(10) + absl::Seconds(1));
  EXPECT_EQ(codes_.Redeem(code->Reveal()).status().code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(SignInCodesTest, TakesCodesThatAScriptWrote) {
  const int64_t now = absl::ToUnixSeconds(clock_.Now());
  const std::string code(43, 'a'), too_long(43, 'b'), shorter(8, 'c');
  Write(absl::StrCat("# comment\n", code, " ", now + 60, " dvt_script\n", too_long, " ", now + 3600, " dvt_x\n",
                     shorter, " ", now + 60, " dvt_x\nrubbish\n"));
  EXPECT_EQ(codes_.Redeem(code)->Reveal(), "dvt_script");
  EXPECT_EQ(codes_.Redeem(too_long).status().code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(codes_.Redeem(shorter).status().code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(codes_.Redeem("").status().code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(SignInCodesTest, RefusesAFileThatOthersCanRead) {
  Write(absl::StrCat(std::string(43, 'a'), " ", absl::ToUnixSeconds(clock_.Now()) + 60, " dvt_x\n"), 0644);
  EXPECT_EQ(codes_.Redeem(std::string(43, 'a')).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(SignInCodesTest, WithoutAFileThereAreNoCodes) {
  SignInCodes none("", clock_, random_);
  EXPECT_EQ(none.Redeem(std::string(43, 'a')).status().code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(none.Add(crypto::SecretString("dvt_x")).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(codes_.Redeem(std::string(43, 'a')).status().code(), absl::StatusCode::kUnauthenticated);
}

class RequestGuardTest : public SessionTest {
 protected:
  RequestGuardTest() : guard_(*RequestGuard::Create("https://davit.example", sessions_)) {}

  static http::ServerRequest Request(const std::string& method, http::Headers headers) {
    http::ServerRequest request;
    request.method = method;
    request.headers = std::move(headers);
    return request;
  }
  absl::StatusCode Check(const std::string& method, http::Headers headers) {
    if (!headers.Has("Host")) headers.Add("Host", "davit.example");
    return guard_->CheckOrigin(Request(method, std::move(headers))).code();
  }

  const std::unique_ptr<RequestGuard> guard_;
};

TEST_F(RequestGuardTest, TakesChangesFromItsOwnPageOnly) {
  using absl::StatusCode;
  EXPECT_EQ(Check("POST", {{"Origin", "https://davit.example"}, {"Sec-Fetch-Site", "same-origin"}}), StatusCode::kOk);
  EXPECT_EQ(Check("POST", {{"Sec-Fetch-Site", "same-origin"}}), StatusCode::kOk);
  EXPECT_EQ(Check("POST", {{"Origin", "https://evil.example"}}), StatusCode::kPermissionDenied);
  EXPECT_EQ(Check("POST", {{"Origin", "null"}}), StatusCode::kPermissionDenied);
  EXPECT_EQ(Check("POST", {{"Origin", "http://davit.example"}}), StatusCode::kPermissionDenied);
  EXPECT_EQ(Check("POST", {{"Origin", "https://davit.example:444"}}), StatusCode::kPermissionDenied);
  EXPECT_EQ(Check("POST", {{"Sec-Fetch-Site", "cross-site"}}), StatusCode::kPermissionDenied);
  EXPECT_EQ(Check("POST", {{"Sec-Fetch-Site", "same-site"}}), StatusCode::kPermissionDenied);
  EXPECT_EQ(Check("POST", {{"Sec-Fetch-Site", "none"}}), StatusCode::kPermissionDenied);
  EXPECT_EQ(Check("DELETE", {}), StatusCode::kPermissionDenied);
  EXPECT_EQ(Check("GET", {}), StatusCode::kOk);
  EXPECT_EQ(Check("GET", {{"Sec-Fetch-Site", "none"}}), StatusCode::kOk);
  EXPECT_EQ(Check("GET", {{"Sec-Fetch-Site", "cross-site"}}), StatusCode::kPermissionDenied);
}

TEST_F(RequestGuardTest, RefusesAForeignHost) {
  EXPECT_EQ(Check("GET", {{"Host", "rebound.example"}}), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(Check("GET", {{"Host", "DAVIT.example"}}), absl::StatusCode::kOk);
}

TEST_F(RequestGuardTest, EveryNameOfALoopbackAddressCounts) {
  const auto guard = *RequestGuard::Create("http://127.0.0.1:7082", sessions_);
  for (const char* host : {"127.0.0.1:7082", "localhost:7082", "[::1]:7082"}) {
    EXPECT_TRUE(guard->CheckOrigin(Request("GET", {{"Host", host}})).ok()) << host;
  }
  EXPECT_FALSE(guard->CheckOrigin(Request("GET", {{"Host", "127.0.0.1:7083"}})).ok());
}

TEST_F(RequestGuardTest, AChangeNeedsTheSessionsToken) {
  const auto created = sessions_.Create(Who("tok_1"));
  const std::string cookie = absl::StrCat("a=b; davit_session=", created.id.Reveal());
  const std::string csrf = created.session->csrf_token();
  EXPECT_TRUE(guard_->SessionForChange(Request("POST", {{"Cookie", cookie}, {"X-CSRF-Token", csrf}})).ok());
  const auto without = guard_->SessionForChange(Request("POST", {{"Cookie", cookie}}));
  EXPECT_EQ(without.status(), absl::PermissionDeniedError("CSRF token missing or wrong"));
  EXPECT_FALSE(guard_->SessionForChange(Request("POST", {{"Cookie", cookie}, {"X-CSRF-Token", csrf + "x"}})).ok());
  EXPECT_EQ(guard_->SessionForChange(Request("POST", {{"X-CSRF-Token", csrf}})).status(),
            absl::UnauthenticatedError("sign in first"));
}

TEST_F(RequestGuardTest, ItsCookieIsForThisSiteAndNotForScripts) {
  const std::string cookie = guard_->Cookie(crypto::SecretString("id"), absl::Hours(12));
  EXPECT_EQ(cookie, "davit_session=id; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200; Secure");
  const auto plain = *RequestGuard::Create("http://127.0.0.1:7082", sessions_);
  EXPECT_FALSE(absl::StrContains(plain->Cookie(crypto::SecretString("id"), absl::Hours(12)), "Secure"));
}

TEST_F(RequestGuardTest, RefusesAnUnusablePublicUrl) {
  for (const char* url : {"", "davit.example", "ftp://davit.example", "https://davit.example/path", "https://a:b@c"}) {
    EXPECT_EQ(RequestGuard::Check(url).code(), absl::StatusCode::kInvalidArgument) << url;
  }
}

}  // namespace
}  // namespace davit::console
