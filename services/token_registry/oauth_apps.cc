// Implements oauth_apps.h.
#include "services/token_registry/oauth_apps.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "libs/http/url.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"

namespace davit::token_registry {
namespace {

absl::StatusOr<OAuthApp> ReadLine(absl::string_view line, const OAuthApps::SecretReader& read_secret) {
  const std::vector<std::string> words = absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
  if (words.size() < 4 || words.size() > 5 || (words[0] != "github" && words[0] != "gitlab")) {
    return absl::InvalidArgumentError(
        "is not of the form: github|gitlab BASE_URL CLIENT_ID SECRET_FILE [REDIRECT_URI]");
  }
  OAuthApp app;
  app.provider = words[0] == "github" ? Provider::kGitHub : Provider::kGitLab;
  DAVIT_ASSIGN_OR_RETURN(const http::Url url, http::Url::Parse(words[1]));
  app.base_url = std::string(absl::StripSuffix(absl::StrCat(url.Origin(), url.path), "/"));
  app.client_id = words[2];
  if (words[3] != "-") {
    DAVIT_ASSIGN_OR_RETURN(app.client_secret, read_secret(words[3]));
  }
  if (words.size() == 5) {
    DAVIT_RETURN_IF_ERROR(Annotate(http::Url::Parse(words[4]).status(), "REDIRECT_URI"));
    app.redirect_uri = words[4];
  }
  return app;
}

}  // namespace

absl::StatusOr<OAuthApps> OAuthApps::Parse(absl::string_view text, const SecretReader& read_secret) {
  OAuthApps apps;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line[0] == '#') continue;
    absl::StatusOr<OAuthApp> app = ReadLine(line, read_secret);
    if (!app.ok()) return Annotate(app.status(), absl::StrCat("line ", number));
    if (apps.Find(app->provider, app->base_url) != nullptr) {
      return absl::InvalidArgumentError(absl::StrCat("line ", number, ": repeats the server ", app->base_url));
    }
    apps.apps_.push_back(*std::move(app));
  }
  return apps;
}

const OAuthApp* OAuthApps::Find(Provider provider, absl::string_view base_url) const {
  for (const OAuthApp& app : apps_) {
    if (app.provider == provider && app.base_url == base_url) return &app;
  }
  return nullptr;
}

}  // namespace davit::token_registry
