// The console, wired: what main.cc, standalone and tests start. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/clock/clock.h"
#include "libs/crypto/secret.h"
#include "libs/ids/random.h"
#include "libs/logging/logger.h"
#include "libs/metrics/metrics.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace davit::console {

// Configuration of the console.
struct ConsoleOptions {
  std::string listen = "127.0.0.1:7086";  // HTTP, address:port; port 0 takes a free one
  // Its address for browsers, http://HOST[:PORT] or https://HOST[:PORT] (behind a proxy that ends TLS). May be empty
  // when `listen` is a loopback address, which it then is.
  std::string public_url;
  // See sign_in_codes.h; empty = people sign in with tokens only.
  std::string sign_in_codes_file;
  int64_t max_upload_bytes = int64_t{512} << 20;  // the scheduler has a limit of its own
  int max_streams = 512;                          // live views at a time, of all people
  int handler_threads = 16;
};

// Serves HTTP from Start until Drain. It has no gRPC services.
class ConsoleApp {
 public:
  // The channels go without a token: every call carries the token of the person that it is made for. `clock`, `random`
  // and `metrics` must outlive the app. INVALID_ARGUMENT names the option.
  static absl::StatusOr<std::unique_ptr<ConsoleApp>> Create(ConsoleOptions options, Clock& clock, RandomSource& random,
                                                            Logger logger, metrics::Registry& metrics,
                                                            std::shared_ptr<grpc::Channel> token_registry,
                                                            std::shared_ptr<grpc::Channel> rule_engine,
                                                            std::shared_ptr<grpc::Channel> scheduler);
  // Whether the address for browsers can be used; INVALID_ARGUMENT says what is wrong with it.
  static absl::Status CheckPublicUrl(const ConsoleOptions& options);

  ~ConsoleApp();

  // Binds and serves. INVALID_ARGUMENT or UNAVAILABLE: `listen` cannot be used.
  absl::Status Start();

  // The bound port, after Start.
  uint16_t port() const;

  // Its address for browsers, after Start.
  std::string public_url() const;

  // An address that signs in whoever opens it first within ten minutes, as the owner of the token; after Start.
  // FAILED_PRECONDITION: there is no file for codes.
  absl::StatusOr<std::string> NewSignInLink(const crypto::SecretString& token);

  // Ends the live views, lets open requests finish until `deadline`.
  void Drain(absl::Time deadline);

 private:
  class Impl;
  explicit ConsoleApp(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace davit::console
