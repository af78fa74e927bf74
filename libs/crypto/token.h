// Random texts that stand for an identity or a shared secret. Pure functions; any thread.
#pragma once

#include "absl/strings/string_view.h"
#include "libs/crypto/secret.h"
#include "libs/ids/random.h"

namespace davit::crypto {

// `prefix` followed by 256 random bits as 43 characters of base64url: a token that cannot be guessed.
SecretString RandomToken(RandomSource& random, absl::string_view prefix);

}  // namespace davit::crypto
