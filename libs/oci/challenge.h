// What a server demands in WWW-Authenticate (RFC 9110, section 11.6.1). Value types; usable from any thread.
#pragma once

#include <map>
#include <string>

#include "absl/strings/string_view.h"

namespace davit::oci {

// An authentication scheme with its parameters; names in lower case.
struct Challenge {
  std::string scheme;
  std::map<std::string, std::string> parameters;
};

// Reads the first challenge of the header. What cannot be read is left out.
Challenge ParseChallenge(absl::string_view header);

}  // namespace davit::oci
