// Tests of object_parse.h.
#include "libs/git/object_parse.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace davit::git {
namespace {

constexpr char kHex[] = "6162636465666768696a6b6c6d6e6f7071727374";
const std::string kRaw = "abcdefghijklmnopqrst";

std::string Entry(const std::string& mode, const std::string& name) {
  return absl::StrCat(mode, " ", name, std::string(1, '\0'), kRaw);
}

TEST(ParseTreeTest, ReadsEveryKindOfEntry) {
  const std::string data = Entry("100644", "a b") + Entry("100755", "run") + Entry("120000", "link") +
                           Entry("40000", "dir") + Entry("160000", "module") + Entry("100664", "old");
  const auto entries = ParseTree(data);
  ASSERT_TRUE(entries.ok()) << entries.status();
  ASSERT_EQ(entries->size(), 6u);
  EXPECT_EQ((*entries)[0].name, "a b");
  EXPECT_EQ((*entries)[0].id.Hex(), kHex);
  const std::vector<EntryKind> kinds = {EntryKind::kFile,      EntryKind::kExecutable, EntryKind::kSymlink,
                                        EntryKind::kDirectory, EntryKind::kSubmodule,  EntryKind::kFile};
  for (size_t i = 0; i < kinds.size(); ++i) EXPECT_EQ((*entries)[i].kind, kinds[i]) << i;
}

TEST(ParseTreeTest, RefusesNamesThatLeaveTheirDirectoryAndBrokenBytes) {
  for (const std::string& data :
       {Entry("100644", ".."), Entry("100644", "."), Entry("100644", "a/b"), Entry("100644", ""), Entry("777", "a"),
        Entry("1006x4", "a"), std::string("100644 a"), Entry("100644", "a").substr(0, 20)}) {
    EXPECT_EQ(ParseTree(data).status().code(), absl::StatusCode::kDataLoss) << data;
  }
}

TEST(ParseCommitTest, ReadsTitleAuthorAndTimes) {
  const auto info = ParseCommit(absl::StrCat("tree ", kHex, "\nparent ", kHex,
                                             "\nauthor Ada <ada@example.com> 1700000000 +0100\n"
                                             "committer Carl <c@example.com> 1700000005 -0500\ngpgsig x\n author y\n\n"
                                             "\nA title\n\nA body\n"));
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->tree.Hex(), kHex);
  EXPECT_EQ(info->title, "A title");
  EXPECT_EQ(info->author_name, "Ada");
  EXPECT_EQ(info->author_email, "ada@example.com");
  EXPECT_EQ(info->author_time, absl::FromUnixSeconds(1700000000));
  EXPECT_EQ(info->commit_time, absl::FromUnixSeconds(1700000005));
}

TEST(ParseCommitTest, MakesUtf8OfAnyTitle) {
  const auto info = ParseCommit(absl::StrCat("tree ", kHex, "\n\nna\xefve \xc3\xbc \xe2\x82\xac \xff"));
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->title, "na\xef\xbf\xbdve \xc3\xbc \xe2\x82\xac \xef\xbf\xbd");
}

TEST(ParseCommitTest, ReadsParents) {
  const auto parents = ParseParents(absl::StrCat("tree ", kHex, "\nparent ", kHex, "\nparent ", kHex, "\n\nparent x"));
  ASSERT_TRUE(parents.ok());
  EXPECT_EQ(parents->size(), 2u);
}

TEST(ParseCommitTest, RefusesWhatIsNoCommit) {
  EXPECT_FALSE(ParseCommit("").ok());
  EXPECT_FALSE(ParseCommit("tree xyz\n\n").ok());
  EXPECT_FALSE(ParseTagTarget("tree x").ok());
  EXPECT_EQ(ParseTagTarget(absl::StrCat("object ", kHex, "\ntype commit\n"))->Hex(), kHex);
}

}  // namespace
}  // namespace davit::git
