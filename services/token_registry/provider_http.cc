// Implements provider_http.h.
#include "services/token_registry/provider_http.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/crypto/hash.h"
#include "libs/http/url.h"
#include "libs/status/status_macros.h"

namespace davit::token_registry {
namespace {

using nlohmann::json;

constexpr int kMaxRedirects = 3;
constexpr size_t kMessageCharacters = 200;

// GitHub: "otherwise, wait for at least one minute before retrying".
constexpr absl::Duration kUnknownLimit = absl::Minutes(1);
constexpr absl::Duration kShortestLimit = absl::Seconds(1);
constexpr absl::Duration kLongestLimit = absl::Hours(1);

// Who asks whom: what a limit belongs to.
std::string Asker(const ApiCall& call) {
  return absl::StrCat(HostOf(call.url), " ",
                      crypto::Sha256Hex(absl::StrCat(call.headers.Get("Authorization").value_or(""), " ",
                                                     call.headers.Get("PRIVATE-TOKEN").value_or(""))));
}

std::optional<int64_t> NumberOf(const http::Response& response, absl::string_view header) {
  int64_t number = 0;
  const std::optional<std::string> text = response.headers.Get(header);
  if (!text || !absl::SimpleAtoi(*text, &number)) return std::nullopt;
  return number;
}

bool QuotaIsSpent(const http::Response& response) {
  return NumberOf(response, "X-RateLimit-Remaining") == 0 || NumberOf(response, "RateLimit-Remaining") == 0;
}

// Whether the response is a refusal for asking too often.
bool IsLimit(const http::Response& response) {
  if (response.status == 429) return true;
  if (response.status != 403) return false;
  return QuotaIsSpent(response) || response.headers.Has("Retry-After") ||
         absl::StrContains(absl::AsciiStrToLower(response.body), "rate limit");
}

bool IsRedirect(int status) { return status == 301 || status == 302 || status == 307 || status == 308; }

size_t SizeOf(const http::Response& response) { return response.body.size() + 1024; }

std::string FirstText(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_array()) return value.empty() ? "" : FirstText(value.front());
  if (!value.is_object()) return "";
  for (const char* key : {"message", "error_description", "error"}) {
    if (value.contains(key)) {
      const std::string text = FirstText(value[key]);
      if (!text.empty()) return text;
    }
  }
  // GitLab names the fields: {"message": {"url": ["is blocked"]}}.
  for (const auto& [key, member] : value.items()) {
    const std::string text = FirstText(member);
    if (!text.empty()) return absl::StrCat(key, " ", text);
  }
  return "";
}

}  // namespace

std::string HostOf(const std::string& url) {
  const absl::StatusOr<http::Url> parsed = http::Url::Parse(url);
  return parsed.ok() ? parsed->Authority() : "the server";
}

std::string OneLine(absl::string_view text, size_t characters) {
  std::string line;
  size_t count = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool begins = (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
    if (begins && ++count > characters) {
      // Makes room for the ellipsis: removes the last character.
      while (!line.empty() && (static_cast<unsigned char>(line.back()) & 0xC0) == 0x80) line.pop_back();
      if (!line.empty()) line.pop_back();
      return line + "…";
    }
    line += absl::ascii_iscntrl(text[i]) ? ' ' : text[i];
  }
  return line;
}

std::string MessageOf(const http::Response& response) {
  const json body = json::parse(response.body, nullptr, false);
  if (!body.is_object()) return "";
  std::string text = FirstText(body);
  // GitHub: the general message is "Validation Failed"; what failed is beside it.
  if (body.contains("errors")) {
    const std::string detail = FirstText(body["errors"]);
    if (!detail.empty() && detail != text) absl::StrAppend(&text, text.empty() ? "" : ": ", detail);
  }
  return OneLine(text, kMessageCharacters);
}

absl::StatusOr<http::Response> ProviderHttp::Send(const ApiCall& call) {
  const std::string who = Asker(call);
  {
    absl::MutexLock lock(&mutex_);
    const auto limit = limits_.find(who);
    if (limit != limits_.end()) {
      const absl::Duration wait = limit->second - clock_.Now();
      if (wait > absl::ZeroDuration()) {
        http::Response response;
        response.status = 429;
        response.url = call.url;
        response.headers.Add("Retry-After", absl::StrCat(absl::ToInt64Seconds(absl::Ceil(wait, absl::Seconds(1)))));
        return response;
      }
      limits_.erase(limit);
    }
  }
  absl::StatusOr<http::Response> response = SendUnlimited(call);
  if (response.ok()) NoteLimit(who, *response);
  return response;
}

absl::StatusOr<http::Response> ProviderHttp::SendUnlimited(const ApiCall& call) {
  if (call.method != "GET") return Exchange(call);
  const std::string key = absl::StrCat(Asker(call), " ", call.url);
  const std::optional<Cached> cached = Find(key);
  if (!cached) {
    DAVIT_ASSIGN_OR_RETURN(http::Response response, Exchange(call));
    if (const auto etag = response.headers.Get("ETag"); etag && response.status == 200) Keep(key, *etag, response);
    return response;
  }
  ApiCall conditional = call;
  conditional.headers.Add("If-None-Match", cached->etag);
  DAVIT_ASSIGN_OR_RETURN(http::Response response, Exchange(conditional));
  if (response.status == 304) return cached->response;
  if (const auto etag = response.headers.Get("ETag"); etag && response.status == 200) Keep(key, *etag, response);
  return response;
}

absl::StatusOr<http::Response> ProviderHttp::Exchange(const ApiCall& call) {
  http::Request request;
  request.method = call.method;
  request.url = call.url;
  request.headers = call.headers;
  request.body = call.body;
  request.timeout = timeout_;
  if (!call.body.empty()) request.headers.Set("Content-Type", "application/json");
  for (int redirects = 0;; ++redirects) {
    DAVIT_ASSIGN_OR_RETURN(http::Response response, client_.Send(request));
    const std::optional<std::string> location = response.headers.Get("Location");
    if (!IsRedirect(response.status) || !location || redirects == kMaxRedirects) return response;
    DAVIT_ASSIGN_OR_RETURN(const http::Url from, http::Url::Parse(request.url));
    const absl::StatusOr<http::Url> to = from.Resolve(*location);
    if (!to.ok() || to->Origin() != from.Origin()) return response;
    request.url = to->ToString();
  }
}

std::optional<absl::Duration> ProviderHttp::LimitOf(const http::Response& response) const {
  if (!IsLimit(response)) return std::nullopt;
  absl::Duration wait = kUnknownLimit;
  if (const auto seconds = NumberOf(response, "Retry-After")) {
    wait = absl::Seconds(*seconds);
  } else if (const auto github = NumberOf(response, "X-RateLimit-Reset"); github && QuotaIsSpent(response)) {
    wait = absl::FromUnixSeconds(*github) - clock_.Now();
  } else if (const auto gitlab = NumberOf(response, "RateLimit-Reset")) {
    wait = absl::FromUnixSeconds(*gitlab) - clock_.Now();
  }
  return std::clamp(wait, kShortestLimit, kLongestLimit);
}

void ProviderHttp::NoteLimit(const std::string& who, const http::Response& response) {
  const std::optional<absl::Duration> wait = LimitOf(response);
  if (!wait) return;
  absl::MutexLock lock(&mutex_);
  if (limits_.size() >= kMaxLimits) {
    const absl::Time now = clock_.Now();
    for (auto limit = limits_.begin(); limit != limits_.end();) {
      limit = limit->second <= now ? limits_.erase(limit) : std::next(limit);
    }
    // Forgetting one costs a request that is refused again.
    if (limits_.size() >= kMaxLimits) limits_.erase(limits_.begin());
  }
  limits_[who] = clock_.Now() + *wait;
}

std::optional<ProviderHttp::Cached> ProviderHttp::Find(const std::string& key) {
  absl::MutexLock lock(&mutex_);
  const auto found = cached_.find(key);
  if (found == cached_.end()) return std::nullopt;
  cache_.splice(cache_.begin(), cache_, found->second);
  return *found->second;
}

void ProviderHttp::Keep(const std::string& key, const std::string& etag, const http::Response& response) {
  if (SizeOf(response) > kMaxCachedBytes / 4) return;
  absl::MutexLock lock(&mutex_);
  if (const auto found = cached_.find(key); found != cached_.end()) {
    cached_bytes_ -= SizeOf(found->second->response);
    cache_.erase(found->second);
    cached_.erase(found);
  }
  cache_.push_front({key, etag, response});
  cached_[key] = cache_.begin();
  cached_bytes_ += SizeOf(response);
  while (cache_.size() > kMaxCachedAnswers || cached_bytes_ > kMaxCachedBytes) {
    cached_bytes_ -= SizeOf(cache_.back().response);
    cached_.erase(cache_.back().key);
    cache_.pop_back();
  }
}

absl::Status ProviderHttp::Check(const http::Response& response, absl::string_view what) const {
  if (response.status >= 200 && response.status <= 299) return absl::OkStatus();
  const std::string host = HostOf(response.url);
  if (const auto wait = LimitOf(response)) {
    return absl::UnavailableError(absl::StrCat(host, " limits requests; try again in ", absl::FormatDuration(*wait)));
  }
  const std::string message = MessageOf(response);
  const std::string said = message.empty() ? "" : absl::StrCat(": ", message);
  if (response.status == 401) {
    return absl::FailedPreconditionError(absl::StrCat("credential rejected by ", host, " (401)"));
  }
  if (response.status == 403) {
    return absl::FailedPreconditionError(absl::StrCat("access denied by ", host, " (403)", said));
  }
  if (response.status == 404) {
    return absl::NotFoundError(
        absl::StrCat(what, " not found at ", host, " (404), or the token may not see or change it"));
  }
  if (response.status >= 500 || response.status == 409) {
    return absl::UnavailableError(absl::StrCat(host, " answered ", response.status, "; try again later"));
  }
  return absl::FailedPreconditionError(absl::StrCat(host, " refused ", what, " (", response.status, ")", said));
}

}  // namespace davit::token_registry
