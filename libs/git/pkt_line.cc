// Implements pkt_line.h.
#include "libs/git/pkt_line.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "libs/status/status_macros.h"

namespace davit::git {
namespace {

// Holds the largest frame (65,520 bytes) and some of the next.
constexpr size_t kBufferBytes = 256 * 1024;

}  // namespace

void AppendPktLine(absl::string_view payload, std::string* out) {
  absl::StrAppendFormat(out, "%04x", payload.size() + 4);
  absl::StrAppend(out, payload);
}

absl::string_view Pkt::Line() const { return absl::StripSuffix(payload, "\n"); }

PktReader::PktReader(ByteSource source) : source_(std::move(source)), buffer_(kBufferBytes, '\0') {}

absl::StatusOr<bool> PktReader::Need(size_t size) {
  if (end_ - position_ >= size) return true;
  if (buffer_.size() - position_ < size) {
    std::memmove(buffer_.data(), buffer_.data() + position_, end_ - position_);
    end_ -= position_;
    position_ = 0;
  }
  while (end_ - position_ < size) {
    DAVIT_ASSIGN_OR_RETURN(const size_t got, source_(absl::MakeSpan(buffer_.data() + end_, buffer_.size() - end_)));
    if (got == 0) return false;
    end_ += got;
  }
  return true;
}

absl::StatusOr<Pkt> PktReader::Next() {
  Pkt pkt;
  DAVIT_ASSIGN_OR_RETURN(const bool has_length, Need(4));
  if (!has_length) {
    if (end_ == position_) return pkt;
    return absl::UnavailableError("the git server's answer ended early");
  }
  uint32_t length = 0;
  const absl::string_view digits(buffer_.data() + position_, 4);
  const bool hexadecimal = std::all_of(digits.begin(), digits.end(), absl::ascii_isxdigit);
  if (!hexadecimal || !absl::SimpleHexAtoi(digits, &length) || length == 3) {
    return absl::InternalError("the server's answer is not git's protocol");
  }
  if (length < 4) {
    position_ += 4;
    constexpr Pkt::Kind kSpecial[] = {Pkt::Kind::kFlush, Pkt::Kind::kDelimiter, Pkt::Kind::kResponseEnd};
    pkt.kind = kSpecial[length];
    return pkt;
  }
  DAVIT_ASSIGN_OR_RETURN(const bool complete, Need(length));
  if (!complete) return absl::UnavailableError("the git server's answer ended early");
  pkt.kind = Pkt::Kind::kData;
  pkt.payload = absl::string_view(buffer_.data() + position_ + 4, length - 4);
  position_ += length;
  return pkt;
}

}  // namespace davit::git
