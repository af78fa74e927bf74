// A private docker-registry on a free loopback port, with its storage in memory. Owns the process and the folder; start
// it from the thread that lives as long as it does (the test's main thread).
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "libs/process/process.h"

namespace davit::oci::testing {

// A running registry; destroying it ends the process and removes what it stored.
class TestRegistry {
 public:
  // Starts a registry that everybody may use.
  static absl::StatusOr<std::unique_ptr<TestRegistry>> Start();

  // Starts a registry that asks for this name and password (Basic).
  static absl::StatusOr<std::unique_ptr<TestRegistry>> StartWithPassword(const std::string& username,
                                                                         const std::string& password);
  ~TestRegistry();

  // "127.0.0.1:PORT".
  const std::string& address() const { return address_; }

 private:
  TestRegistry() = default;
  static absl::StatusOr<std::unique_ptr<TestRegistry>> StartWith(const std::string& htpasswd);

  std::string folder_;
  std::string address_;
  std::unique_ptr<process::Process> process_;
};

}  // namespace davit::oci::testing
