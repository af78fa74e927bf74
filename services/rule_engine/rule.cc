// How rules name repositories. Owns nothing; stateless.
#include "services/rule_engine/rule.h"

#include "absl/strings/ascii.h"

namespace davit::rule_engine {

std::string RepositoryKey(absl::string_view repository) { return absl::AsciiStrToLower(repository); }

bool ConcernsRepository(const Rule& rule, absl::string_view repository) {
  if (rule.repository_case == NameCase::kSensitive) return rule.repository == repository;
  return RepositoryKey(rule.repository) == RepositoryKey(repository);
}

}  // namespace davit::rule_engine
