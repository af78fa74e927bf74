// One-time codes that sign somebody in without typing a token: a file that the operator's scripts and this process
// write to. Thread-safe, also between processes (flock).
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/clock/clock.h"
#include "libs/crypto/secret.h"
#include "libs/ids/random.h"

namespace davit::console {

// The longest that a code lives.
inline constexpr absl::Duration kSignInCodeLifetime = absl::Minutes(10);

// Each line of the file is `CODE EXPIRES TOKEN`: 32 or more characters of base64url, seconds since 1970 (at most ten
// minutes ahead), and the API token that the code stands for. The file must be its owner's only (0600). A code that was
// used is taken out of the file before it counts.
class SignInCodes {
 public:
  // An empty path: there are no codes. `clock` and `random` must outlive this.
  SignInCodes(std::string path, Clock& clock, RandomSource& random);

  // Adds a fresh code for the token, making the file when it is missing. FAILED_PRECONDITION: the file cannot be used.
  absl::StatusOr<crypto::SecretString> Add(const crypto::SecretString& token);

  // The token that the code stands for; the code is void from then on. UNAUTHENTICATED: no such code, it was used, or
  // its time has passed. FAILED_PRECONDITION: the file cannot be used.
  absl::StatusOr<crypto::SecretString> Redeem(absl::string_view code);

 private:
  const std::string path_;
  Clock& clock_;
  RandomSource& random_;
};

}  // namespace davit::console
