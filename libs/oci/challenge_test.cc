// Tests of challenge.h.
#include "libs/oci/challenge.h"

#include <gtest/gtest.h>

namespace davit::oci {
namespace {

using Parameters = std::map<std::string, std::string>;

TEST(ChallengeTest, ReadsBearerWithCommasInAScope) {
  const Challenge challenge = ParseChallenge(
      R"(Bearer realm="https://auth.example/token",service="registry.example", Scope="repository:a/b:pull,push")");
  EXPECT_EQ(challenge.scheme, "bearer");
  EXPECT_EQ(challenge.parameters, (Parameters{{"realm", "https://auth.example/token"},
                                              {"service", "registry.example"},
                                              {"scope", "repository:a/b:pull,push"}}));
}

TEST(ChallengeTest, ReadsBasicAndTokensAndEscapes) {
  EXPECT_EQ(ParseChallenge("Basic realm=x").parameters, (Parameters{{"realm", "x"}}));
  EXPECT_EQ(ParseChallenge(R"(Basic realm="a\"b")").parameters, (Parameters{{"realm", "a\"b"}}));
  EXPECT_EQ(ParseChallenge("Negotiate").scheme, "negotiate");
}

TEST(ChallengeTest, EndsAtTheNextChallengeAndSurvivesNonsense) {
  EXPECT_EQ(ParseChallenge(R"(Basic realm="a", Bearer realm="b")").parameters, (Parameters{{"realm", "a"}}));
  EXPECT_EQ(ParseChallenge("").scheme, "");
  EXPECT_EQ(ParseChallenge("Bearer realm=\"unterminated").parameters, (Parameters{{"realm", "unterminated"}}));
  EXPECT_EQ(ParseChallenge("Bearer =,=,\\").scheme, "bearer");
}

}  // namespace
}  // namespace davit::oci
