// Implements bootstrap_tokens.h.
#include "services/token_registry/bootstrap_tokens.h"

#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/auth/caller.h"
#include "libs/crypto/hash.h"
#include "libs/ids/ids.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"
#include "services/token_registry/api_token_directory.h"

namespace davit::token_registry {
namespace {

// Reads one line into a token and the hash of its text.
absl::StatusOr<std::pair<ApiToken, std::string>> ReadLine(absl::string_view line) {
  const std::vector<absl::string_view> words = absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
  if (words.size() != 3) return absl::InvalidArgumentError("is not of the form: role project token");
  ApiToken token;
  DAVIT_ASSIGN_OR_RETURN(token.role, auth::ParseRole(words[0]));
  token.project = std::string(words[1]);
  if (token.project != auth::kAllProjects) DAVIT_RETURN_IF_ERROR(auth::CheckProjectName(token.project));
  if (!HasTokenForm(words[2])) {
    return absl::InvalidArgumentError("token: is not dvt_ followed by 32 to 128 letters, digits, - and _");
  }
  token.display_name = absl::StrCat("bootstrap ", words[0]);
  return std::make_pair(std::move(token), crypto::Sha256(words[2]));
}

// The tokens of the file and the hashes of their texts; the tokens have no id yet.
absl::StatusOr<std::vector<std::pair<ApiToken, std::string>>> ReadLines(const crypto::SecretString& file_text) {
  std::vector<std::pair<ApiToken, std::string>> tokens;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(file_text.Reveal(), '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line[0] == '#') continue;
    auto read = ReadLine(line);
    if (!read.ok()) return Annotate(read.status(), absl::StrCat("line ", number));
    tokens.push_back(*std::move(read));
  }
  return tokens;
}

}  // namespace

absl::Status LoadBootstrapTokens(const crypto::SecretString& file_text, Store& store, Clock& clock,
                                 RandomSource& random) {
  DAVIT_ASSIGN_OR_RETURN(auto tokens, ReadLines(file_text));
  for (auto& [token, hash] : tokens) {
    token.id = NewId("tok", clock, random);
    token.create_time = clock.Now();
  }
  return store.ReplaceBootstrapTokens(tokens, clock.Now());
}

absl::Status CheckBootstrapTokens(const crypto::SecretString& file_text) { return ReadLines(file_text).status(); }

}  // namespace davit::token_registry
