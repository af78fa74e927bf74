// Implements session.h.
#include "services/cli/session.h"

#include <istream>
#include <ostream>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "libs/rpc/service_main.h"
#include "libs/status/status_macros.h"
#include "services/cli/command.h"
#include "services/cli/output.h"

namespace davit::cli {
namespace {

constexpr char kDefaultServer[] = "127.0.0.1:7080";
constexpr std::streamsize kMaxSecret = 64 << 10;

absl::StatusOr<crypto::SecretString> ReadSecretStream(std::istream& in) {
  std::string text(static_cast<size_t>(kMaxSecret), '\0');
  in.read(text.data(), kMaxSecret);
  text.resize(static_cast<size_t>(in.gcount()));
  absl::StripAsciiWhitespace(&text);
  if (text.empty()) return UsageError("the secret on standard input is empty");
  return crypto::SecretString(std::move(text));
}

absl::StatusOr<crypto::SecretString> ReadApiToken(const Environment& environment, const Arguments& arguments) {
  std::string path = arguments.Get("api-token-file");
  if (path.empty()) path = environment.variable("DAVIT_TOKEN_FILE").value_or("");
  if (!path.empty()) return rpc::ReadSecretFile(path);
  std::string token = environment.variable("DAVIT_TOKEN").value_or("");
  absl::StripAsciiWhitespace(&token);
  if (token.empty()) {
    return absl::UnauthenticatedError(
        "no API token: name its file with --api-token-file or in DAVIT_TOKEN_FILE (davit-standalone writes the first "
        "admin's token into its data directory)");
  }
  return crypto::SecretString(std::move(token));
}

// The option that names an API's address.
const char* AddressOption(Api api) {
  static constexpr const char* kOptions[] = {"token-registry", "rule-engine", "scheduler"};
  return kOptions[static_cast<int>(api)];
}

// Where an API is.
std::string Address(Api api, const Environment& environment, const Arguments& arguments) {
  std::string address = arguments.Get(AddressOption(api));
  if (address.empty()) address = arguments.Get("server");
  if (address.empty()) address = environment.variable("DAVIT_SERVER").value_or("");
  return address.empty() ? kDefaultServer : address;
}

}  // namespace

settings::ConfigReport CheckConfig(const Environment& environment, const Arguments& arguments) {
  settings::ConfigReport report;
  for (const Api api : {Api::kTokenRegistry, Api::kRuleEngine, Api::kScheduler}) {
    report.Note(absl::StrCat("--", AddressOption(api)),
                settings::CheckServiceAddress(Address(api, environment, arguments)));
  }
  report.Note("--api-token-file", ReadApiToken(environment, arguments).status());
  return report;
}

const std::vector<Option>& GlobalOptions() {
  static const auto* const options = new std::vector<Option>{
      {"server", 0, "ADDRESS", "host:port of the server; default $DAVIT_SERVER or 127.0.0.1:7080."},
      {"token-registry", 0, "ADDRESS", "The token-registry, when it is elsewhere."},
      {"rule-engine", 0, "ADDRESS", "The rule-engine, when it is elsewhere."},
      {"scheduler", 0, "ADDRESS", "The scheduler, when it is elsewhere."},
      {"api-token-file", 0, "FILE", "File with the API token; default $DAVIT_TOKEN_FILE."},
      {"project", 0, "PROJECT", "The project; default: the token's own."},
      {"output", 'o', "FORMAT", "table (the default) or json: one document, field names as in the .proto files."},
      {"check-config", 0, "",
       "Say what is wrong with the addresses and the token's file, call nobody, and end: 0 or 1."},
      {"help", 'h', "", "Show the help of the command."},
  };
  return *options;
}

Session::Session(Environment& environment, Arguments arguments)
    : environment_(environment), arguments_(std::move(arguments)) {}

absl::StatusOr<std::unique_ptr<Session>> Session::Open(Environment& environment, Arguments arguments) {
  auto session = absl::WrapUnique(new Session(environment, std::move(arguments)));
  const std::string format = session->arguments_.Get("output", "table");
  if (format != "table" && format != "json") {
    return UsageError(absl::StrCat("option --output is table or json, not \"", format, "\""));
  }
  session->format_ = format == "json" ? Format::kJson : Format::kTable;
  session->project_ = session->arguments_.Get("project");
  DAVIT_ASSIGN_OR_RETURN(session->token_, ReadApiToken(environment, session->arguments_));
  return session;
}

std::shared_ptr<grpc::Channel> Session::channel(Api api) {
  std::shared_ptr<grpc::Channel>& channel = channels_[static_cast<int>(api)];
  if (channel == nullptr) {
    rpc::ClientOptions options;
    options.token = token_;
    channel = environment_.connect(Address(api, environment_, arguments_), options);
  }
  return channel;
}

int Session::Show(const google::protobuf::Message& message, const std::string& text) {
  environment_.out << (format_ == Format::kJson ? ToJson(message) : text) << std::flush;
  return kExitOk;
}

absl::StatusOr<crypto::SecretString> Session::ReadSecret(absl::string_view option, const std::string& prompt) {
  const std::string path = arguments_.Get(option);
  if (!path.empty() && path != "-") return rpc::ReadSecretFile(path);
  if (path == "-" || environment_.ask_hidden == nullptr) return ReadSecretStream(environment_.in);
  DAVIT_ASSIGN_OR_RETURN(std::string text, environment_.ask_hidden(prompt));
  absl::StripAsciiWhitespace(&text);
  if (text.empty()) return UsageError("nothing was entered");
  return crypto::SecretString(std::move(text));
}

}  // namespace davit::cli
