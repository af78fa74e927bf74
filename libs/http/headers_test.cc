// Tests of headers.h.
#include "libs/http/headers.h"

#include <gtest/gtest.h>

namespace davit::http {
namespace {

TEST(HeadersTest, FindsNamesWithoutRegardToCase) {
  Headers headers = {{"Content-Type", "text/plain"}};
  EXPECT_EQ(headers.Get("content-type"), "text/plain");
  EXPECT_FALSE(headers.Has("Accept"));
  EXPECT_EQ(headers.Find("CONTENT-TYPE"), &headers.fields()[0].second);
  EXPECT_EQ(headers.Find("Accept"), nullptr);
}

TEST(HeadersTest, SetReplacesEveryFieldOfTheName) {
  Headers headers = {{"A", "1"}, {"B", "2"}, {"a", "3"}};
  headers.Set("A", "4");
  EXPECT_EQ(headers.fields(), (std::vector<Headers::Field>{{"B", "2"}, {"A", "4"}}));
}

TEST(HeadersTest, AuthorizationValuesFollowTheirRfcs) {
  EXPECT_EQ(BasicAuthorization("Aladdin", "open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  EXPECT_EQ(BearerAuthorization("t"), "Bearer t");
}

}  // namespace
}  // namespace davit::http
