// A build rule as the domain knows it. Values only; no threads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "davit/common/v1/build_policy.pb.h"
#include "davit/common/v1/recipe.pb.h"

namespace davit::rule_engine {

// How the server behind a connection compares repository names.
enum class NameCase { kSensitive, kInsensitive };

// Whether a commit's message can ask not to build.
enum class SkipMarks { kHonoured, kIgnored };

// Which pushes make which images. The fields mean what davit.rules.v1.Rule says.
struct Rule {
  std::string id;
  std::string project;
  std::string display_name;
  bool enabled = true;
  std::string connection_id;
  std::string repository;
  // GitHub and GitLab do not tell Team/App from team/app; a plain git server does.
  NameCase repository_case = NameCase::kInsensitive;
  std::vector<std::string> branches;
  std::vector<std::string> tags;
  std::vector<std::string> exclude_branches;
  std::vector<std::string> exclude_tags;
  std::vector<std::string> paths;
  std::vector<std::string> exclude_paths;
  std::vector<std::string> authors;
  std::vector<std::string> exclude_authors;
  SkipMarks skip_marks = SkipMarks::kHonoured;
  common::v1::Recipe recipe;
  common::v1::ImageDestination destination;
  std::vector<std::string> tag_templates;
  common::v1::BuildPolicy policy;
  // Grows by one with every write; what clients see as the etag.
  int64_t version = 0;
  // The number of the last build that has one (TagTemplate::NamesNumber). No write of the rule.
  int64_t build_number = 0;
  absl::Time create_time;
  absl::Time update_time;
};

// The form under which rules and events of one repository meet in the store: lower case. Rules of case-sensitive
// servers are compared once more, exactly (see ConcernsRepository).
std::string RepositoryKey(absl::string_view repository);

// Whether the rule, found by its RepositoryKey, is about `repository`.
bool ConcernsRepository(const Rule& rule, absl::string_view repository);

}  // namespace davit::rule_engine
