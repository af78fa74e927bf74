// Implements secret.h.
#include "libs/crypto/secret.h"

#include <string.h>

namespace davit::crypto {

void Wipe(std::string& text) {
  // A short string lives inside the object, where moving from it leaves the bytes: the whole capacity is overwritten.
  text.resize(text.capacity());
  explicit_bzero(text.data(), text.size());
  text.clear();
}

SecretString::SecretString(std::string text) : text_(text.data(), text.size()) { Wipe(text); }

SecretString::~SecretString() { Wipe(text_); }

SecretString::SecretString(SecretString&& other) noexcept : text_(std::move(other.text_)) { Wipe(other.text_); }

SecretString& SecretString::operator=(const SecretString& other) {
  if (this != &other) {
    Wipe(text_);
    text_ = other.text_;
  }
  return *this;
}

SecretString& SecretString::operator=(SecretString&& other) noexcept {
  if (this != &other) {
    Wipe(text_);
    text_ = std::move(other.text_);
    Wipe(other.text_);
  }
  return *this;
}

}  // namespace davit::crypto
