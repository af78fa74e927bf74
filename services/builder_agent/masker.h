// Keeps secrets out of build logs. See each class for its threading.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "libs/crypto/secret.h"

namespace davit::builder_agent {

// The texts to mask: every secret as it is, in hexadecimal, URL-encoded, and as it shows inside base64 of a longer text
// (as in a basic authorization header), in both alphabets. Immutable; usable from any thread.
class SecretForms {
 public:
  // Secrets shorter than this would mask ordinary text and are ignored.
  static constexpr size_t kShortestSecret = 4;

  explicit SecretForms(const std::vector<crypto::SecretString>& secrets);
  ~SecretForms();
  SecretForms(const SecretForms&) = delete;
  SecretForms& operator=(const SecretForms&) = delete;

  // A whole text with every occurrence replaced by "***".
  std::string MaskText(absl::string_view text) const;

  // Appends the masked form of `text` up to where a secret may begin that goes on after the text, and returns that
  // place.
  size_t MaskUpTo(absl::string_view text, std::string& out) const;

 private:
  std::vector<std::string> forms_;  // Longest first.
};

// Masks a stream. A secret that is cut by the boundary of two pieces is found; for that the stream's last bytes are
// held back while they may be the beginning of one. For one thread at a time.
class Masker {
 public:
  // `forms` must outlive the masker.
  explicit Masker(const SecretForms& forms) : forms_(&forms) {}

  // Takes the next piece and returns what can be passed on.
  std::string Feed(absl::string_view piece);

  // The end of the stream: returns what was held back.
  std::string Flush();

 private:
  const SecretForms* forms_;
  std::string held_;
};

}  // namespace davit::builder_agent
