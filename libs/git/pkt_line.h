// Git's framing: pkt-lines, each four hexadecimal digits of length and then bytes. Source: gitprotocol-common(5).
// Not thread-safe.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace davit::git {

// Fills the buffer with the next bytes and returns how many; 0 at the end.
using ByteSource = std::function<absl::StatusOr<size_t>(absl::Span<char>)>;

inline constexpr absl::string_view kFlushPkt = "0000";
inline constexpr absl::string_view kDelimiterPkt = "0001";

// Appends one pkt-line with this payload (at most 65,516 bytes) to `out`.
void AppendPktLine(absl::string_view payload, std::string* out);

// One frame.
struct Pkt {
  enum class Kind { kData, kFlush, kDelimiter, kResponseEnd, kEndOfStream };
  Kind kind = Kind::kEndOfStream;
  // For kData; valid until the next call of Next.
  absl::string_view payload;

  // The payload without its trailing newline, if it has one.
  absl::string_view Line() const;
};

// Cuts a stream of bytes into frames.
class PktReader {
 public:
  explicit PktReader(ByteSource source);

  // The next frame; kEndOfStream when the stream ends between frames. UNAVAILABLE when it ends within one, INTERNAL for
  // bytes that are no pkt-line, and the source's own errors.
  absl::StatusOr<Pkt> Next();

 private:
  // Makes at least `size` bytes available at position_; false when the stream ends before.
  absl::StatusOr<bool> Need(size_t size);

  ByteSource source_;
  std::string buffer_;
  size_t position_ = 0;
  size_t end_ = 0;
};

}  // namespace davit::git
