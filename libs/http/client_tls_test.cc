// Tests of how client.h treats certificates, against OpenSSL's own test server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "libs/http/client.h"
#include "libs/process/run.h"

namespace davit::http {
namespace {

using ::testing::HasSubstr;

constexpr char kAccept[] = "ACCEPT 127.0.0.1:";
constexpr absl::Duration kPatience = absl::Seconds(20);

// What the server prints, until it tells its port. Filled by the process's reader thread.
struct Startup {
  absl::Mutex mutex;
  std::string text ABSL_GUARDED_BY(mutex);

  bool Listening() const ABSL_NO_THREAD_SAFETY_ANALYSIS {
    const size_t at = text.find(kAccept);
    return at != std::string::npos && text.find('\n', at) != std::string::npos;
  }
};

// A server with a self-signed certificate for git.internal.
class ClientTlsTest : public ::testing::Test {
 protected:
  ClientTlsTest() {
    const std::string folder = absl::StrCat(getenv("TEST_TMPDIR"), "/");
    certificate_ = folder + "certificate.pem";
    const std::string key = folder + "key.pem";
    process::SpawnOptions make;
    make.argv = {"openssl",
                 "req",
                 "-x509",
                 "-newkey",
                 "ec",
                 "-pkeyopt",
                 "ec_paramgen_curve:prime256v1",
                 "-nodes",
                 "-keyout",
                 key,
                 "-out",
                 certificate_,
                 "-days",
                 "2",
                 "-subj",
                 "/CN=git.internal",
                 "-addext",
                 "subjectAltName=DNS:git.internal"};
    EXPECT_TRUE(process::RunOrFail(std::move(make), kPatience).ok());
    process::SpawnOptions serve;
    serve.argv = {"openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", certificate_, "-key", key, "-www"};
    serve.stdout_to = process::Output::Callback([startup = startup_](absl::string_view bytes) {
      absl::MutexLock lock(&startup->mutex);
      if (!startup->Listening()) absl::StrAppend(&startup->text, bytes);
    });
    serve.stderr_to = process::Output::Discard();
    serve.parent_death_signal = SIGKILL;
    server_ = *process::Process::Spawn(serve);
    absl::MutexLock lock(&startup_->mutex);
    EXPECT_TRUE(startup_->mutex.AwaitWithTimeout(absl::Condition(startup_.get(), &Startup::Listening), kPatience));
    const size_t at = startup_->text.find(kAccept) + sizeof(kAccept) - 1;
    port_ = startup_->text.substr(at, startup_->text.find('\n', at) - at);
  }

  absl::StatusOr<Response> Get(const std::string& host, const std::string& ca_file) const {
    ClientOptions options;
    options.policy = *AddressPolicy::Create({{host}});
    options.ca_file = ca_file;
    options.resolve = {absl::StrCat(host, ":", port_, ":127.0.0.1")};
    Request request;
    request.url = absl::StrCat("https://", host, ":", port_, "/");
    return Client(std::move(options)).Send(request);
  }

  std::string certificate_;
  std::shared_ptr<Startup> startup_ = std::make_shared<Startup>();
  std::unique_ptr<process::Process> server_;
  std::string port_;
};

TEST_F(ClientTlsTest, TalksToAServerWhoseCertificateIsTrusted) {
  const absl::StatusOr<Response> response = Get("git.internal", certificate_);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->status, 200);
}

TEST_F(ClientTlsTest, RefusesACertificateThatNobodyVouchesFor) {
  const absl::Status status = Get("git.internal", "").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("certificate not trusted"));
}

TEST_F(ClientTlsTest, RefusesACertificateForAnotherName) {
  EXPECT_EQ(Get("other.internal", certificate_).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(ClientTlsTest, SaysWhenTheAuthoritiesFileIsMissing) {
  EXPECT_EQ(Get("git.internal", "/nonexistent.pem").status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace davit::http
