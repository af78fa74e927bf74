// A real git server over HTTP for tests: lighttpd with `git http-backend` and basic authentication, on a free port of
// 127.0.0.1. It ends with the object, or with the thread that made it. Belongs to one thread.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/git/testing/git_repository.h"
#include "libs/process/process.h"

namespace davit::git {

struct GitHttpServerOptions {
  // Empty: no authentication.
  std::string username;
  std::string password;
  enum class Protocol { kNewest, kVersion0 };
  Protocol protocol = Protocol::kNewest;
};

class GitHttpServer {
 public:
  static absl::StatusOr<std::unique_ptr<GitHttpServer>> Start(GitHttpServerOptions options);
  ~GitHttpServer();

  // Where a repository's directory is to be, for a name such as `team/app.git`.
  std::string PathOf(const std::string& repository) const;
  // Its URL.
  std::string UrlOf(const std::string& repository) const;
  // The same with the user name and password in it, for the git program.
  std::string UrlWithPasswordOf(const std::string& repository) const;
  // `127.0.0.1:PORT`, for an allow-list.
  std::string authority() const;

  // Stops answering.
  void Stop();

 private:
  explicit GitHttpServer(GitHttpServerOptions options) : options_(std::move(options)) {}
  absl::Status TryPort(int port);

  const GitHttpServerOptions options_;
  ScratchDirectory scratch_;
  int port_ = 0;
  std::unique_ptr<process::Process> process_;
};

}  // namespace davit::git
