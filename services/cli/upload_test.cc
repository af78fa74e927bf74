// Tests of upload.h with real files.
#include "services/cli/upload.h"

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "services/cli/arguments.h"

namespace davit::cli {
namespace {

namespace fs = std::filesystem;

class UploadTest : public ::testing::Test {
 protected:
  UploadTest()
      : root_(fs::path(std::getenv("TEST_TMPDIR")) / ::testing::UnitTest::GetInstance()->current_test_info()->name()) {
    fs::create_directories(root_);
  }

  std::string Write(const std::string& name, const std::string& text) {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name, std::ios::binary) << text;
    return (root_ / name).string();
  }

  PieceSink Collect() {
    return [this](absl::string_view piece) {
      EXPECT_GE(piece.size(), 1u);
      EXPECT_LE(piece.size(), kMaxPiece);
      bytes_.append(piece.data(), piece.size());
      return absl::OkStatus();
    };
  }

  // Name → text, or "-> target" for a symbolic link, or "/" for a directory.
  std::map<std::string, std::string> Entries() {
    std::map<std::string, std::string> entries;
    struct archive* in = archive_read_new();
    archive_read_support_format_tar(in);
    EXPECT_EQ(archive_read_open_memory(in, bytes_.data(), bytes_.size()), ARCHIVE_OK);
    for (struct archive_entry* entry = nullptr; archive_read_next_header(in, &entry) == ARCHIVE_OK;) {
      std::string text(static_cast<size_t>(archive_entry_size(entry)), '\0');
      archive_read_data(in, text.data(), text.size());
      if (archive_entry_filetype(entry) == AE_IFLNK) text = std::string("-> ") + archive_entry_symlink(entry);
      if (archive_entry_filetype(entry) == AE_IFDIR) text = "/";
      entries[archive_entry_pathname(entry)] = text;
    }
    archive_read_free(in);
    return entries;
  }

  const fs::path root_;
  std::string bytes_;
};

TEST_F(UploadTest, ADirectoryIsSentWithoutGitAndWithLinksAsLinks) {
  Write("Dockerfile", "FROM scratch\n");
  Write("src/main.c", "int main;\n");
  Write(".git/config", "secret\n");
  Write(".dockerignore", "x\n");
  fs::create_symlink("/etc/passwd", root_ / "link");
  mkfifo((root_ / "pipe").c_str(), 0600);
  ASSERT_TRUE(SendDirectory(root_.string(), Collect()).ok());
  const std::map<std::string, std::string> expected = {{"Dockerfile", "FROM scratch\n"},
                                                       {"src/", "/"},
                                                       {"src/main.c", "int main;\n"},
                                                       {".dockerignore", "x\n"},
                                                       {"link", "-> /etc/passwd"}};
  EXPECT_EQ(Entries(), expected);
}

TEST_F(UploadTest, NamesThatAreNotTextAndLargeFilesSurvive) {
  const std::string large(kMaxPiece * 2 + 12345, 'x');
  Write(
      "gr\xc3\xb6\xc3\x9f"
      "e",
      large);
  Write("latin\xe9", "1");
  ASSERT_TRUE(SendDirectory(root_.string(), Collect()).ok());
  const auto entries = Entries();
  EXPECT_EQ(entries.at("gr\xc3\xb6\xc3\x9f"
                       "e"),
            large);
  EXPECT_EQ(entries.at("latin\xe9"), "1");
}

TEST_F(UploadTest, AnErrorOfTheReceiverEndsTheSending) {
  Write("large", std::string(kMaxPiece * 8, 'x'));
  int pieces = 0;
  const absl::Status status = SendDirectory(root_.string(), [&pieces](absl::string_view) {
    return ++pieces == 2 ? absl::CancelledError("enough") : absl::OkStatus();
  });
  EXPECT_EQ(status, absl::CancelledError("enough"));
  EXPECT_EQ(pieces, 2);
}

TEST_F(UploadTest, AFileIsSentAsItIs) {
  const std::string text(kMaxPiece + 1, 'y');
  ASSERT_TRUE(SendFile(Write("context.zip", text), Collect()).ok());
  EXPECT_EQ(bytes_, text);
  EXPECT_EQ(SendFile((root_ / "absent").string(), Collect()).code(), absl::StatusCode::kNotFound);
}

TEST_F(UploadTest, WhatAPathIsShowsInItsFirstBytes) {
  EXPECT_EQ(*RecogniseUpload(root_.string()), UploadKind::kDirectory);
  EXPECT_EQ(*RecogniseUpload(Write("a", "PK\x03\x04zip")), UploadKind::kZip);
  EXPECT_EQ(*RecogniseUpload(Write("b", "\x1f\x8bgz")), UploadKind::kTar);
  EXPECT_EQ(*RecogniseUpload(Write("c", "\x28\xb5\x2f\xfdzst")), UploadKind::kTar);
  ASSERT_TRUE(SendDirectory((root_ / "").string(), Collect()).ok());
  EXPECT_EQ(*RecogniseUpload(Write("d", bytes_)), UploadKind::kTar);
  EXPECT_TRUE(IsUsageError(RecogniseUpload(Write("Dockerfile", "FROM scratch\n")).status()));
  EXPECT_EQ(RecogniseUpload((root_ / "absent").string()).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace davit::cli
