// Tests of arguments.h.
#include "services/cli/arguments.h"

#include <gtest/gtest.h>

namespace davit::cli {
namespace {

const Syntax& BuildSyntax() {
  static const Syntax* const syntax =
      new Syntax{{{"image", 0, "IMAGE", "Where to."},
                  {"file", 'f', "FILE", "Dockerfile."},
                  {"build-arg", 0, "KEY=VALUE", "Argument.", Repeat::kMany},
                  {"follow", 'F', "", "Follow."},
                  {"limit", 0, "N", "At most."},
                  {"timeout", 0, "DURATION", "At most."}},
                 {{"PATH", "what to build", Positional::Count::kOne}, {"OTHER", "else", Positional::Count::kOptional}}};
  return *syntax;
}

absl::StatusOr<Arguments> Parse(std::vector<std::string> arguments) { return ParseArguments(arguments, BuildSyntax()); }

std::string Error(std::vector<std::string> arguments) {
  const absl::Status status = Parse(std::move(arguments)).status();
  EXPECT_TRUE(IsUsageError(status)) << status;
  return std::string(status.message());
}

TEST(ArgumentsTest, OptionsAndPositionalsMayBeMixed) {
  const auto parsed = Parse({"--image=a/b", "dir", "-f", "Dockerfile.x", "--follow"});
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->Get("image"), "a/b");
  EXPECT_EQ(parsed->Get("file"), "Dockerfile.x");
  EXPECT_TRUE(parsed->Has("follow"));
  EXPECT_FALSE(parsed->Has("limit"));
  EXPECT_EQ(parsed->Get("limit", "50"), "50");
  EXPECT_EQ(parsed->positionals(), std::vector<std::string>{"dir"});
}

TEST(ArgumentsTest, AShortOptionMayHoldItsValue) { EXPECT_EQ(Parse({"-fx", "dir"})->Get("file"), "x"); }

TEST(ArgumentsTest, TwoDashesEndTheOptions) {
  EXPECT_EQ(Parse({"--", "--image", "-"})->positionals(), (std::vector<std::string>{"--image", "-"}));
}

TEST(ArgumentsTest, ALoneDashIsAnArgument) { EXPECT_EQ(Parse({"-"})->positionals(), std::vector<std::string>{"-"}); }

TEST(ArgumentsTest, RepeatedOptionsKeepTheirOrder) {
  const auto parsed = Parse({"d", "--build-arg", "B=2", "--build-arg", "A=x=y"});
  EXPECT_EQ(parsed->GetAll("build-arg"), (std::vector<std::string>{"B=2", "A=x=y"}));
  EXPECT_EQ(parsed->GetPairs("build-arg")->at("A"), "x=y");
  EXPECT_EQ(Parse({"d", "--build-arg", "=1"})->GetPairs("build-arg").status().message(),
            "option --build-arg is KEY=VALUE, not \"=1\"");
}

TEST(ArgumentsTest, AMisspeltOptionIsRecognised) {
  EXPECT_EQ(Error({"--imagee", "x", "dir"}), "unknown option --imagee; did you mean --image?");
  EXPECT_EQ(Error({"--folow", "dir"}), "unknown option --folow; did you mean --follow?");
  EXPECT_EQ(Error({"--zzz=1", "dir"}), "unknown option --zzz");
  EXPECT_EQ(Error({"-x", "dir"}), "unknown option -x");
}

TEST(ArgumentsTest, MistakesAreNamed) {
  EXPECT_EQ(Error({"dir", "--image"}), "option --image needs a value: --image IMAGE");
  EXPECT_EQ(Error({"dir", "--follow=yes"}), "option --follow takes no value");
  EXPECT_EQ(Error({"dir", "--image=a", "--image=b"}), "option --image is given twice");
  EXPECT_EQ(Error({}), "missing argument PATH: what to build");
  EXPECT_EQ(Error({"a", "b", "c"}), "unexpected argument \"c\"");
}

TEST(ArgumentsTest, NumbersAndDurationsAreChecked) {
  const auto parsed = Parse({"d", "--limit", "7", "--timeout", "1h30m"});
  EXPECT_EQ(*parsed->GetNumber("limit", 50, 1), 7);
  EXPECT_EQ(*parsed->GetDuration("timeout"), absl::Minutes(90));
  EXPECT_EQ(*Parse({"d"})->GetNumber("limit", 50, 1), 50);
  EXPECT_EQ(Parse({"d", "--limit", "0"})->GetNumber("limit", 50, 1).status().message(),
            "option --limit is a whole number of 1 or more, not \"0\"");
  EXPECT_FALSE(Parse({"d", "--timeout", "soon"})->GetDuration("timeout").ok());
  EXPECT_FALSE(Parse({"d", "--timeout", "-5s"})->GetDuration("timeout").ok());
}

TEST(ArgumentsTest, ARequiredOptionMustNotBeEmpty) {
  EXPECT_TRUE(Parse({"d", "--image", "x"})->Require("image").ok());
  EXPECT_EQ(Parse({"d", "--image="})->Require("image").message(), "option --image is required");
}

}  // namespace
}  // namespace davit::cli
