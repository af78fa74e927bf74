// Implements registry_client.h.
#include "libs/oci/registry_client.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/http/url.h"
#include "libs/oci/challenge.h"
#include "libs/oci/reference.h"
#include "libs/status/status_macros.h"

namespace davit::oci {
namespace {

constexpr int64_t kMaxManifestBytes = int64_t{4} << 20;
constexpr int64_t kMaxTokenBytes = int64_t{1} << 20;
constexpr int64_t kMaxErrorBytes = int64_t{1} << 20;
constexpr int kMaxRedirects = 5;
constexpr absl::Duration kProbeTimeout = absl::Seconds(10);

std::string AcceptedTypes() {
  return absl::StrCat(kOciManifest, ", ", kOciIndex, ", ", kDockerManifest, ", ", kDockerManifestList);
}

// The registry's first error code, for example MANIFEST_UNKNOWN; empty when there is none. Nothing else of its answer
// is repeated.
std::string ErrorCode(const std::string& body) {
  const nlohmann::json json = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("errors") || !json["errors"].is_array() || json["errors"].empty()) return "";
  const nlohmann::json& first = json["errors"][0];
  if (!first.is_object() || !first.contains("code") || !first["code"].is_string()) return "";
  const std::string code = first["code"];
  const bool plain = code.size() <= 64 &&
                     std::all_of(code.begin(), code.end(), [](char c) { return absl::ascii_isupper(c) || c == '_'; });
  return plain ? code : "";
}

// Content-Type without parameters.
std::string MediaType(const http::Headers& headers) {
  const std::string type = headers.Get("Content-Type").value_or("");
  return std::string(absl::StripAsciiWhitespace(type.substr(0, type.find(';'))));
}

bool IsDigest(absl::string_view reference) { return absl::StrContains(reference, ':'); }

}  // namespace

RegistryClient::RegistryClient(http::Client& client, RegistryClientOptions options)
    : client_(client),
      options_(std::move(options)),
      host_(options_.registry == "docker.io" ? "registry-1.docker.io" : options_.registry) {}

absl::Status RegistryClient::CheckCredential() {
  return Send({"GET", "", "", absl::StrCat("API of ", options_.registry), {}, "", kMaxErrorBytes}).status();
}

absl::StatusOr<RegistryClient::Call> RegistryClient::ManifestCall(absl::string_view method,
                                                                  absl::string_view repository,
                                                                  absl::string_view reference, Access access) const {
  DAVIT_RETURN_IF_ERROR(CheckRepository(repository));
  DAVIT_RETURN_IF_ERROR(IsDigest(reference) ? CheckDigest(reference) : CheckTag(reference));
  Call call;
  call.method = std::string(method);
  call.path = absl::StrCat(repository, "/manifests/", reference);
  call.scope = absl::StrCat("repository:", repository, access == Access::kPush ? ":pull,push" : ":pull");
  call.what = absl::StrCat(options_.registry, "/", repository, IsDigest(reference) ? "@" : ":", reference);
  call.max_response_bytes = kMaxManifestBytes;
  call.headers.Add("Accept", AcceptedTypes());
  return call;
}

absl::StatusOr<Descriptor> RegistryClient::HeadManifest(absl::string_view repository, absl::string_view reference) {
  DAVIT_ASSIGN_OR_RETURN(const Call call, ManifestCall("HEAD", repository, reference, Access::kPull));
  DAVIT_ASSIGN_OR_RETURN(const http::Response response, Send(call));
  Descriptor descriptor{MediaType(response.headers), response.headers.Get("Docker-Content-Digest").value_or(""), 0};
  const bool sized = absl::SimpleAtoi(response.headers.Get("Content-Length").value_or(""), &descriptor.size);
  if (!sized || descriptor.size < 0 || !CheckDigest(descriptor.digest).ok()) {
    DAVIT_ASSIGN_OR_RETURN(const Manifest manifest, GetManifest(repository, reference));
    return manifest.descriptor();
  }
  if (IsDigest(reference) && descriptor.digest != reference) {
    return absl::DataLossError(absl::StrCat(call.what, ": the registry announces another digest"));
  }
  return descriptor;
}

absl::StatusOr<Manifest> RegistryClient::GetManifest(absl::string_view repository, absl::string_view reference) {
  DAVIT_ASSIGN_OR_RETURN(const Call call, ManifestCall("GET", repository, reference, Access::kPull));
  DAVIT_ASSIGN_OR_RETURN(const http::Response response, Send(call));
  Manifest manifest = Manifest::FromBytes(MediaType(response.headers), response.body);
  const std::string announced = response.headers.Get("Docker-Content-Digest").value_or(manifest.digest);
  if (announced != manifest.digest || (IsDigest(reference) && manifest.digest != reference)) {
    return absl::DataLossError(absl::StrCat(call.what, ": the manifest does not have its digest"));
  }
  return manifest;
}

absl::Status RegistryClient::PutManifest(absl::string_view repository, absl::string_view reference,
                                         const Manifest& manifest) {
  DAVIT_ASSIGN_OR_RETURN(Call call, ManifestCall("PUT", repository, reference, Access::kPush));
  if (IsDigest(reference) && reference != manifest.digest) {
    return absl::InvalidArgumentError("a manifest can only be stored under its own digest");
  }
  call.headers.Add("Content-Type", manifest.media_type);
  call.body = manifest.bytes;
  DAVIT_ASSIGN_OR_RETURN(const http::Response response, Send(call));
  if (response.headers.Get("Docker-Content-Digest").value_or(manifest.digest) != manifest.digest) {
    return absl::DataLossError(absl::StrCat(call.what, ": the registry stored another digest"));
  }
  return absl::OkStatus();
}

absl::Status RegistryClient::TagManifest(absl::string_view repository, absl::string_view digest,
                                         absl::string_view tag) {
  DAVIT_RETURN_IF_ERROR(CheckDigest(digest));
  DAVIT_RETURN_IF_ERROR(CheckTag(tag));
  DAVIT_ASSIGN_OR_RETURN(const Manifest manifest, GetManifest(repository, digest));
  return PutManifest(repository, tag, manifest);
}

absl::StatusOr<std::string> RegistryClient::GetBlob(absl::string_view repository, absl::string_view digest,
                                                    int64_t max_bytes) {
  DAVIT_RETURN_IF_ERROR(CheckRepository(repository));
  DAVIT_RETURN_IF_ERROR(CheckDigest(digest));
  DAVIT_ASSIGN_OR_RETURN(http::Response response, Send({"GET",
                                                        absl::StrCat(repository, "/blobs/", digest),
                                                        absl::StrCat("repository:", repository, ":pull"),
                                                        absl::StrCat(options_.registry, "/", repository, "@", digest),
                                                        {},
                                                        "",
                                                        max_bytes}));
  if (DigestOf(response.body) != digest) {
    return absl::DataLossError(
        absl::StrCat(options_.registry, "/", repository, "@", digest, ": the blob does not have its digest"));
  }
  return std::move(response.body);
}

absl::StatusOr<std::string> RegistryClient::Origin() {
  {
    absl::MutexLock lock(&mutex_);
    if (!origin_.empty()) return origin_;
  }
  DAVIT_RETURN_IF_ERROR(CheckRegistry(host_));
  std::string origin = absl::StrCat("https://", host_);
  const std::string plain = absl::StrCat("http://", host_);
  DAVIT_ASSIGN_OR_RETURN(const http::Url plain_url, http::Url::Parse(plain));
  if (client_.policy().IsAllowListed(plain_url.host, plain_url.port)) {
    const absl::Status secure = Probe(origin);
    if (absl::IsUnavailable(secure)) {
      DAVIT_RETURN_IF_ERROR(Probe(plain));
      origin = plain;
    } else if (!secure.ok()) {
      return secure;
    }
  }
  absl::MutexLock lock(&mutex_);
  origin_ = origin;
  return origin;
}

absl::Status RegistryClient::Probe(const std::string& origin) {
  http::Request request;
  request.url = absl::StrCat(origin, "/v2/");
  request.timeout = std::min(options_.timeout, kProbeTimeout);
  request.max_response_bytes = kMaxErrorBytes;
  return client_.Send(request).status();
}

absl::StatusOr<http::Response> RegistryClient::Send(const Call& call) {
  DAVIT_ASSIGN_OR_RETURN(const std::string origin, Origin());
  std::string authorization;
  {
    absl::MutexLock lock(&mutex_);
    if (const auto known = authorization_.find(call.scope); known != authorization_.end())
      authorization = known->second;
  }
  DAVIT_ASSIGN_OR_RETURN(http::Response response, SendOnce(call, origin, authorization));
  if (response.status == 401) {
    const std::string challenge = response.headers.Get("WWW-Authenticate").value_or("");
    DAVIT_ASSIGN_OR_RETURN(authorization, AuthorizationFor(challenge, call.scope));
    DAVIT_ASSIGN_OR_RETURN(response, SendOnce(call, origin, authorization));
    absl::MutexLock lock(&mutex_);
    if (response.status == 401) {
      authorization_.erase(call.scope);
    } else {
      authorization_[call.scope] = authorization;
    }
  }
  DAVIT_RETURN_IF_ERROR(StatusOf(response, call.what));
  return response;
}

absl::StatusOr<http::Response> RegistryClient::SendOnce(const Call& call, const std::string& origin,
                                                        const std::string& authorization) {
  http::Request request;
  request.method = call.method;
  request.url = absl::StrCat(origin, "/v2/", call.path);
  request.headers = call.headers;
  if (!authorization.empty()) request.headers.Add("Authorization", authorization);
  request.body = call.body;
  request.timeout = options_.timeout;
  request.max_response_bytes = std::max(call.max_response_bytes, kMaxErrorBytes);
  request.max_redirects = kMaxRedirects;
  DAVIT_ASSIGN_OR_RETURN(http::Response response, client_.Send(request));
  // The caller's bound is for content; an error is read whatever the bound.
  if (response.status < 300 && static_cast<int64_t>(response.body.size()) > call.max_response_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat(call.what, ": over ", call.max_response_bytes, " bytes"));
  }
  return response;
}

absl::StatusOr<std::string> RegistryClient::AuthorizationFor(const std::string& header, const std::string& scope) {
  const Challenge challenge = ParseChallenge(header);
  if (challenge.scheme == "bearer") return FetchToken(challenge.parameters, scope);
  if (options_.credential.username.empty() || challenge.scheme != "basic") return Rejected();
  return http::BasicAuthorization(options_.credential.username, options_.credential.password);
}

// The token service of the distribution specification: a GET on the realm, with Basic authentication when there is a
// credential.
absl::StatusOr<std::string> RegistryClient::FetchToken(const std::map<std::string, std::string>& challenge,
                                                       const std::string& scope) {
  const auto parameter = [&challenge](const char* name) {
    const auto found = challenge.find(name);
    return found == challenge.end() ? std::string() : found->second;
  };
  DAVIT_ASSIGN_OR_RETURN(http::Url realm, http::Url::Parse(parameter("realm")));
  const auto add = [&realm](absl::string_view name, absl::string_view value) {
    if (value.empty()) return;
    absl::StrAppend(&realm.query, realm.query.empty() ? "" : "&", name, "=", http::PercentEncode(value));
  };
  add("service", parameter("service"));
  add("scope", scope.empty() ? parameter("scope") : scope);
  http::Request request;
  if (!options_.credential.username.empty()) {
    add("account", options_.credential.username);
    request.headers.Add("Authorization",
                        http::BasicAuthorization(options_.credential.username, options_.credential.password));
  }
  request.url = realm.ToString();
  request.timeout = options_.timeout;
  request.max_response_bytes = kMaxTokenBytes;
  DAVIT_ASSIGN_OR_RETURN(const http::Response response, client_.Send(request));
  DAVIT_RETURN_IF_ERROR(StatusOf(response, absl::StrCat("token service of ", options_.registry)));
  const nlohmann::json json = nlohmann::json::parse(response.body, nullptr, /*allow_exceptions=*/false);
  for (const char* name : {"token", "access_token"}) {
    if (json.is_object() && json.contains(name) && json[name].is_string() && !json[name].get<std::string>().empty()) {
      return http::BearerAuthorization(json[name].get<std::string>());
    }
  }
  return absl::UnavailableError(absl::StrCat("the token service of ", options_.registry, " answered without a token"));
}

absl::Status RegistryClient::Rejected() const {
  if (options_.credential.username.empty()) {
    return absl::UnauthenticatedError(absl::StrCat(options_.registry, " asks for a credential (401)"));
  }
  return absl::UnauthenticatedError(absl::StrCat("credential rejected by ", options_.registry, " (401)"));
}

absl::Status RegistryClient::StatusOf(const http::Response& response, const std::string& what) const {
  const int status = response.status;
  if (status >= 200 && status < 300) return absl::OkStatus();
  if (status == 401) return Rejected();
  if (status == 403) return absl::PermissionDeniedError(absl::StrCat("access denied by ", options_.registry, " (403)"));
  if (status == 404) return absl::NotFoundError(absl::StrCat("image not found: ", what));
  const std::string code = ErrorCode(response.body);
  const std::string message =
      absl::StrCat(options_.registry, " answered ", status, code.empty() ? "" : " ", code, " for ", what);
  if (status == 429 || status >= 500) return absl::UnavailableError(message);
  return absl::FailedPreconditionError(message);
}

}  // namespace davit::oci
