// The commands about the project's secrets for builds: secret. Each runs on the main thread.
#include <fstream>
#include <istream>

#include "absl/strings/str_cat.h"
#include "davit/registry/v1/build_secrets.grpc.pb.h"
#include "libs/crypto/secret.h"
#include "libs/status/status_macros.h"
#include "services/cli/command.h"
#include "services/cli/output.h"
#include "services/cli/session.h"

namespace davit::cli {
namespace {

namespace v1 = ::davit::registry::v1;
using Secrets = v1::BuildSecrets::Stub;

// One byte more than a value may have, so that the server sees that it is too long.
constexpr std::streamsize kMostBytes = (64 << 10) + 1;

std::unique_ptr<Secrets> NewSecrets(Session& session) {
  return v1::BuildSecrets::NewStub(session.channel(Api::kTokenRegistry));
}

crypto::SecretString ReadAll(std::istream& in) {
  std::string bytes(static_cast<size_t>(kMostBytes), '\0');
  in.read(bytes.data(), kMostBytes);
  bytes.resize(static_cast<size_t>(in.gcount()));
  return crypto::SecretString(std::move(bytes));
}

// The value's bytes as they are: from the file, from a prompt, or from standard input.
absl::StatusOr<crypto::SecretString> ReadValue(Session& session) {
  Environment& environment = session.environment();
  const std::string path = session.arguments().Get("from-file");
  if (!path.empty() && path != "-") {
    std::ifstream in(path, std::ios::binary);
    if (!in) return UsageError(absl::StrCat("cannot read ", path));
    return ReadAll(in);
  }
  if (path == "-" || environment.ask_hidden == nullptr) return ReadAll(environment.in);
  DAVIT_ASSIGN_OR_RETURN(std::string text, environment.ask_hidden("Value: "));
  return crypto::SecretString(std::move(text));
}

std::string SecretText(const v1::Secret& secret) {
  return ToFields({{"name", secret.name()},
                   {"id", secret.id()},
                   {"project", secret.project()},
                   {"description", secret.description()},
                   {"version", absl::StrCat(secret.version())},
                   {"created", TimeText(secret.create_time())},
                   {"updated", TimeText(secret.update_time())}});
}

absl::StatusOr<int> SecretCreate(Session& session) {
  v1::CreateSecretRequest request;
  request.set_project(session.project());
  request.mutable_secret()->set_name(session.arguments().positionals()[0]);
  request.mutable_secret()->set_description(session.arguments().Get("description"));
  DAVIT_ASSIGN_OR_RETURN(const crypto::SecretString value, ReadValue(session));
  request.set_value(value.Reveal());
  const auto stub = NewSecrets(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::CreateSecretResponse response, session.Call(*stub, &Secrets::CreateSecret, request));
  return session.Show(response.secret(), SecretText(response.secret()));
}

absl::StatusOr<int> SecretUpdate(Session& session) {
  const Arguments& arguments = session.arguments();
  v1::UpdateSecretRequest request;
  request.set_project(session.project());
  request.set_name(arguments.positionals()[0]);
  if (arguments.Has("description")) request.set_description(arguments.Get("description"));
  // The description alone changes when no file is named.
  if (arguments.Has("from-file") || !arguments.Has("description")) {
    DAVIT_ASSIGN_OR_RETURN(const crypto::SecretString value, ReadValue(session));
    request.set_value(value.Reveal());
  }
  const auto stub = NewSecrets(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::UpdateSecretResponse response, session.Call(*stub, &Secrets::UpdateSecret, request));
  return session.Show(response.secret(), SecretText(response.secret()));
}

absl::StatusOr<int> SecretList(Session& session) {
  DAVIT_ASSIGN_OR_RETURN(const int64_t limit, session.arguments().GetNumber("limit", 50, 1));
  v1::ListSecretsRequest request;
  request.set_project(session.project());
  const auto stub = NewSecrets(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::ListSecretsResponse response,
                         ListAll(session, *stub, &Secrets::ListSecrets, request, limit,
                                 [](v1::ListSecretsResponse& page) { return page.mutable_secrets(); }));
  std::vector<std::vector<std::string>> rows;
  for (const v1::Secret& secret : response.secrets()) {
    rows.push_back(
        {secret.name(), absl::StrCat(secret.version()), TimeText(secret.update_time()), secret.description()});
  }
  return session.Show(response, ToTable({"NAME", "VERSION", "UPDATED", "DESCRIPTION"}, rows));
}

absl::StatusOr<int> SecretDelete(Session& session) {
  v1::DeleteSecretRequest request;
  request.set_project(session.project());
  request.set_name(session.arguments().positionals()[0]);
  const auto stub = NewSecrets(session);
  DAVIT_ASSIGN_OR_RETURN(const v1::DeleteSecretResponse response, session.Call(*stub, &Secrets::DeleteSecret, request));
  return session.Show(response, absl::StrCat("deleted ", request.name(), "\n"));
}

const Option kFromFile = {"from-file", 0, "FILE", "File with the value; - is standard input."};
const Option kDescription = {"description", 0, "TEXT", "For people."};
const Positional kName = {"NAME", "its name"};

}  // namespace

std::vector<Command> SecretCommands() {
  return {
      {"secret create",
       "Store a secret for builds.",
       "RUN --mount=type=secret,id=NAME gets it in builds whose rule or request names it (--secret). The value is kept "
       "as it is, also its last line's end; it is asked for, or read from standard input, unless --from-file says "
       "where it is. It is never shown again.",
       "davit secret create npm --from-file ~/.npmrc\n"
       "printf %s \"$TOKEN\" | davit secret create api-token --from-file -",
       {kName},
       {kFromFile, kDescription},
       SecretCreate},
      {"secret list", "List the project's secrets, without their values.", "", "", {}, {kLimitOption}, SecretList},
      {"secret update",
       "Give a secret another value.",
       "Builds that an agent gets from now on get the new value.",
       "davit secret update npm --from-file ~/.npmrc",
       {kName},
       {kFromFile, kDescription},
       SecretUpdate},
      {"secret delete", "Delete a secret; builds that name it fail.", "", "", {kName}, {}, SecretDelete},
  };
}

}  // namespace davit::cli
