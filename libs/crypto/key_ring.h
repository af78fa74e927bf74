// The keys that wrap data keys. Immutable after construction; usable from any thread.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/crypto/secret.h"
#include "libs/ids/random.h"

namespace davit::crypto {

// Key encryption keys by id, one of them the primary, which seals; the others still open what they sealed before. To
// rotate, put a new key in front of the file and keep the old ones.
class KeyRing {
 public:
  // Reads a key file: one key a line, `id base64key`, the key being 32 bytes; the first one is the primary. Blank lines
  // and lines that start with # are skipped. Ids are 1 to 64 of [A-Za-z0-9._-]. Errors name the file and the line,
  // never its content: NOT_FOUND; PERMISSION_DENIED (not readable, or readable by every user of the machine);
  // INVALID_ARGUMENT.
  static absl::StatusOr<KeyRing> FromFile(const std::string& path);

  // Reads such a text from an environment variable; ";" may stand for the end of a line. Errors name the variable.
  static absl::StatusOr<KeyRing> FromEnvironment(const std::string& variable);

  // Reads the text of a key file.
  static absl::StatusOr<KeyRing> Parse(const SecretString& text);

  // The text of a new key file with one fresh key, for who installs Davit to store (mode 0600).
  static SecretString NewFileText(absl::string_view id, RandomSource& random);

  // The id of the key that seals.
  const std::string& primary_id() const { return primary_id_; }

  // The key of that id, 32 bytes; nullptr when the ring does not hold it.
  const SecretString* Find(absl::string_view id) const;

 private:
  KeyRing() = default;

  std::string primary_id_;
  std::map<std::string, SecretString, std::less<>> keys_;
};

}  // namespace davit::crypto
