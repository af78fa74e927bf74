// Implements the private registry over Debian's docker-registry.
#include "services/standalone/registry_engine.h"

#include <crypt.h>
#include <signal.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "libs/process/process.h"
#include "libs/status/status_macros.h"
#include "services/standalone/http_probe.h"

namespace davit::standalone {
namespace {

// The password has 256 random bits: nothing is gained by making each of the registry's checks slow.
constexpr unsigned long kBcryptCost = 4;

absl::StatusOr<std::string> HashPassword(const crypto::SecretString& password) {
  char setting[CRYPT_GENSALT_OUTPUT_SIZE];
  struct crypt_data data = {};
  if (crypt_gensalt_rn("$2b$", kBcryptCost, nullptr, 0, setting, sizeof setting) == nullptr) {
    return absl::InternalError("no bcrypt salt");
  }
  const char* hash = crypt_r(password.Reveal().c_str(), setting, &data);
  if (hash == nullptr || hash[0] != '$') return absl::InternalError("hashing the registry password failed");
  return std::string(hash);
}

}  // namespace

RegistryEngine::RegistryEngine(const DataDir& data_dir, RegistryOptions options)
    : data_dir_(data_dir), options_(std::move(options)) {}

std::string RegistryEngine::log_path() const { return data_dir_.LogPath("registry"); }

int RegistryEngine::stop_signal() const { return SIGTERM; }

absl::Status RegistryEngine::Prepare() {
  if (geteuid() == 0) {
    absl::StatusOr<process::Credentials> credentials = process::CredentialsOfUser(options_.user);
    if (credentials.ok()) credentials_ = *credentials;
  }
  const process::Credentials* owner = credentials_.has_value() ? &*credentials_ : nullptr;
  DAVIT_ASSIGN_OR_RETURN(std::string home, data_dir_.MakeDirectory("registry", 0700, owner));
  DAVIT_ASSIGN_OR_RETURN(std::string storage, data_dir_.MakeDirectory("registry/storage", 0700, owner));
  DAVIT_ASSIGN_OR_RETURN(std::string hash, HashPassword(options_.password));
  DAVIT_RETURN_IF_ERROR(WriteFile(home + "/htpasswd", absl::StrCat(options_.username, ":", hash, "\n"), 0600, owner));
  // Every value here is ours: paths, an address that was checked, a token of base64url characters.
  const std::string config = absl::StrCat(
      "version: 0.1\n"
      "log:\n  level: warn\n  accesslog:\n    disabled: true\n"
      "storage:\n  filesystem:\n    rootdirectory: ",
      storage,
      "\n"
      "  delete:\n    enabled: true\n  cache:\n    blobdescriptor: inmemory\n"
      "http:\n  addr: ",
      options_.listen, "\n  secret: ", options_.http_secret.Reveal(),
      "\n"
      "auth:\n  htpasswd:\n    realm: davit\n    path: ",
      home, "/htpasswd\n");
  return WriteFile(home + "/config.yml", config, 0600, owner);
}

absl::StatusOr<std::unique_ptr<process::Process>> RegistryEngine::Start() {
  if (ProbeTcp(options_.listen, "/v2/").ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("registry_listen: ", options_.listen, " is taken by another program; choose another port"));
  }
  process::SpawnOptions options;
  options.argv = {options_.program, "serve", data_dir_.Below("registry/config.yml")};
  options.credentials = credentials_;
  options.environment = std::map<std::string, std::string>{{"PATH", "/usr/bin:/bin"}, {"HOME", "/"}};
  options.working_directory = "/";
  options.stdout_to = process::Output::File(log_path());
  options.stderr_to = process::Output::File(log_path());
  options.parent_death_signal = SIGTERM;
  return process::Process::Spawn(options);
}

absl::Status RegistryEngine::Probe() {
  DAVIT_ASSIGN_OR_RETURN(int code, ProbeTcp(options_.listen, "/v2/"));
  if (code != 401) return absl::UnavailableError(absl::StrCat("answered ", code, " where 401 was expected"));
  return absl::OkStatus();
}

}  // namespace davit::standalone
