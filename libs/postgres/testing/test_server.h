// The private PostgreSQL server that a test binary's databases live in, for tests that restart one. Used by tests only.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "libs/process/process.h"

namespace davit::postgres {

// Owns the server's process and its directory; both go with it. Start it on the main thread: the server is told to end
// when the thread that started it does. Not thread-safe.
class TestServer {
 public:
  // initdb, start, wait until it answers. Takes about a second.
  static absl::StatusOr<std::unique_ptr<TestServer>> Start();

  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  // Shuts down the server as an operator would: it ends its connections and keeps its data.
  absl::Status Stop();

  // Starts the server that Stop has ended, and waits until it answers.
  absl::Status StartAgain();

  // The superuser's conninfo, for the database "postgres".
  const std::string& conninfo() const { return conninfo_; }

 private:
  explicit TestServer(std::string directory);

  absl::Status Initialise();
  absl::Status AwaitReady();

  const std::string directory_;
  const std::string conninfo_;
  std::unique_ptr<process::Process> process_;
};

}  // namespace davit::postgres
