// Chooses what of a context BuildKit gets. The rules are those of github.com/tonistiigi/fsutil (filter.go,
// followlinks.go).
#include "libs/buildkit/context_walk.h"

#include <fnmatch.h>

#include <optional>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "libs/dockerfile/pattern.h"
#include "libs/status/status_macros.h"

namespace davit::buildkit {
namespace {

using dockerfile::PatternMatcher;

// A chain of links longer than this is taken for a loop.
constexpr int kMaxFollowedLinks = 255;

bool HasWildcard(absl::string_view part) { return part.find_first_of("*?[\\") != absl::string_view::npos; }

// The path with "." and ".." resolved as if its start were the root.
std::string CleanFromRoot(absl::string_view path) {
  std::vector<absl::string_view> parts;
  for (const absl::string_view part : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    if (part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  return absl::StrJoin(parts, "/");
}

std::string Join(absl::string_view directory, absl::string_view name) {
  if (directory.empty()) return std::string(name);
  if (name.empty()) return std::string(directory);
  return absl::StrCat(directory, "/", name);
}

absl::string_view ParentOf(absl::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == absl::string_view::npos ? absl::string_view() : path.substr(0, slash);
}

bool IsBelow(absl::string_view path, absl::string_view directory) {
  return directory.empty() ||
         (path.size() > directory.size() && absl::StartsWith(path, directory) && path[directory.size()] == '/');
}

// Collects the paths of FollowLinks.
class LinkFollower {
 public:
  explicit LinkFollower(const ContextSource& source) : source_(source) {}

  absl::Status Follow(absl::string_view path) {
    std::string rest = CleanFromRoot(path);
    std::string current;
    while (true) {
      const size_t slash = rest.find('/');
      current = Join(current, rest.substr(0, slash));
      rest = slash == std::string::npos ? "" : rest.substr(slash + 1);
      DAVIT_ASSIGN_OR_RETURN(const std::optional<std::vector<std::string>> targets, LinkTargets(current));
      if (!rest.empty() && !targets.has_value()) continue;
      if (!resolved_.insert(current).second || !targets.has_value()) return absl::OkStatus();
      if (++followed_ > kMaxFollowedLinks) {
        return absl::InvalidArgumentError(absl::StrCat("too many symbolic links in the context at ", current));
      }
      for (const std::string& target : *targets) DAVIT_RETURN_IF_ERROR(Follow(Join(target, rest)));
      return absl::OkStatus();
    }
  }

  const std::set<std::string>& resolved() const { return resolved_; }

 private:
  // Where the links that `path` names lead to, from the root; nothing when it names no link.
  absl::StatusOr<std::optional<std::vector<std::string>>> LinkTargets(absl::string_view path) {
    const absl::string_view name = path.substr(ParentOf(path).empty() ? 0 : ParentOf(path).size() + 1);
    std::vector<ContextEntry> entries;
    const bool wildcard = HasWildcard(name);
    if (wildcard) {
      DAVIT_ASSIGN_OR_RETURN(entries, Matching(ParentOf(path), name));
    } else if (!path.empty()) {
      absl::StatusOr<ContextEntry> entry = source_.Find(path);
      if (entry.ok()) entries.push_back(*std::move(entry));
    }
    std::vector<std::string> targets;
    for (const ContextEntry& entry : entries) {
      if (entry.kind != EntryKind::kSymlink) continue;
      targets.push_back(CleanFromRoot(absl::StartsWith(entry.link_target, "/")
                                          ? entry.link_target
                                          : Join(ParentOf(entry.path), entry.link_target)));
    }
    if (targets.empty()) return std::nullopt;
    return targets;
  }

  // The entries of one directory whose names match a wildcard.
  absl::StatusOr<std::vector<ContextEntry>> Matching(absl::string_view directory, absl::string_view wildcard) {
    const std::string pattern(wildcard);
    return source_.Walk([&](absl::string_view path, EntryKind) {
      if (ParentOf(path) == directory) {
        const std::string name(path.substr(directory.empty() ? 0 : directory.size() + 1));
        return fnmatch(pattern.c_str(), name.c_str(), 0) == 0 ? WalkDecision::kInclude : WalkDecision::kSkipSubtree;
      }
      return IsBelow(directory, path) || path == directory ? WalkDecision::kSkip : WalkDecision::kSkipSubtree;
    });
  }

  const ContextSource& source_;
  std::set<std::string> resolved_;
  int followed_ = 0;
};

// Remembers the verdicts on the directories that lead to where a walk is.
class VerdictPath {
 public:
  explicit VerdictPath(const PatternMatcher& matcher) : matcher_(matcher) {}

  bool Matches(absl::string_view path, EntryKind kind) {
    while (!open_.empty() && !IsBelow(path, open_.back().first)) open_.pop_back();
    static const PatternMatcher::Verdict kRoot;
    PatternMatcher::Verdict verdict = matcher_.MatchChild(path, open_.empty() ? kRoot : open_.back().second);
    const bool matched = verdict.matched;
    if (kind == EntryKind::kDirectory) open_.emplace_back(std::string(path), std::move(verdict));
    return matched;
  }

 private:
  const PatternMatcher& matcher_;
  std::vector<std::pair<std::string, PatternMatcher::Verdict>> open_;
};

// Adds the directories that lead to an entry and that the patterns did not name themselves.
absl::Status AddMissingParents(const ContextSource& source, absl::string_view path, std::vector<std::string>& open,
                               std::vector<ContextEntry>& out) {
  while (!open.empty() && !IsBelow(path, open.back())) open.pop_back();
  size_t start = open.empty() ? 0 : open.back().size() + 1;
  for (size_t slash = path.find('/', start); slash != absl::string_view::npos; slash = path.find('/', slash + 1)) {
    DAVIT_ASSIGN_OR_RETURN(ContextEntry parent, source.Find(path.substr(0, slash)));
    open.push_back(parent.path);
    out.push_back(std::move(parent));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<std::string>> FollowLinks(const ContextSource& source,
                                                     const std::vector<std::string>& follow) {
  LinkFollower follower(source);
  for (const std::string& path : follow) DAVIT_RETURN_IF_ERROR(follower.Follow(path));
  std::vector<std::string> out;
  for (const std::string& path : follower.resolved()) {
    if (path.empty()) return std::vector<std::string>();
    bool below = false;
    for (const std::string& kept : out) below = below || IsBelow(path, kept);
    if (!below) out.push_back(path);
  }
  return out;
}

absl::StatusOr<std::vector<ContextEntry>> SelectEntries(const ContextSource& source, const ContextPatterns& patterns) {
  std::vector<std::string> includes = patterns.include;
  if (!patterns.follow.empty()) {
    DAVIT_ASSIGN_OR_RETURN(std::vector<std::string> followed, FollowLinks(source, patterns.follow));
    // No path at all means that the root was named: then nothing is left out.
    if (followed.empty()) includes.clear();
    includes.insert(includes.end(), followed.begin(), followed.end());
  }
  DAVIT_ASSIGN_OR_RETURN(const PatternMatcher include, PatternMatcher::Create(includes));
  DAVIT_ASSIGN_OR_RETURN(const PatternMatcher exclude, PatternMatcher::Create(patterns.exclude));
  VerdictPath included(include);
  VerdictPath excluded(exclude);
  DAVIT_ASSIGN_OR_RETURN(std::vector<ContextEntry> matching, source.Walk([&](absl::string_view path, EntryKind kind) {
    const bool directory = kind == EntryKind::kDirectory;
    const bool in = include.empty() || included.Matches(path, kind);
    if (!in && (!directory || !include.MayMatchBelow(path))) return WalkDecision::kSkipSubtree;
    const bool out = !exclude.empty() && excluded.Matches(path, kind);
    if (out && (!directory || !exclude.MayTakeBackBelow(path))) return WalkDecision::kSkipSubtree;
    return in && !out ? WalkDecision::kInclude : WalkDecision::kSkip;
  }));
  std::vector<ContextEntry> entries;
  entries.reserve(matching.size());
  std::vector<std::string> open;
  for (ContextEntry& entry : matching) {
    DAVIT_RETURN_IF_ERROR(AddMissingParents(source, entry.path, open, entries));
    if (entry.kind == EntryKind::kDirectory) open.push_back(entry.path);
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace davit::buildkit
