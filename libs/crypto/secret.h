// A piece of text that must not leak. Value type; not synchronised.
#pragma once

#include <ostream>
#include <string>

namespace davit::crypto {

// Holds a token, password or key. It cannot be printed, compared or converted by accident: Reveal() is the only way to
// the text, and its memory is wiped when it is destroyed or replaced.
class SecretString {
 public:
  SecretString() = default;
  // Copies the text and wipes the argument, so that a caller who moves leaves no copy behind.
  explicit SecretString(std::string text);
  ~SecretString();

  SecretString(const SecretString& other) = default;
  SecretString(SecretString&& other) noexcept;
  SecretString& operator=(const SecretString& other);
  SecretString& operator=(SecretString&& other) noexcept;

  // The text itself. Do not keep copies of it.
  const std::string& Reveal() const { return text_; }

  // Whether there is no text.
  bool empty() const { return text_.empty(); }

 private:
  std::string text_;
};

// A secret is not printed.
std::ostream& operator<<(std::ostream& stream, const SecretString& secret) = delete;

// Comparing secrets takes ConstantTimeEquals (hash.h).
bool operator==(const SecretString& left, const SecretString& right) = delete;

// Overwrites a string's bytes in a way that the compiler cannot leave out, and empties it.
void Wipe(std::string& text);

}  // namespace davit::crypto
