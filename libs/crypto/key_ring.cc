// Implements key_ring.h.
#include "libs/crypto/key_ring.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "libs/crypto/aead.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"

namespace davit::crypto {
namespace {

constexpr size_t kMaxFileBytes = 64 << 10;

bool IsKeyId(absl::string_view id) {
  if (id.empty() || id.size() > 64) return false;
  for (const char c : id) {
    if (!absl::ascii_isalnum(c) && c != '.' && c != '_' && c != '-') return false;
  }
  return true;
}

// Closes a descriptor when it goes out of scope.
struct Descriptor {
  explicit Descriptor(int number) : number(number) {}
  ~Descriptor() {
    if (number >= 0) close(number);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  const int number;
};

absl::StatusOr<SecretString> ReadPrivateFile(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info = {};
  if (file.number < 0 || fstat(file.number, &info) != 0) return absl::ErrnoToStatus(errno, "cannot be opened");
  if ((info.st_mode & S_IROTH) != 0) {
    return absl::PermissionDeniedError("every user of this machine can read it; remove that with chmod o-rwx");
  }
  std::string text(kMaxFileBytes + 1, '\0');
  size_t length = 0;
  while (length < text.size()) {
    const ssize_t count = read(file.number, text.data() + length, text.size() - length);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return absl::ErrnoToStatus(errno, "cannot be read");
    if (count == 0) break;
    length += static_cast<size_t>(count);
  }
  if (length > kMaxFileBytes) return absl::InvalidArgumentError("over 64 KiB");
  text.resize(length);
  return SecretString(std::move(text));
}

}  // namespace

absl::StatusOr<KeyRing> KeyRing::FromFile(const std::string& path) {
  const std::string doing = absl::StrCat("Failed to read the key file ", path);
  const absl::StatusOr<SecretString> text = ReadPrivateFile(path);
  if (!text.ok()) return Annotate(text.status(), doing);
  absl::StatusOr<KeyRing> ring = Parse(*text);
  if (!ring.ok()) return Annotate(ring.status(), doing);
  return ring;
}

absl::StatusOr<KeyRing> KeyRing::FromEnvironment(const std::string& variable) {
  const std::string doing = absl::StrCat("Failed to read keys from the environment variable ", variable);
  const char* const value = std::getenv(variable.c_str());
  if (value == nullptr) return Annotate(absl::NotFoundError("it is not set"), doing);
  absl::StatusOr<KeyRing> ring = Parse(SecretString(absl::StrReplaceAll(value, {{";", "\n"}})));
  if (!ring.ok()) return Annotate(ring.status(), doing);
  return ring;
}

absl::StatusOr<KeyRing> KeyRing::Parse(const SecretString& text) {
  KeyRing ring;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text.Reveal(), '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line[0] == '#') continue;
    const std::vector<absl::string_view> parts = absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    std::string bytes;
    if (parts.size() != 2 || !IsKeyId(parts[0]) || !absl::Base64Unescape(parts[1], &bytes) ||
        bytes.size() != kKeyBytes) {
      Wipe(bytes);
      return absl::InvalidArgumentError(
          absl::StrCat("line ", number, " is not an id, a space and 32 bytes in base64 (openssl rand -base64 32)"));
    }
    if (!ring.keys_.emplace(std::string(parts[0]), SecretString(std::move(bytes))).second) {
      return absl::InvalidArgumentError(absl::StrCat("line ", number, " repeats the id of a key"));
    }
    if (ring.primary_id_.empty()) ring.primary_id_ = std::string(parts[0]);
  }
  if (ring.keys_.empty()) return absl::InvalidArgumentError("it holds no key");
  return ring;
}

SecretString KeyRing::NewFileText(absl::string_view id, RandomSource& random) {
  std::string bytes(kKeyBytes, '\0');
  random.Fill(absl::MakeSpan(reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()));
  std::string encoded = absl::Base64Escape(bytes);
  SecretString text(absl::StrCat(id, " ", encoded, "\n"));
  Wipe(bytes);
  Wipe(encoded);
  return text;
}

const SecretString* KeyRing::Find(absl::string_view id) const {
  const auto found = keys_.find(std::string(id));
  return found == keys_.end() ? nullptr : &found->second;
}

}  // namespace davit::crypto
