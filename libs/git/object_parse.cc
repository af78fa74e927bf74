// Implements object_parse.h.
#include "libs/git/object_parse.h"

#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "libs/status/status_macros.h"

namespace davit::git {
namespace {

// Longest commit title that is kept, in bytes.
constexpr size_t kMaxTitleBytes = 1024;

absl::Status Malformed(absl::string_view what) { return absl::DataLossError(absl::StrCat("malformed ", what)); }

// git's modes: 040000 a tree, 120000 a symlink, 160000 a submodule, 100755 and 100644 (old repositories: 100664) files.
absl::StatusOr<EntryKind> KindOfMode(absl::string_view mode) {
  if (mode == "40000" || mode == "040000") return EntryKind::kDirectory;
  if (mode == "120000") return EntryKind::kSymlink;
  if (mode == "160000") return EntryKind::kSubmodule;
  uint32_t bits = 0;
  for (const char c : mode) {
    if (c < '0' || c > '7' || mode.size() > 6) return Malformed("tree: mode");
    bits = bits * 8 + (c - '0');
  }
  if ((bits & 0170000) != 0100000) return Malformed("tree: mode");
  return (bits & 0100) != 0 ? EntryKind::kExecutable : EntryKind::kFile;
}

// How long the UTF-8 sequence at the start of `text` is; 0 when it is not valid.
size_t Utf8Length(absl::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return 0;
  }
  const auto second = static_cast<unsigned char>(text[1]);
  const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
  const bool surrogate = lead == 0xed && second > 0x9f;
  const bool too_large = lead == 0xf4 && second > 0x8f;
  return overlong || surrogate || too_large ? 0 : length;
}

// Replaces what is not UTF-8 by U+FFFD: commits of other encodings exist, and protobuf strings must be UTF-8.
std::string ToUtf8(absl::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    absl::StrAppend(&out, length == 0 ? "\xef\xbf\xbd" : text.substr(0, length));
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

// `Name <email> 1700000000 +0100`; lenient, as old commits hold all sorts of things.
void ParseSignature(absl::string_view line, std::string* name, std::string* email, absl::Time* time) {
  const size_t open = line.find('<');
  const size_t close = line.rfind('>');
  if (open == absl::string_view::npos || close == absl::string_view::npos || close < open) return;
  if (name != nullptr) *name = ToUtf8(absl::StripTrailingAsciiWhitespace(line.substr(0, open)));
  if (email != nullptr) *email = ToUtf8(line.substr(open + 1, close - open - 1));
  const std::vector<absl::string_view> rest = absl::StrSplit(line.substr(close + 1), ' ', absl::SkipEmpty());
  int64_t seconds = 0;
  if (!rest.empty() && absl::SimpleAtoi(rest[0], &seconds)) *time = absl::FromUnixSeconds(seconds);
}

}  // namespace

absl::StatusOr<std::vector<RawTreeEntry>> ParseTree(absl::string_view data) {
  std::vector<RawTreeEntry> entries;
  entries.reserve(data.size() / 40);
  while (!data.empty()) {
    const size_t space = data.find(' ');
    const size_t zero = data.find('\0');
    if (space == absl::string_view::npos || zero == absl::string_view::npos || space > zero ||
        data.size() < zero + 21) {
      return Malformed("tree");
    }
    RawTreeEntry entry;
    DAVIT_ASSIGN_OR_RETURN(entry.kind, KindOfMode(data.substr(0, space)));
    entry.name = data.substr(space + 1, zero - space - 1);
    if (entry.name.empty() || entry.name == "." || entry.name == ".." || absl::StrContains(entry.name, '/')) {
      return Malformed("tree: a name that leaves its directory");
    }
    std::memcpy(entry.id.bytes.data(), data.data() + zero + 1, entry.id.bytes.size());
    entries.push_back(entry);
    data.remove_prefix(zero + 21);
  }
  return entries;
}

absl::StatusOr<CommitInfo> ParseCommit(absl::string_view data) {
  CommitInfo info;
  const size_t header_end = data.find("\n\n");
  const absl::string_view header = data.substr(0, header_end);
  bool has_tree = false;
  for (absl::string_view line : absl::StrSplit(header, '\n')) {
    if (!has_tree && absl::ConsumePrefix(&line, "tree ")) {
      const auto tree = ObjectId::FromHex(line);
      if (!tree.ok()) return Malformed("commit");
      info.tree = *tree;
      has_tree = true;
    } else if (absl::ConsumePrefix(&line, "author ")) {
      ParseSignature(line, &info.author_name, &info.author_email, &info.author_time);
    } else if (absl::ConsumePrefix(&line, "committer ")) {
      ParseSignature(line, nullptr, nullptr, &info.commit_time);
    }
  }
  if (!has_tree) return Malformed("commit");
  if (header_end != absl::string_view::npos) {
    const absl::string_view message = absl::StripLeadingAsciiWhitespace(data.substr(header_end + 2));
    info.title = ToUtf8(message.substr(0, std::min(message.find('\n'), kMaxTitleBytes)));
  }
  return info;
}

absl::StatusOr<std::vector<ObjectId>> ParseParents(absl::string_view data) {
  std::vector<ObjectId> parents;
  for (absl::string_view line : absl::StrSplit(data.substr(0, data.find("\n\n")), '\n')) {
    if (!absl::ConsumePrefix(&line, "parent ")) continue;
    const auto parent = ObjectId::FromHex(line);
    if (!parent.ok()) return Malformed("commit");
    parents.push_back(*parent);
  }
  return parents;
}

absl::StatusOr<ObjectId> ParseTagTarget(absl::string_view data) {
  absl::string_view line = data.substr(0, data.find('\n'));
  if (!absl::ConsumePrefix(&line, "object ")) return Malformed("tag");
  const auto target = ObjectId::FromHex(line);
  return target.ok() ? target : Malformed("tag");
}

}  // namespace davit::git
