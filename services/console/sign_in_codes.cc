// Implements sign_in_codes.h.
#include "services/console/sign_in_codes.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/crypto/hash.h"
#include "libs/crypto/token.h"
#include "libs/status/status_macros.h"

namespace davit::console {
namespace {

constexpr int64_t kMaxFileBytes = 256 << 10;
constexpr size_t kMinCodeLength = 32;

// The file, open and locked for as long as this lives.
class LockedFile {
 public:
  static absl::StatusOr<LockedFile> Open(const std::string& path, int flags) {
    LockedFile file(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600), path);
    struct stat info {};
    if (file.descriptor_ < 0 || fstat(file.descriptor_, &info) != 0) return file.Error("cannot be opened");
    if (!S_ISREG(info.st_mode) || (info.st_mode & 077) != 0) {
      return absl::FailedPreconditionError(
          absl::StrCat("sign_in_codes_file: ", path, " must be a file of mode 0600, for its owner only"));
    }
    if (info.st_size > kMaxFileBytes) {
      return absl::FailedPreconditionError(absl::StrCat("sign_in_codes_file: ", path, " is over 256 KiB"));
    }
    if (flock(file.descriptor_, LOCK_EX) != 0) return file.Error("cannot be locked");
    return file;
  }

  LockedFile(LockedFile&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}
  LockedFile& operator=(LockedFile&&) = delete;
  ~LockedFile() {
    if (descriptor_ >= 0) close(descriptor_);
  }

  absl::StatusOr<std::string> Read() {
    std::string text(kMaxFileBytes, '\0');
    const ssize_t size = pread(descriptor_, text.data(), text.size(), 0);
    if (size < 0) return Error("cannot be read");
    text.resize(static_cast<size_t>(size));
    return text;
  }

  absl::Status Replace(const std::string& text) {
    if (pwrite(descriptor_, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()) ||
        ftruncate(descriptor_, static_cast<off_t>(text.size())) != 0 || fdatasync(descriptor_) != 0) {
      return Error("cannot be written");
    }
    return absl::OkStatus();
  }

 private:
  LockedFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}

  absl::Status Error(absl::string_view what) const {
    return absl::FailedPreconditionError(absl::StrCat("sign_in_codes_file: ", path_, " ", what, ": ", strerror(errno)));
  }

  int descriptor_;
  std::string path_;
};

// A line of the file.
struct Line {
  std::string code;
  absl::Time expires;
  std::string token;
};

// The lines whose time has not passed; what is not a line, or lives longer than a code may, is left out.
std::vector<Line> ValidLines(absl::string_view text, absl::Time now) {
  std::vector<Line> lines;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipWhitespace())) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipWhitespace());
    int64_t expires = 0;
    if (words.size() != 3 || words[0].size() < kMinCodeLength || !absl::SimpleAtoi(words[1], &expires)) continue;
    const absl::Time end = absl::FromUnixSeconds(expires);
    // A second of grace: the file's times are whole seconds.
    if (end <= now || end > now + kSignInCodeLifetime + absl::Seconds(1)) continue;
    lines.push_back({words[0], end, words[2]});
  }
  return lines;
}

std::string TextOf(const std::vector<Line>& lines) {
  std::string text;
  for (const Line& line : lines) {
    absl::StrAppend(&text, line.code, " ", absl::ToUnixSeconds(line.expires), " ", line.token, "\n");
  }
  return text;
}

}  // namespace

SignInCodes::SignInCodes(std::string path, Clock& clock, RandomSource& random)
    : path_(std::move(path)), clock_(clock), random_(random) {}

absl::StatusOr<crypto::SecretString> SignInCodes::Add(const crypto::SecretString& token) {
  if (path_.empty()) return absl::FailedPreconditionError("sign_in_codes_file: there is none");
  DAVIT_ASSIGN_OR_RETURN(LockedFile file, LockedFile::Open(path_, O_CREAT));
  DAVIT_ASSIGN_OR_RETURN(const std::string text, file.Read());
  const absl::Time now = clock_.Now();
  std::vector<Line> lines = ValidLines(text, now);
  crypto::SecretString code = crypto::RandomToken(random_, "");
  lines.push_back({code.Reveal(), now + kSignInCodeLifetime, token.Reveal()});
  DAVIT_RETURN_IF_ERROR(file.Replace(TextOf(lines)));
  return code;
}

absl::StatusOr<crypto::SecretString> SignInCodes::Redeem(absl::string_view code) {
  const absl::Status unknown = absl::UnauthenticatedError(
      "this sign-in link is not valid: it was used, or ten minutes have passed; sign in with an API token");
  if (path_.empty() || access(path_.c_str(), F_OK) != 0) return unknown;
  DAVIT_ASSIGN_OR_RETURN(LockedFile file, LockedFile::Open(path_, 0));
  DAVIT_ASSIGN_OR_RETURN(const std::string text, file.Read());
  crypto::SecretString token;
  std::vector<Line> left;
  for (Line& line : ValidLines(text, clock_.Now())) {
    if (crypto::ConstantTimeEquals(line.code, code)) {
      token = crypto::SecretString(std::move(line.token));
    } else {
      left.push_back(std::move(line));
    }
  }
  if (token.empty()) return unknown;
  DAVIT_RETURN_IF_ERROR(file.Replace(TextOf(left)));
  return token;
}

}  // namespace davit::console
