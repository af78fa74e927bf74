// Tests of pkt_line.h.
#include "libs/git/pkt_line.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

namespace davit::git {
namespace {

// A source that yields `text` in pieces of at most `piece` bytes.
ByteSource SourceOf(std::string text, size_t piece) {
  return
      [text = std::move(text), piece, position = size_t{0}](absl::Span<char> buffer) mutable -> absl::StatusOr<size_t> {
        const size_t size = std::min({piece, buffer.size(), text.size() - position});
        std::memcpy(buffer.data(), text.data() + position, size);
        position += size;
        return size;
      };
}

TEST(PktLineTest, FramesALine) {
  std::string out;
  AppendPktLine("want x\n", &out);
  EXPECT_EQ(out, "000bwant x\n");
}

TEST(PktReaderTest, CutsAStreamWhereverItWasSplit) {
  for (const size_t piece : {1, 3, 1000}) {
    PktReader reader(SourceOf("000bwant x\n00000001000200040005a", piece));
    Pkt pkt = *reader.Next();
    EXPECT_EQ(pkt.kind, Pkt::Kind::kData);
    EXPECT_EQ(pkt.payload, "want x\n");
    EXPECT_EQ(pkt.Line(), "want x");
    EXPECT_EQ(reader.Next()->kind, Pkt::Kind::kFlush);
    EXPECT_EQ(reader.Next()->kind, Pkt::Kind::kDelimiter);
    EXPECT_EQ(reader.Next()->kind, Pkt::Kind::kResponseEnd);
    EXPECT_EQ(reader.Next()->payload, "");
    EXPECT_EQ(reader.Next()->payload, "a");
    EXPECT_EQ(reader.Next()->kind, Pkt::Kind::kEndOfStream);
  }
}

TEST(PktReaderTest, TakesTheLongestFrames) {
  std::string text;
  for (int i = 0; i < 10; ++i) AppendPktLine(std::string(65516, static_cast<char>('a' + i)), &text);
  PktReader reader(SourceOf(text, 10'000));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(reader.Next()->payload, std::string(65516, static_cast<char>('a' + i)));
}

TEST(PktReaderTest, RefusesWhatIsNoFrame) {
  for (const char* text : {"<html>", "0003", "+00a123456", "0x0a"}) {
    PktReader reader(SourceOf(text, 100));
    EXPECT_EQ(reader.Next().status().code(), absl::StatusCode::kInternal) << text;
  }
}

TEST(PktReaderTest, NoticesAnEarlyEnd) {
  for (const char* text : {"00", "000bwant"}) {
    PktReader reader(SourceOf(text, 100));
    EXPECT_EQ(reader.Next().status().code(), absl::StatusCode::kUnavailable) << text;
  }
}

}  // namespace
}  // namespace davit::git
