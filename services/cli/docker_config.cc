// Implements docker_config.h.
#include "services/cli/docker_config.h"

#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace davit::cli {
namespace {

using nlohmann::json;

// Docker writes Docker Hub as https://index.docker.io/v1/, others as a host or as a URL.
std::string RegistryOf(absl::string_view key) {
  if (!absl::ConsumePrefix(&key, "https://")) absl::ConsumePrefix(&key, "http://");
  key = key.substr(0, key.find('/'));
  return key == "index.docker.io" || key == "registry-1.docker.io" ? "docker.io" : std::string(key);
}

std::string Text(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

DockerCredential ReadEntry(const std::string& key, const json& entry) {
  DockerCredential credential;
  credential.registry = RegistryOf(key);
  if (!entry.is_object()) {
    credential.problem = "is not an object";
    return credential;
  }
  if (!Text(entry, "identitytoken").empty()) {
    credential.problem = "is an identity token; log in with a user name and an access token instead";
    return credential;
  }
  credential.username = Text(entry, "username");
  std::string password = Text(entry, "password");
  if (const std::string encoded = Text(entry, "auth"); !encoded.empty()) {
    std::string decoded;
    const bool readable = absl::Base64Unescape(encoded, &decoded);
    const size_t colon = decoded.find(':');
    if (!readable || colon == std::string::npos) {
      credential.problem = "its auth is not base64 of user:password";
      return credential;
    }
    credential.username = decoded.substr(0, colon);
    // Old versions of Docker padded with zeros.
    password = std::string(absl::StripSuffix(decoded.substr(colon + 1), absl::string_view("\0", 1)));
  }
  if (credential.username.empty() || password.empty()) {
    credential.problem = "its password is in a credential helper; give it to registry-credential create";
    return credential;
  }
  credential.password = crypto::SecretString(std::move(password));
  return credential;
}

}  // namespace

absl::StatusOr<std::vector<DockerCredential>> ReadDockerConfig(const crypto::SecretString& text) {
  const json config = json::parse(text.Reveal(), nullptr, false);
  if (!config.is_object())
    return absl::InvalidArgumentError("not a Docker configuration file: it is not a JSON object");
  std::map<std::string, DockerCredential> found;
  if (const auto auths = config.find("auths"); auths != config.end() && auths->is_object()) {
    for (const auto& [key, entry] : auths->items()) {
      DockerCredential credential = ReadEntry(key, entry);
      found.insert_or_assign(credential.registry, std::move(credential));
    }
  }
  if (const auto helpers = config.find("credHelpers"); helpers != config.end() && helpers->is_object()) {
    for (const auto& [key, helper] : helpers->items()) {
      DockerCredential& credential = found[RegistryOf(key)];
      if (!credential.password.empty()) continue;
      credential.registry = RegistryOf(key);
      credential.problem = "its password is in a credential helper; give it to registry-credential create";
    }
  }
  std::vector<DockerCredential> credentials;
  credentials.reserve(found.size());
  for (auto& [registry, credential] : found) credentials.push_back(std::move(credential));
  return credentials;
}

}  // namespace davit::cli
