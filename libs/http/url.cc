// Implements url.h over Boost.URL.
#include "libs/http/url.h"

#include <algorithm>
#include <boost/url.hpp>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace davit::http {
namespace {

namespace urls = boost::urls;

bool IsSchemeName(absl::string_view text) {
  if (text.empty() || !absl::ascii_isalpha(text[0])) return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isalnum(c) || c == '+' || c == '-' || c == '.'; });
}

// Names the scheme only when it is one: what stands before the colon of something else may be a user's secret.
absl::Status RefuseScheme(absl::string_view scheme) {
  if (IsSchemeName(scheme))
    return absl::InvalidArgumentError(absl::StrCat("scheme not allowed: ", scheme, "; use https://"));
  return absl::InvalidArgumentError("scheme not allowed: use https://");
}

bool IsHostName(absl::string_view host) {
  // Without empty labels: the one dot that may end a name is gone already.
  if (absl::StartsWith(host, ".") || absl::EndsWith(host, ".") || absl::StrContains(host, "..")) return false;
  return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '.' || c == '_';
  });
}

absl::Status Invalid(absl::string_view why) { return absl::InvalidArgumentError(absl::StrCat("invalid URL: ", why)); }

absl::StatusOr<Url> FromView(const urls::url_view_base& view) {
  if (view.has_userinfo()) {
    return absl::InvalidArgumentError("URL must not contain credentials; register them with the connection instead");
  }
  Url url;
  url.scheme = absl::AsciiStrToLower(std::string(view.scheme()));
  if (url.scheme != "https" && url.scheme != "http") return RefuseScheme(url.scheme);
  url.host = absl::AsciiStrToLower(view.host_address());
  const bool ipv6 = view.host_type() == urls::host_type::ipv6;
  if (view.host_type() == urls::host_type::ipvfuture) return Invalid("the host is not a name or an address");
  if (!ipv6) {
    if (absl::EndsWith(url.host, ".")) url.host.pop_back();
    if (!IsHostName(url.host)) return Invalid("the host is not a name or an address");
  }
  url.port = url.scheme == "https" ? 443 : 80;
  if (view.has_port() && !view.port().empty()) {
    url.port = view.port_number();
    if (url.port == 0) return Invalid("the port is not within 1 and 65535");
  }
  url.path = std::string(view.encoded_path());
  if (url.path.empty()) url.path = "/";
  // Boost.URL 1.81 takes what follows the digits of a port for the path: "https://a:80x" would become /x.
  if (url.path[0] != '/') return Invalid("the port is not within 1 and 65535");
  url.query = std::string(view.encoded_query());
  return url;
}

}  // namespace

absl::StatusOr<Url> Url::Parse(absl::string_view text) {
  const size_t colon = text.find(':');
  if (colon == absl::string_view::npos) return Invalid("expected https://host/path");
  const std::string scheme = absl::AsciiStrToLower(text.substr(0, colon));
  if (scheme != "https" && scheme != "http") return RefuseScheme(scheme);
  const auto view = urls::parse_uri(urls::string_view(text.data(), text.size()));
  if (!view || !view->has_authority()) return Invalid("expected https://host/path");
  return FromView(*view);
}

absl::StatusOr<Url> Url::Resolve(absl::string_view location) const {
  const std::string self = ToString();
  const auto base = urls::parse_uri(self);
  const auto reference = urls::parse_uri_reference(urls::string_view(location.data(), location.size()));
  if (!base || !reference) return Invalid("the redirect's Location is not a URL");
  urls::url target;
  if (!urls::resolve(*base, *reference, target)) return Invalid("the redirect's Location is not a URL");
  return FromView(target);
}

std::string Url::Authority() const {
  std::string name = absl::StrContains(host, ':') ? absl::StrCat("[", host, "]") : host;
  if (port == (scheme == "https" ? 443 : 80)) return name;
  return absl::StrCat(name, ":", port);
}

std::string Url::Origin() const { return absl::StrCat(scheme, "://", Authority()); }

std::string Url::ToString() const { return absl::StrCat(Origin(), Target()); }

std::string Url::Redacted() const { return absl::StrCat(Origin(), path); }

std::string Url::Target() const { return query.empty() ? path : absl::StrCat(path, "?", query); }

std::string PercentEncode(absl::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (absl::ascii_isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      encoded.push_back(c);
    } else {
      absl::StrAppendFormat(&encoded, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

}  // namespace davit::http
