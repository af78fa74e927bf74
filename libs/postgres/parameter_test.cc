// Tests of parameter.h.
#include "libs/postgres/parameter.h"

#include <gtest/gtest.h>

namespace davit::postgres {
namespace {

TEST(ParameterTest, WritesScalarsInTheServersTextForm) {
  EXPECT_EQ(*Parameter(42).text(), "42");
  EXPECT_EQ(*Parameter(uint64_t{1} << 63).text(), "9223372036854775808");
  EXPECT_EQ(*Parameter(true).text(), "true");
  EXPECT_EQ(*Parameter(0.5).text(), "0.5");
  EXPECT_EQ(*Parameter("text").text(), "text");
  EXPECT_EQ(*Parameter(absl::Milliseconds(1500)).text(), "1500000 microseconds");
  EXPECT_EQ(*Parameter(absl::UnixEpoch() + absl::Microseconds(1)).text(), "1970-01-01 00:00:00.000001+00");
  EXPECT_EQ(*Parameter(absl::InfiniteFuture()).text(), "infinity");
}

TEST(ParameterTest, WritesBytesAsHex) {
  EXPECT_EQ(*Parameter(Bytes{absl::string_view("\0\xff", 2)}).text(), "\\x00ff");
}

TEST(ParameterTest, TakesNothingForNull) {
  EXPECT_FALSE(Parameter(std::nullopt).text().has_value());
  EXPECT_FALSE(Parameter(std::optional<std::string>()).text().has_value());
  EXPECT_EQ(*Parameter(std::optional<int>(7)).text(), "7");
}

TEST(ParameterTest, QuotesArrayElements) {
  EXPECT_EQ(*Parameter(std::vector<std::string>{"a\"b", "c\\d", "e,f", ""}).text(),
            "{\"a\\\"b\",\"c\\\\d\",\"e,f\",\"\"}");
  EXPECT_EQ(*Parameter(std::vector<int64_t>{1, -2}).text(), "{1,-2}");
  EXPECT_EQ(*Parameter(std::vector<std::string>{}).text(), "{}");
  EXPECT_EQ(*Parameter(std::vector<Bytes>{Bytes{"a"}}).text(), "{\"\\\\x61\"}");
}

}  // namespace
}  // namespace davit::postgres
