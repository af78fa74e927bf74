// Tests of parse.h.
#include "libs/dockerfile/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace davit::dockerfile {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> Keywords(const Dockerfile& file) {
  std::vector<std::string> keywords;
  for (const Instruction& instruction : file.instructions) keywords.push_back(instruction.keyword);
  return keywords;
}

std::string ErrorOf(absl::string_view content) {
  const auto file = Parse(content);
  EXPECT_EQ(file.status().code(), absl::StatusCode::kInvalidArgument) << content;
  return std::string(file.status().message());
}

TEST(ParseTest, ReadsInstructionsWithTheirLines) {
  const auto file =
      Parse("# a comment\n\nfrom alpine:3 as Build\nRUN echo \\\n  # inside\n\n  hi \\\n  there\nCopy . /\n");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_THAT(Keywords(*file), ElementsAre("FROM", "RUN", "COPY"));
  EXPECT_EQ(file->instructions[0].line, 3);
  EXPECT_EQ(file->instructions[1].line, 4);
  EXPECT_EQ(file->instructions[1].end_line, 8);
  EXPECT_EQ(file->instructions[1].arguments, "echo   hi   there");
  EXPECT_EQ(file->instructions[2].line, 9);
  ASSERT_EQ(file->stages.size(), 1u);
  EXPECT_EQ(file->stages[0].base, "alpine:3");
  EXPECT_EQ(file->stages[0].name, "build");
  EXPECT_THAT(file->stages[0].instructions, ElementsAre(0u, 1u, 2u));
}

TEST(ParseTest, TakesCarriageReturnsAndAByteOrderMark) {
  const auto file = Parse(
      "\xef\xbb\xbf"
      "FROM a\r\nRUN x \\\r\n  y\r\n");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->instructions[1].arguments, "x   y");
}

TEST(ParseTest, SaysThatThereAreNoInstructions) {
  for (const char* content : {"", "\n\n", "# only a comment\n", "# escape=`\n", "\\\n"}) {
    EXPECT_EQ(ErrorOf(content), "Dockerfile has no instructions") << content;
  }
}

TEST(ParseTest, NamesAnUnknownInstructionAndItsLine) {
  EXPECT_EQ(ErrorOf("FROM a\n\nBOGUS x\n"), "line 3: unknown instruction BOGUS");
  EXPECT_EQ(ErrorOf("FROM a\nRUN x \\\n && y\nrunn z\n"), "line 4: unknown instruction runn");
  EXPECT_EQ(ErrorOf("<html>\n"), "line 1: unknown instruction <html>");
}

TEST(ParseTest, LeavesAnotherFrontendItsOwnLanguage) {
  const auto file = Parse("# syntax = example/frontend:1\nBOGUS x\nFROM a b c\nRUN <<EOF\nno end");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->syntax, "example/frontend:1");
  EXPECT_EQ(file->instructions[0].keyword, "BOGUS");
  EXPECT_EQ(ErrorOf("# syntax=x\n# nothing else\n"), "Dockerfile has no instructions");
}

TEST(ParseTest, TakesDirectivesOnlyAtTheTop) {
  const auto late = Parse("# comment\n# syntax=x\nFROM a\n");
  ASSERT_TRUE(late.ok());
  EXPECT_EQ(late->syntax, "");
  const auto both = Parse("#syntax=x\n# Escape = `\nFROM a\nRUN dir C:\\ `\n  more\n");
  ASSERT_TRUE(both.ok()) << both.status();
  EXPECT_EQ(both->escape, '`');
  EXPECT_EQ(both->instructions[1].arguments, "dir C:\\   more");
  EXPECT_THAT(ErrorOf("# escape=x\nFROM a\n"), HasSubstr("line 1: "));
  EXPECT_THAT(ErrorOf("# escape=`\n# escape=`\nFROM a\n"), HasSubstr("line 2: "));
}

TEST(ParseTest, KeepsDoubledEscapesAtTheEndOfALine) {
  const auto file = Parse("FROM a\nRUN x \\\\\nRUN y\n");
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->instructions.size(), 3u);
}

TEST(ParseTest, ReadsHereDocuments) {
  const auto file = Parse(
      "FROM a\nRUN <<EOF cat\nFROM inside\n\tkeep\nEOF\nCOPY --chown=0:0 <<-\"one\" 3<<two "
      "/dest/\n\tstripped\n\tone\nBOGUS\n"
      "two\nRUN echo '<<no' <<<word\nONBUILD RUN <<X\ny\nX\n");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_THAT(Keywords(*file), ElementsAre("FROM", "RUN", "COPY", "RUN", "ONBUILD"));
  ASSERT_EQ(file->instructions[1].heredocs.size(), 1u);
  EXPECT_EQ(file->instructions[1].heredocs[0].content, "FROM inside\n\tkeep\n");
  ASSERT_EQ(file->instructions[2].heredocs.size(), 2u);
  EXPECT_EQ(file->instructions[2].heredocs[0].name, "one");
  EXPECT_EQ(file->instructions[2].heredocs[0].content, "stripped\n");
  EXPECT_EQ(file->instructions[2].heredocs[1].content, "BOGUS\n");
  EXPECT_THAT(file->instructions[2].flags, ElementsAre("--chown=0:0"));
  EXPECT_EQ(file->instructions[2].end_line, 10);
  EXPECT_THAT(file->instructions[3].heredocs, IsEmpty());
  EXPECT_EQ(file->instructions[4].heredocs.size(), 1u);
  EXPECT_EQ(ErrorOf("FROM a\nRUN <<EOF\nx\n"), "line 2: the here-document EOF has no end");
}

TEST(ParseTest, RefusesWhatCannotBeBuilt) {
  EXPECT_EQ(ErrorOf("RUN x\nFROM a\n"), "line 1: RUN comes before the first FROM");
  EXPECT_EQ(ErrorOf("ARG A=1\n"), "Dockerfile has no FROM: every image begins with one");
  EXPECT_THAT(ErrorOf("FROM\n"), HasSubstr("line 1: FROM takes an image"));
  EXPECT_THAT(ErrorOf("FROM a b\n"), HasSubstr("line 1: FROM takes an image"));
  EXPECT_EQ(ErrorOf("FROM a\nARG\n"), "line 2: ARG needs an argument");
  EXPECT_EQ(ErrorOf("FROM a\nARG =x\n"), "line 2: ARG needs a name before the =");
  EXPECT_EQ(ErrorOf("FROM a\nRUN\n"), "line 2: RUN needs an argument");
}

TEST(ParseTest, CollectsArgumentsByStage) {
  const auto file = Parse("ARG V=1\nARG W\nFROM a AS one\nARG DAVIT_COMMIT X='a b' Y\nFROM one\nARG Z=\"\"\n");
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_EQ(file->global_arguments.size(), 2u);
  EXPECT_EQ(file->global_arguments[0].default_value, "1");
  EXPECT_EQ(file->global_arguments[1].default_value, std::nullopt);
  ASSERT_EQ(file->stages[0].arguments.size(), 3u);
  EXPECT_EQ(file->stages[0].arguments[1].default_value, "a b");
  EXPECT_EQ(file->stages[0].arguments[1].line, 4);
  EXPECT_EQ(file->stages[1].arguments[0].default_value, "");
  for (const char* name : {"V", "W", "DAVIT_COMMIT", "X", "Y", "Z"}) EXPECT_TRUE(file->DeclaresArgument(name)) << name;
  EXPECT_FALSE(file->DeclaresArgument("DAVIT_REF"));
}

TEST(ExpandFromTest, ReplacesGlobalArguments) {
  const auto file =
      Parse("ARG REG=docker.io\nARG TAG=${REG}-1\nARG NONE\nFROM --platform=$BUILDPLATFORM x\nARG INNER=1\n");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->stages[0].platform, "$BUILDPLATFORM");
  const auto expand = [&](const char* text, const std::map<std::string, std::string>& given = {}) {
    const auto expanded = ExpandFrom(*file, text, given);
    return expanded.ok() ? *expanded : std::string(expanded.status().ToString());
  };
  EXPECT_EQ(expand("$REG/app:${TAG}"), "docker.io/app:docker.io-1");
  EXPECT_EQ(expand("$REG/app:${TAG}", {{"REG", "r"}}), "r/app:r-1");
  EXPECT_EQ(expand("${NONE:-fallback}${NONE}${REG:+yes}${INNER}"), "fallbackyes");
  EXPECT_EQ(expand("${NONE:-${REG}/x}"), "docker.io/x");
  EXPECT_EQ(expand("${NONE-a}${NONE+b}", {{"NONE", ""}}), "b");
  EXPECT_EQ(expand("$OTHER$TARGETARCH", {{"OTHER", "no"}, {"TARGETARCH", "amd64"}}), "amd64");
  EXPECT_EQ(expand("\\$REG\"$REG\"'$REG'"), "$REGdocker.io$REG");
  EXPECT_THAT(expand("${REG"), HasSubstr("INVALID_ARGUMENT"));
  EXPECT_THAT(expand("${REG%x}"), HasSubstr("INVALID_ARGUMENT"));
  EXPECT_THAT(expand("${}"), HasSubstr("INVALID_ARGUMENT"));
  EXPECT_THAT(expand("${NONE:?x}"), HasSubstr("NONE must be given a value"));
}

TEST(BaseImagesTest, ListsWhatIsPulled) {
  const auto file = Parse(
      "ARG V=3\nFROM alpine:$V AS Base\nFROM base AS two\nFROM scratch\nCOPY --from=two / /\nFROM alpine:3\nFROM $X\n");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(BaseImages(*file, {}).status().message(), "line 7: FROM $X: the image's name is empty");
  const auto images =
      BaseImages(*Parse("ARG V=3\nFROM alpine:$V AS Base\nFROM base\nFROM scratch\nFROM alpine:3\nFROM b\n"), {});
  EXPECT_THAT(*images, ElementsAre("alpine:3", "b"));
}

}  // namespace
}  // namespace davit::dockerfile
