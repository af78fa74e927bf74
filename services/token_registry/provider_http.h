// Requests to providers' REST APIs: rate limits, conditional requests, redirects and the meaning of refusals, alike for
// all providers. Thread-safe.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/clock/clock.h"
#include "libs/http/client.h"

namespace davit::token_registry {

// One request to a provider's API.
struct ApiCall {
  std::string method = "GET";
  std::string url;
  http::Headers headers;  // With the credential.
  std::string body;       // JSON; empty: none.
};

// Sends calls. A credential that the provider limits (429, or 403 with signs of a limit) is not used again before the
// time that the provider names: such calls are answered 429 here. Answers to GET that carry an ETag are kept (bounded)
// and asked for conditionally, which does not count against GitHub's limits.
class ProviderHttp {
 public:
  // Bounds of what is kept.
  static constexpr size_t kMaxCachedAnswers = 512;
  static constexpr size_t kMaxCachedBytes = size_t{16} << 20;
  static constexpr size_t kMaxLimits = 4096;

  // How long a provider may take for one answer.
  static constexpr absl::Duration kTimeout = absl::Seconds(15);

  // Client and clock must outlive this.
  ProviderHttp(http::Client& client, Clock& clock, absl::Duration timeout = kTimeout)
      : client_(client), clock_(clock), timeout_(timeout) {}

  // Sends. Whatever the provider answers is a response; errors are those of http::Client. A redirect is followed within
  // the origin only, since the credential must not go elsewhere.
  absl::StatusOr<http::Response> Send(const ApiCall& call);

  // How long to wait before the next request, if the response says that there were too many: Retry-After, else
  // X-RateLimit-Reset or RateLimit-Reset, else a minute; between 1 s and 1 h.
  std::optional<absl::Duration> LimitOf(const http::Response& response) const;

  // OK for a 2xx. `what` names what was asked for. FAILED_PRECONDITION `credential rejected by HOST (401)`, `access
  // denied by HOST (403): …`, `HOST refused … (422): …`; NOT_FOUND `… not found at HOST (404), …`; UNAVAILABLE when
  // requests are limited or the server has a problem.
  absl::Status Check(const http::Response& response, absl::string_view what) const;

 private:
  struct Cached {
    std::string key;
    std::string etag;
    http::Response response;
  };

  absl::StatusOr<http::Response> SendUnlimited(const ApiCall& call);
  absl::StatusOr<http::Response> Exchange(const ApiCall& call);
  void NoteLimit(const std::string& who, const http::Response& response);
  void Keep(const std::string& key, const std::string& etag, const http::Response& response);
  std::optional<Cached> Find(const std::string& key);

  http::Client& client_;
  Clock& clock_;
  const absl::Duration timeout_;
  absl::Mutex mutex_;
  // The most recently used first.
  std::list<Cached> cache_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::list<Cached>::iterator> cached_ ABSL_GUARDED_BY(mutex_);
  size_t cached_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  // Until when each credential of each host must wait.
  std::map<std::string, absl::Time> limits_ ABSL_GUARDED_BY(mutex_);
};

// The host that answered, for messages.
std::string HostOf(const std::string& url);

// What a provider says in a response's body (`message`, `error`, first of `errors`), in one line of at most 200
// characters; empty when it says nothing.
std::string MessageOf(const http::Response& response);

// At most `characters` of a UTF-8 text, the last one an ellipsis if it was cut; control characters become spaces.
std::string OneLine(absl::string_view text, size_t characters);

}  // namespace davit::token_registry
