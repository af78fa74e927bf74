// Parsed http and https addresses. Value types; usable from any thread.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit::http {

// An absolute http or https URL without credentials. Parse is the way to make one.
struct Url {
  std::string scheme;      // "http" or "https"
  std::string host;        // lower case; an IPv6 address without brackets
  uint16_t port = 0;       // the given one, or the scheme's default
  std::string path = "/";  // percent-encoded as given; starts with "/"
  std::string query;       // without "?"; empty when there is none

  // Reads an absolute URL. INVALID_ARGUMENT: "scheme not allowed: …" for anything but http and https (file://, ext::,
  // ssh, user@host:path), "URL must not contain credentials", "invalid URL: …" otherwise. No message repeats
  // credentials or a query.
  static absl::StatusOr<Url> Parse(absl::string_view text);

  // What a Location header (absolute or relative) means for a response that came from this URL. Errors as Parse.
  absl::StatusOr<Url> Resolve(absl::string_view location) const;

  // "host" or "host:port" when the port is not the scheme's default; IPv6 addresses in brackets.
  std::string Authority() const;

  // "scheme://authority".
  std::string Origin() const;

  // The whole URL, including the query.
  std::string ToString() const;

  // For errors and logs: scheme, authority and path, never the query.
  std::string Redacted() const;

  // Path with query, as a request line carries it.
  std::string Target() const;

  bool operator==(const Url&) const = default;
};

// Percent-encodes everything outside RFC 3986's unreserved set, for one path segment or one query value.
std::string PercentEncode(absl::string_view text);

}  // namespace davit::http
