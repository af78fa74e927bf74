// Implements push_payload.h.
#include "services/webhook_gateway/push_payload.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/git/url.h"
#include "libs/status/status_macros.h"

namespace davit::webhook_gateway {
namespace {

using registry::v1::Provider;
using registry::v1::PROVIDER_GITLAB;
using rules::v1::PushedCommit;
using rules::v1::PushEvent;
using simdjson::dom::array;
using simdjson::dom::element;

constexpr size_t kCommitIdDigits = 40;
constexpr size_t kMaxRepository = 500;
constexpr size_t kMaxMessage = 4096;
constexpr size_t kMaxName = 256;
constexpr size_t kMaxPath = 4096;
constexpr int kMaxPaths = 3000;
constexpr int kMaxCommits = 2048;
constexpr size_t kMaxCommitBytes = size_t{4} << 20;  // of all commits; the message stays well below gRPC's bound

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

// The value at a path of object keys, each the last of its name; nothing when it is not there.
std::optional<element> Find(element root, std::initializer_list<std::string_view> path) {
  std::optional<element> at = root;
  for (const std::string_view key : path) {
    simdjson::dom::object object;
    if (at->get(object) != simdjson::SUCCESS) return std::nullopt;
    at.reset();
    for (const simdjson::dom::key_value_pair field : object) {
      if (field.key == key) at = field.value;
    }
    if (!at) return std::nullopt;
  }
  return at;
}

absl::string_view Text(element root, std::initializer_list<std::string_view> path) {
  const std::optional<element> value = Find(root, path);
  std::string_view text;
  return value && value->get(text) == simdjson::SUCCESS ? View(text) : "";
}

bool Flag(element root, std::initializer_list<std::string_view> path) {
  const std::optional<element> value = Find(root, path);
  bool flag = false;
  return value && value->get(flag) == simdjson::SUCCESS && flag;
}

std::optional<array> List(element root, std::string_view key) {
  const std::optional<element> value = Find(root, {key});
  array list;
  if (!value || value->get(list) != simdjson::SUCCESS) return std::nullopt;
  return list;
}

// For people: at most `limit` bytes, cut between characters, without NUL (which PostgreSQL cannot store).
std::string Cut(absl::string_view text, size_t limit) {
  if (text.size() > limit) {
    while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xc0) == 0x80) --limit;
    text = text.substr(0, limit);
  }
  std::string cut(text);
  std::replace(cut.begin(), cut.end(), '\0', ' ');
  return cut;
}

bool IsCommitId(absl::string_view id) {
  return id.size() == kCommitIdDigits && std::all_of(id.begin(), id.end(), [](char c) {
           return absl::ascii_isdigit(static_cast<unsigned char>(c)) || (c >= 'a' && c <= 'f');
         });
}

bool IsZero(absl::string_view id) {
  return std::all_of(id.begin(), id.end(), [](char c) { return c == '0'; });
}

absl::Status CheckRepository(absl::string_view repository, absl::string_view field) {
  const bool printable = std::none_of(repository.begin(), repository.end(),
                                      [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); });
  if (!repository.empty() && repository.size() <= kMaxRepository && printable) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("payload.", field, ": expected owner/name"));
}

// Copies what fits of a list of paths; returns whether all of it did.
bool CopyPaths(element commit, std::string_view key, int& paths_left,
               google::protobuf::RepeatedPtrField<std::string>& into) {
  const std::optional<array> paths = List(commit, key);
  if (!paths) return true;
  for (const element path : *paths) {
    std::string_view text;
    if (path.get(text) != simdjson::SUCCESS) continue;
    if (paths_left == 0 || text.size() > kMaxPath) return false;
    --paths_left;
    *into.Add() = Cut(View(text), kMaxPath);
  }
  return true;
}

// Copies the newest commits that fit, keeping their order.
void CopyCommits(element payload, PushEvent& push) {
  const std::optional<array> list = List(payload, "commits");
  if (!list) return;
  const std::vector<element> commits(list->begin(), list->end());
  std::vector<PushedCommit> newest_first;
  int paths_left = kMaxPaths;
  size_t bytes = 0;
  for (auto commit = commits.rbegin(); commit != commits.rend(); ++commit) {
    const absl::string_view id = Text(*commit, {"id"});
    if (!IsCommitId(id)) continue;
    PushedCommit copy;
    copy.set_id(std::string(id));
    copy.set_message(Cut(Text(*commit, {"message"}), kMaxMessage));
    copy.set_author_name(Cut(Text(*commit, {"author", "name"}), kMaxName));
    copy.set_author_email(Cut(Text(*commit, {"author", "email"}), kMaxName));
    bool whole = CopyPaths(*commit, "added", paths_left, *copy.mutable_added());
    whole = CopyPaths(*commit, "modified", paths_left, *copy.mutable_modified()) && whole;
    whole = CopyPaths(*commit, "removed", paths_left, *copy.mutable_removed()) && whole;
    if (!whole) push.set_commits_truncated(true);
    bytes += copy.ByteSizeLong();
    if (bytes > kMaxCommitBytes || newest_first.size() == kMaxCommits) {
      push.set_commits_truncated(true);
      break;
    }
    newest_first.push_back(std::move(copy));
  }
  for (auto commit = newest_first.rbegin(); commit != newest_first.rend(); ++commit) {
    *push.add_commits() = std::move(*commit);
  }
}

void CopyGithubDetails(element payload, PushEvent& push) {
  push.set_forced(Flag(payload, {"forced"}));
  // GitHub lists this many commits at most and does not tell whether there are more.
  const std::optional<array> commits = List(payload, "commits");
  if (commits && commits->size() >= kMaxCommits) push.set_commits_truncated(true);
  const absl::string_view pusher = Text(payload, {"pusher", "name"});
  push.set_pusher(Cut(pusher.empty() ? Text(payload, {"sender", "login"}) : pusher, kMaxName));
}

void CopyGitlabDetails(element payload, PushEvent& push) {
  const absl::string_view username = Text(payload, {"user_username"});
  push.set_pusher(Cut(username.empty() ? Text(payload, {"user_name"}) : username, kMaxName));
  // GitLab lists the newest 20 commits at most and tells how many there are.
  const std::optional<element> total = Find(payload, {"total_commits_count"});
  uint64_t count = 0;
  if (total && total->get(count) == simdjson::SUCCESS && count > static_cast<uint64_t>(push.commits_size())) {
    push.set_commits_truncated(true);
  }
}

}  // namespace

absl::StatusOr<PushEvent> NormalizePush(Provider provider, const JsonDocument& document) {
  const bool gitlab = provider == PROVIDER_GITLAB;
  const element payload = document.root();
  if (!payload.is_object()) return absl::InvalidArgumentError("payload: expected an object");
  PushEvent push;
  push.set_repository(std::string(gitlab ? Text(payload, {"project", "path_with_namespace"})
                                         : Text(payload, {"repository", "full_name"})));
  DAVIT_RETURN_IF_ERROR(
      CheckRepository(push.repository(), gitlab ? "project.path_with_namespace" : "repository.full_name"));
  push.set_ref(std::string(Text(payload, {"ref"})));
  DAVIT_RETURN_IF_ERROR(git::CheckRefName(push.ref()));
  push.set_before(std::string(Text(payload, {"before"})));
  if (push.before().empty()) push.set_before(std::string(kCommitIdDigits, '0'));
  push.set_after(std::string(Text(payload, {"after"})));
  for (const auto& [field, id] : {std::pair("before", &push.before()), std::pair("after", &push.after())}) {
    if (!IsCommitId(*id))
      return absl::InvalidArgumentError(absl::StrCat("payload.", field, ": expected 40 hexadecimal digits"));
  }
  // For an annotated tag `after` is the tag object; both providers tell the commit elsewhere.
  const absl::string_view commit = gitlab ? Text(payload, {"checkout_sha"}) : Text(payload, {"head_commit", "id"});
  if (absl::StartsWith(push.ref(), "refs/tags/") && !IsZero(push.after()) && IsCommitId(commit)) {
    push.set_after(std::string(commit));
  }
  CopyCommits(payload, push);
  if (gitlab) {
    CopyGitlabDetails(payload, push);
  } else {
    CopyGithubDetails(payload, push);
  }
  return push;
}

bool IsDeletion(const PushEvent& push) { return IsZero(push.after()); }

bool IsBranchOrTag(const PushEvent& push) {
  return absl::StartsWith(push.ref(), "refs/heads/") || absl::StartsWith(push.ref(), "refs/tags/");
}

}  // namespace davit::webhook_gateway
