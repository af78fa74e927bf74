// Tests of payload.h.
#include "services/webhook_gateway/payload.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace davit::webhook_gateway {
namespace {

std::string Nested(int depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(PayloadTest, ParsesJson) {
  EXPECT_EQ((*ParseJson(R"( {"ref":"refs/heads/é","n":[1,2.5,null,true]} )"))["ref"], "refs/heads/é");
}

TEST(PayloadTest, SaysAtWhichByteJsonIsBroken) {
  EXPECT_EQ(ParseJson(R"({"a":)").status(), absl::InvalidArgumentError("invalid JSON at byte 6"));
  EXPECT_EQ(ParseJson("").status(), absl::InvalidArgumentError("invalid JSON at byte 1"));
  EXPECT_EQ(ParseJson("{}x").status(), absl::InvalidArgumentError("invalid JSON at byte 3"));
  EXPECT_EQ(ParseJson("{\"a\":\"\xff\"}").status(), absl::InvalidArgumentError("invalid JSON at byte 7"));
  EXPECT_EQ(ParseJson(R"({"a":"unterminated\")").status(), absl::InvalidArgumentError("invalid JSON at byte 21"));
  EXPECT_EQ(ParseJson("1e999").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(PayloadTest, RefusesDeepNestingBeforeItParses) {
  EXPECT_TRUE(ParseJson(Nested(64)).ok());
  EXPECT_EQ(ParseJson(Nested(65)).status(), absl::InvalidArgumentError("nesting over 64"));
  EXPECT_EQ(ParseJson(Nested(10000)).status(), absl::InvalidArgumentError("nesting over 64"));
  EXPECT_EQ(ParseJson(std::string(10000, '[')).status(), absl::InvalidArgumentError("nesting over 64"));
}

TEST(PayloadTest, BracketsInStringsAreNotNesting) {
  EXPECT_TRUE(ParseJson(absl::StrCat(R"({"message":"\")", std::string(100, '['), R"(\\"})")).ok());
}

TEST(PayloadTest, BoundsTheNumberOfValues) {
  std::string many = "[1";
  for (int i = 0; i < 1'000'000; ++i) many += ",1";
  EXPECT_EQ(ParseJson(many + "]").status(), absl::InvalidArgumentError("over 1000000 values"));
}

TEST(PayloadTest, TakesThePayloadOutOfAForm) {
  EXPECT_EQ(*JsonText("application/json", "payload=x"), "payload=x");
  EXPECT_EQ(*JsonText("application/x-www-form-urlencoded; charset=utf-8", "a=b&payload=%7B%22a%22%3A+1%7d&c"),
            R"({"a": 1})");
  EXPECT_EQ(*JsonText("application/x-www-form-urlencoded", "payload=100%&x"), "100%");
  EXPECT_EQ(JsonText("application/x-www-form-urlencoded", "{}").status(),
            absl::InvalidArgumentError("form has no payload"));
}

}  // namespace
}  // namespace davit::webhook_gateway
