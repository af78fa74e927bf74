// Which of the known words somebody probably meant. Stateless; callable from any thread.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace davit::settings {

// The candidate that `word` is at most two letters away from, the nearest of them; empty when there is none.
std::string Nearest(absl::string_view word, const std::vector<std::string>& candidates);

}  // namespace davit::settings
