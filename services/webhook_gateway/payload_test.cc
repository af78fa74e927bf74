// Tests of payload.h.
#include "services/webhook_gateway/payload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "absl/strings/str_cat.h"

namespace davit::webhook_gateway {
namespace {

std::string Nested(int depth, absl::string_view innermost = "") {
  return absl::StrCat(std::string(depth, '['), innermost, std::string(depth, ']'));
}

absl::Status Refusal(absl::string_view text) { return JsonDocument::Parse(text).status(); }

std::string Text(const JsonDocument& document, std::string_view pointer) {
  return std::string(document.root().at_pointer(pointer).get_string().value());
}

TEST(PayloadTest, ParsesJson) {
  const JsonDocument document = *JsonDocument::Parse(R"( {"ref":"refs/heads/é","n":[1,2.5,null,true,"a\u0000b"]} )");
  EXPECT_EQ(Text(document, "/ref"), "refs/heads/é");
  EXPECT_EQ(Text(document, "/n/4"), std::string("a\0b", 3));
  EXPECT_EQ(Text(*JsonDocument::Parse("\xef\xbb\xbf{\"a\":\"after a byte order mark\"}"), "/a"),
            "after a byte order mark");
  EXPECT_EQ(Text(*JsonDocument::Parse(R"("\ud83d\ude00")"), ""), "😀");
}

TEST(PayloadTest, DocumentsOfOneThreadDoNotShareAnything) {
  std::optional<JsonDocument> first = *JsonDocument::Parse(R"({"a":"first"})");
  const JsonDocument second = *JsonDocument::Parse(R"({"a":"second"})");
  EXPECT_EQ(Text(*first, "/a"), "first");
  first = *JsonDocument::Parse(R"({"a":"third"})");
  EXPECT_EQ(Text(*first, "/a"), "third");
  EXPECT_EQ(Text(second, "/a"), "second");
  first.reset();
  EXPECT_FALSE(JsonDocument::Parse("{").ok());
  EXPECT_EQ(Text(*JsonDocument::Parse(R"({"a":"fourth"})"), "/a"), "fourth");
  EXPECT_EQ(Text(second, "/a"), "second");
}

TEST(PayloadTest, ALargeTextIsReadLikeASmallOne) {
  for (const size_t size : {size_t{10}, size_t{65'000}, size_t{65'536}, size_t{70'000}, size_t{25} << 20}) {
    std::string text = absl::StrCat(R"({"a":")", std::string(size, 'x'), R"("})");
    EXPECT_EQ(Text(*JsonDocument::Parse(text), "/a").size(), size);
    text.back() = ']';
    EXPECT_EQ(Refusal(text), absl::InvalidArgumentError(absl::StrCat("invalid JSON at byte ", text.size())));
  }
}

TEST(PayloadTest, SaysAtWhichByteJsonIsBroken) {
  const std::pair<std::string, int> cases[] = {
      {R"({"a":)", 6},
      {"", 1},
      {"{}x", 3},
      {"{\"a\":\"\xff\"}", 7},
      {R"({"a":"unterminated\")", 21},
      {"\xef\xbb\xbf{}x", 6},
      {std::string("{}\0", 3), 3},
      {R"({"a":1 "b":2})", 10},
      {"[01]", 3},
      {"[1e999]", 6},
  };
  for (const auto& [text, byte] : cases) {
    EXPECT_EQ(Refusal(text), absl::InvalidArgumentError(absl::StrCat("invalid JSON at byte ", byte))) << text;
  }
}

TEST(PayloadTest, RefusesTextThatIsNotUnicode) {
  for (const char* text : {R"("\ud800")", R"("\udc00")", R"("\ud800\u0041")", R"("\ud800\ud800")", "\"\xed\xa0\x80\"",
                           "\"\xc0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xe9\""}) {
    EXPECT_THAT(std::string(Refusal(text).message()), ::testing::StartsWith("invalid JSON at byte ")) << text;
  }
}

TEST(PayloadTest, NamesAnIntegerThatNoTypeHolds) {
  EXPECT_TRUE(JsonDocument::Parse("[18446744073709551615,-9223372036854775808]").ok());
  EXPECT_EQ(Refusal("[1.5e9,18446744073709551616]"),
            absl::InvalidArgumentError("integer over 64 bits: 18446744073709551616"));
  EXPECT_EQ(Refusal("-9223372036854775809"), absl::InvalidArgumentError("integer over 64 bits: -9223372036854775809"));
  EXPECT_EQ(Refusal(std::string(100, '1')),
            absl::InvalidArgumentError(absl::StrCat("integer over 64 bits: ", std::string(40, '1'))));
}

TEST(PayloadTest, RefusesDeepNestingBeforeItParses) {
  EXPECT_TRUE(JsonDocument::Parse(Nested(64)).ok());
  EXPECT_TRUE(JsonDocument::Parse(Nested(64, "1")).ok());
  EXPECT_EQ(Refusal(Nested(65, "1")), absl::InvalidArgumentError("nesting over 64"));
  EXPECT_EQ(Refusal(Nested(65)), absl::InvalidArgumentError("nesting over 64"));
  EXPECT_EQ(Refusal(Nested(10000)), absl::InvalidArgumentError("nesting over 64"));
  EXPECT_EQ(Refusal(std::string(10000, '[')), absl::InvalidArgumentError("nesting over 64"));
}

TEST(PayloadTest, BracketsInStringsAreNotNesting) {
  EXPECT_TRUE(JsonDocument::Parse(absl::StrCat(R"({"message":"\")", std::string(100, '['), R"(\\"})")).ok());
}

TEST(PayloadTest, BoundsTheNumberOfValues) {
  std::string many = "[1";
  for (int i = 0; i < 1'000'000; ++i) many += ",1";
  EXPECT_EQ(Refusal(many + "]"), absl::InvalidArgumentError("over 1000000 values"));
  EXPECT_EQ(Refusal(std::string(1'000'001, ':')), absl::InvalidArgumentError("over 1000000 values"));
}

TEST(PayloadTest, TakesThePayloadOutOfAForm) {
  std::string decoded;
  EXPECT_EQ(*JsonText("application/json", "payload=x", decoded), "payload=x");
  EXPECT_EQ(*JsonText("application/x-www-form-urlencoded; charset=utf-8", "a=b&payload=%7B%22a%22%3A+1%7d&c", decoded),
            R"({"a": 1})");
  EXPECT_EQ(*JsonText("application/x-www-form-urlencoded", "payload=100%&x", decoded), "100%");
  EXPECT_EQ(JsonText("application/x-www-form-urlencoded", "{}", decoded).status(),
            absl::InvalidArgumentError("form has no payload"));
}

}  // namespace
}  // namespace davit::webhook_gateway
