// Tests of services/builder_agent/upload_source.h and archive.h, with archives made by libarchive.
#include "services/builder_agent/upload_source.h"

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/builder_agent/testing/fake_clients.h"

namespace davit::builder_agent {
namespace {

namespace proto = scheduler::v1;

struct Entry {
  std::string path;
  std::string content;
  mode_t type = AE_IFREG;
  std::string link;
};

enum class Form { kTar, kTarGzip, kZip };

std::string MakeArchive(Form form, const std::vector<Entry>& entries) {
  std::string out(1 << 20, '\0');
  size_t used = 0;
  archive* a = archive_write_new();
  form == Form::kZip ? archive_write_set_format_zip(a) : archive_write_set_format_pax_restricted(a);
  if (form == Form::kTarGzip) archive_write_add_filter_gzip(a);
  archive_write_open_memory(a, out.data(), out.size(), &used);
  for (const Entry& e : entries) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, e.path.c_str());
    archive_entry_set_filetype(entry, e.type);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, static_cast<la_int64_t>(e.content.size()));
    if (e.type == AE_IFLNK) archive_entry_set_symlink(entry, e.link.c_str());
    archive_write_header(a, entry);
    archive_write_data(a, e.content.data(), e.content.size());
    archive_entry_free(entry);
  }
  archive_write_close(a);
  archive_write_free(a);
  out.resize(used);
  return out;
}

class UploadSourceTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<BuildSource>> Fetch(const std::string& upload, proto::UploadFormat format,
                                                     const std::string& context_dir = "") {
    scheduler_.SetUpload(upload);
    proto::Lease lease;
    lease.set_build_id("bld_a");
    lease.set_fence(1);
    lease.mutable_upload()->set_format(format);
    lease.mutable_spec()->mutable_recipe()->set_context_dir(context_dir);
    UploadSourceFetcher fetcher(scheduler_,
                                {.max_upload_bytes = 1 << 20, .limits = {.max_bytes = 10'000, .max_entries = 50}});
    return fetcher.Fetch({.lease = lease,
                          .credentials = credentials_,
                          .work_prefix = ::testing::TempDir() + "/upload",
                          .note = [](absl::string_view) {},
                          .stop = {}});
  }

  FakeScheduler scheduler_;
  registry::v1::IssueBuildCredentialsResponse credentials_;
};

TEST_F(UploadSourceTest, ADockerfileAloneIsItsOwnContext) {
  const auto source = Fetch("FROM scratch\n", proto::UPLOAD_FORMAT_DOCKERFILE);
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_EQ(*(*source)->ReadDockerfile("Dockerfile"), "FROM scratch\n");
}

TEST_F(UploadSourceTest, ArchivesOfEveryFormAreRead) {
  const std::vector<Entry> entries = {{.path = "./Dockerfile", .content = "FROM scratch\n", .link = ""},
                                      {.path = "app/main.c", .content = "int main;", .link = ""}};
  for (const Form form : {Form::kTar, Form::kTarGzip, Form::kZip}) {
    const auto source = Fetch(MakeArchive(form, entries),
                              form == Form::kZip ? proto::UPLOAD_FORMAT_ZIP : proto::UPLOAD_FORMAT_TAR, "app");
    ASSERT_TRUE(source.ok()) << source.status();
    EXPECT_EQ(*(*source)->ReadDockerfile("Dockerfile"), "FROM scratch\n");
    EXPECT_EQ((*source)->context().Find("main.c")->size, 9);
    EXPECT_EQ((*source)->ReadDockerfile("deploy/Dockerfile").status().message(),
              "Dockerfile not found at deploy/Dockerfile in the upload");
  }
}

TEST_F(UploadSourceTest, ADockerfileBehindALinkIsRead) {
  const auto source = Fetch(
      MakeArchive(Form::kTar, {{.path = "deploy/real", .content = "FROM scratch\n", .link = ""},
                               {.path = "deploy/x/Dockerfile", .content = "", .type = AE_IFLNK, .link = "../real"}}),
      proto::UPLOAD_FORMAT_TAR);
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_EQ(*(*source)->ReadDockerfile("deploy/x/Dockerfile"), "FROM scratch\n");
}

TEST_F(UploadSourceTest, WhatLeadsOutOrIsNoFileIsRefused) {
  const std::vector<Entry> bad = {{.path = "../escape", .content = "x", .link = ""},
                                  {.path = "/etc/passwd", .content = "x", .link = ""},
                                  {.path = "l", .content = "", .type = AE_IFLNK, .link = "/etc/passwd"},
                                  {.path = "dev", .content = "", .type = AE_IFCHR, .link = ""},
                                  {.path = "pipe", .content = "", .type = AE_IFIFO, .link = ""}};
  for (const Entry& entry : bad) {
    const auto source = Fetch(MakeArchive(Form::kTar, {entry}), proto::UPLOAD_FORMAT_TAR);
    EXPECT_EQ(source.status().code(), absl::StatusCode::kInvalidArgument) << entry.path << source.status();
  }
}

TEST_F(UploadSourceTest, ABombEndsAtTheLimitOnExpandedBytesAndEntries) {
  const auto bytes =
      Fetch(MakeArchive(Form::kTarGzip, {{.path = "zeros", .content = std::string(500'000, '\0'), .link = ""}}),
            proto::UPLOAD_FORMAT_TAR);
  EXPECT_EQ(bytes.status().message(), "context over the limit 10000 bytes");
  std::vector<Entry> many;
  for (int i = 0; i < 60; ++i) many.push_back({.path = absl::StrCat("f", i), .content = "", .link = ""});
  EXPECT_EQ(Fetch(MakeArchive(Form::kTar, many), proto::UPLOAD_FORMAT_TAR).status().message(),
            "context over the limit 50 entries");
}

TEST_F(UploadSourceTest, WhatIsNoArchiveIsSaidToBeNone) {
  const auto source = Fetch("certainly not a tar", proto::UPLOAD_FORMAT_TAR);
  EXPECT_EQ(source.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(source.status().message(), "not a readable archive")) << source.status();
}

}  // namespace
}  // namespace davit::builder_agent
