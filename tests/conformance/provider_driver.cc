// Makes one call of the token-registry's provider client and prints what came of it, for the conformance suites:
//
//   provider_driver github|gitlab BASE_URL CALL [ARGUMENT...]
//
// The token is `conformance-token`. Exit code 0: the call was accepted; 1: the error or refusal is on standard error.
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/clock/clock.h"
#include "libs/http/client.h"
#include "libs/http/url.h"
#include "libs/status/status_macros.h"
#include "services/token_registry/http_provider_client.h"

namespace davit::token_registry {
namespace {

constexpr int kMaxPages = 5;

void Print(const std::string& line) { std::printf("%s\n", line.c_str()); }

class Driver {
 public:
  Driver(HttpProviderClient& provider, Connection connection)
      : provider_(provider), connection_(std::move(connection)) {}

  absl::Status Run(const std::string& call, const std::vector<std::string>& arguments) {
    arguments_ = arguments;
    if (call == "verify") return Verify();
    if (call == "status") return Status();
    if (call == "repositories") return Repositories();
    if (call == "organizations") return Organizations();
    if (call == "changed-paths") return ChangedPathsOf();
    if (call == "ensure-hook") return EnsureHook();
    if (call == "remove-hook") return provider_.RemoveHook(connection_, token_, Argument(0), Argument(1));
    return absl::InvalidArgumentError(absl::StrCat("unknown call ", call));
  }

 private:
  std::string Argument(size_t index) const { return index < arguments_.size() ? arguments_[index] : ""; }

  absl::Status Verify() {
    DAVIT_ASSIGN_OR_RETURN(const TokenFacts facts, provider_.VerifyToken(connection_, token_));
    Print(facts.account);
    return absl::OkStatus();
  }

  // REPOSITORY COMMIT STATE CONTEXT [REF [URL]]
  absl::Status Status() {
    CommitStatus status;
    status.repository = Argument(0);
    status.commit = Argument(1);
    int state = 0;
    if (!absl::SimpleAtoi(Argument(2), &state)) return absl::InvalidArgumentError("STATE is a number");
    status.state = static_cast<CommitState>(state);
    status.context = Argument(3);
    status.ref = Argument(4);
    status.target_url = Argument(5);
    status.description = "bld_1 is here";
    DAVIT_ASSIGN_OR_RETURN(const StatusOutcome outcome, provider_.SetCommitStatus(connection_, token_, status));
    if (outcome.kind != StatusOutcome::Kind::kSet) return absl::FailedPreconditionError(outcome.reason);
    return absl::OkStatus();
  }

  // [QUERY [ORGANIZATION [SIZE]]]: all pages, but five at most: a mock may always name another.
  absl::Status Repositories() {
    ProviderPage page;
    if (!Argument(2).empty() && !absl::SimpleAtoi(Argument(2), &page.size)) {
      return absl::InvalidArgumentError("SIZE is a number");
    }
    while (true) {
      DAVIT_ASSIGN_OR_RETURN(const auto listed,
                             provider_.ListRepositories(connection_, token_, {Argument(0), Argument(1)}, page));
      for (const RemoteRepository& repository : listed.items) {
        Print(absl::StrCat(repository.path, " ", repository.default_branch, " ",
                           repository.is_private ? "private" : "public"));
      }
      if (!listed.more || page.number == kMaxPages) return absl::OkStatus();
      ++page.number;
    }
  }

  absl::Status Organizations() {
    DAVIT_ASSIGN_OR_RETURN(const auto listed, provider_.ListOrganizations(connection_, token_, {}));
    for (const Organization& organization : listed.items) Print(organization.path);
    return absl::OkStatus();
  }

  // REPOSITORY BEFORE AFTER: each path, then what is missing.
  absl::Status ChangedPathsOf() {
    DAVIT_ASSIGN_OR_RETURN(const ChangedPaths changed,
                           provider_.ListChangedPaths(connection_, token_, Argument(0), Argument(1), Argument(2)));
    for (const std::string& path : changed.paths) Print(path);
    if (!changed.incomplete.empty()) Print(absl::StrCat("incomplete: ", changed.incomplete));
    return absl::OkStatus();
  }

  // REPOSITORY URL SECRET [ID]
  absl::Status EnsureHook() {
    DAVIT_ASSIGN_OR_RETURN(const InstalledHook hook, provider_.EnsureHook(connection_, token_,
                                                                          {Argument(0), Argument(3), Argument(1),
                                                                           crypto::SecretString(Argument(2))}));
    const char* const changes[] = {"", "installed", "repaired", "none"};
    Print(absl::StrCat(hook.id, " ", changes[static_cast<int>(hook.change)]));
    return absl::OkStatus();
  }

  HttpProviderClient& provider_;
  const Connection connection_;
  const crypto::SecretString token_{"conformance-token"};
  std::vector<std::string> arguments_;
};

absl::Status Main(const std::vector<std::string>& arguments) {
  if (arguments.size() < 3) return absl::InvalidArgumentError("needs PROVIDER BASE_URL CALL");
  Connection connection;
  connection.provider = arguments[0] == "github" ? Provider::kGitHub : Provider::kGitLab;
  connection.base_url = arguments[1];
  connection.account = "octocat";
  DAVIT_ASSIGN_OR_RETURN(const http::Url url, http::Url::Parse(arguments[1]));
  http::ClientOptions options;
  DAVIT_ASSIGN_OR_RETURN(options.policy, http::AddressPolicy::Create({.allowed_hosts = {url.Authority()}}));
  http::Client client(options);
  RealClock clock;
  HttpProviderClient provider(client, clock);
  return Driver(provider, connection).Run(arguments[2], {arguments.begin() + 3, arguments.end()});
}

}  // namespace
}  // namespace davit::token_registry

int main(int argc, char** argv) {
  const absl::Status status = davit::token_registry::Main({argv + 1, argv + argc});
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
