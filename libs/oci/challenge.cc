// Implements challenge.h.
#include "libs/oci/challenge.h"

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"

namespace davit::oci {
namespace {

// Takes a quoted string, with its escapes, or a token from the front of `rest`.
std::string TakeValue(absl::string_view& rest) {
  std::string value;
  if (!absl::ConsumePrefix(&rest, "\"")) {
    const size_t end = std::min(rest.find_first_of(", "), rest.size());
    value = std::string(rest.substr(0, end));
    rest.remove_prefix(end);
    return value;
  }
  while (!rest.empty() && rest[0] != '"') {
    if (rest[0] == '\\' && rest.size() > 1) rest.remove_prefix(1);
    value.push_back(rest[0]);
    rest.remove_prefix(1);
  }
  absl::ConsumePrefix(&rest, "\"");
  return value;
}

}  // namespace

Challenge ParseChallenge(absl::string_view header) {
  Challenge challenge;
  absl::string_view rest = absl::StripAsciiWhitespace(header);
  const size_t space = std::min(rest.find(' '), rest.size());
  challenge.scheme = absl::AsciiStrToLower(rest.substr(0, space));
  rest.remove_prefix(space);
  while (true) {
    rest = rest.substr(std::min(rest.find_first_not_of(", \t"), rest.size()));
    const size_t equals = rest.find('=');
    if (equals == rest.npos) return challenge;
    const std::string name = absl::AsciiStrToLower(absl::StripAsciiWhitespace(rest.substr(0, equals)));
    rest.remove_prefix(equals + 1);
    if (name.find(' ') != name.npos) return challenge;  // the next challenge's scheme
    challenge.parameters[name] = TakeValue(rest);
  }
}

}  // namespace davit::oci
