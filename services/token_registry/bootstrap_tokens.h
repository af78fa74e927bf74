// The tokens that exist before anybody can make one: read from a file that the installation wrote. Stateless.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "libs/clock/clock.h"
#include "libs/crypto/secret.h"
#include "libs/ids/random.h"
#include "services/token_registry/store.h"

namespace davit::token_registry {

// Makes the tokens of `file_text` the store's bootstrap tokens: lines `role project token` (the project "*" = all);
// blank lines and lines that start with # are skipped. New ones are added, ones that are no longer listed are revoked;
// one that was revoked stays so. INVALID_ARGUMENT names the line and what is wrong with it, never its token.
absl::Status LoadBootstrapTokens(const crypto::SecretString& file_text, Store& store, Clock& clock,
                                 RandomSource& random);

// Whether `file_text` can be loaded; the errors are those of LoadBootstrapTokens.
absl::Status CheckBootstrapTokens(const crypto::SecretString& file_text);

}  // namespace davit::token_registry
