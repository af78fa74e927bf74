// Implements the bridge with ip(8) and iptables(8).
#include "services/standalone/bridge.h"

#include <arpa/inet.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/process/run.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"

namespace davit::standalone {
namespace {

constexpr absl::Duration kLimit = absl::Seconds(15);
constexpr uint32_t kPool = (172u << 24) | (30u << 16);

absl::StatusOr<std::string> RunTool(std::vector<std::string> argv) {
  process::SpawnOptions options;
  options.argv = std::move(argv);
  return process::RunOrFail(std::move(options), kLimit);
}

uint32_t Mask(int prefix) { return prefix == 0 ? 0 : ~uint32_t{0} << (32 - prefix); }

bool Overlap(const Subnet& a, const Subnet& b) {
  const uint32_t mask = Mask(std::min(a.prefix, b.prefix));
  return (a.address & mask) == (b.address & mask);
}

}  // namespace

absl::StatusOr<Subnet> ParseSubnet(absl::string_view text) {
  std::vector<std::string> parts = absl::StrSplit(text, absl::MaxSplits('/', 1));
  Subnet subnet;
  struct in_addr address;
  if (inet_pton(AF_INET, parts[0].c_str(), &address) != 1 ||
      (parts.size() == 2 && (!absl::SimpleAtoi(parts[1], &subnet.prefix) || subnet.prefix < 0 || subnet.prefix > 32))) {
    return absl::InvalidArgumentError(absl::StrCat(text, ": expected A.B.C.D or A.B.C.D/N"));
  }
  subnet.address = ntohl(address.s_addr);
  return subnet;
}

std::vector<Subnet> ParseRoutes(absl::string_view text) {
  std::vector<Subnet> subnets;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    for (absl::string_view word : absl::StrSplit(line, ' ', absl::SkipEmpty())) {
      if (word == "default") break;
      // Some lines begin with a type: "local 10.0.0.1 dev …".
      absl::StatusOr<Subnet> subnet = ParseSubnet(word);
      if (!subnet.ok()) continue;
      subnets.push_back(*subnet);
      break;
    }
  }
  return subnets;
}

absl::StatusOr<int> ChooseSubnet(const std::vector<Subnet>& taken, int start) {
  for (int tried = 0; tried < 256; ++tried) {
    const int number = (start + tried) % 256;
    const Subnet candidate{kPool | (static_cast<uint32_t>(number) << 8), 24};
    if (std::none_of(taken.begin(), taken.end(), [&](const Subnet& other) { return Overlap(candidate, other); })) {
      return number;
    }
  }
  return absl::ResourceExhaustedError("no free network in 172.30.0.0/16 for the builds' bridge");
}

absl::Status Bridge::Create() {
  DAVIT_RETURN_IF_ERROR(Remove());
  DAVIT_ASSIGN_OR_RETURN(std::string routes, RunTool({"ip", "-4", "route", "show", "table", "all"}));
  const int start = static_cast<int>(std::hash<std::string>()(name_) % 256);
  DAVIT_ASSIGN_OR_RETURN(int number, ChooseSubnet(ParseRoutes(routes), start));
  DAVIT_RETURN_IF_ERROR(RunTool({"ip", "link", "add", name_, "type", "bridge"}).status());
  DAVIT_RETURN_IF_ERROR(
      RunTool({"ip", "addr", "add", absl::StrCat("172.30.", number, ".1/24"), "dev", name_}).status());
  DAVIT_RETURN_IF_ERROR(RunTool({"ip", "link", "set", name_, "up"}).status());
  return Annotate(AddRules(absl::StrCat("172.30.", number, ".0/24")), "Failed to set up the builds' network");
}

absl::Status Bridge::AddRules(const std::string& subnet) const {
  const std::vector<std::string> comment = {"-m", "comment", "--comment", name_};
  std::vector<std::vector<std::string>> rules = {
      {"iptables", "-w", "-t", "nat", "-I", "POSTROUTING", "-s", subnet, "!", "-o", name_, "-j", "MASQUERADE"},
      {"iptables", "-w", "-I", "FORWARD", "-o", name_, "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED", "-j",
       "ACCEPT"},
      {"iptables", "-w", "-I", "FORWARD", "-i", name_, "-j", "ACCEPT"},
      // Inserted last, so first in the chain.
      {"iptables", "-w", "-I", "FORWARD", "-i", name_, "-d", "169.254.0.0/16", "-j", "REJECT"},
  };
  for (std::vector<std::string>& rule : rules) {
    rule.insert(rule.end(), comment.begin(), comment.end());
    DAVIT_RETURN_IF_ERROR(RunTool(std::move(rule)).status());
  }
  return absl::OkStatus();
}

absl::Status Bridge::RemoveRules() const {
  for (const char* table : {"nat", "filter"}) {
    DAVIT_ASSIGN_OR_RETURN(std::string rules, RunTool({"iptables", "-w", "-t", table, "-S"}));
    for (absl::string_view line : absl::StrSplit(rules, '\n', absl::SkipEmpty())) {
      // Our rules carry the interface's name as a comment, which has no spaces or quotes.
      if (!absl::StartsWith(line, "-A ") || !absl::StrContains(line, absl::StrCat("--comment ", name_, " "))) continue;
      std::vector<std::string> argv = {"iptables", "-w", "-t", table, "-D"};
      for (absl::string_view word : absl::StrSplit(line.substr(3), ' ', absl::SkipEmpty())) argv.emplace_back(word);
      DAVIT_RETURN_IF_ERROR(RunTool(std::move(argv)).status());
    }
  }
  return absl::OkStatus();
}

absl::Status Bridge::Remove() {
  DAVIT_RETURN_IF_ERROR(RemoveRules());
  process::SpawnOptions show;
  show.argv = {"ip", "link", "show", name_};
  DAVIT_ASSIGN_OR_RETURN(process::Completed shown, process::Run(show, kLimit));
  if (!shown.status.ok()) return absl::OkStatus();  // There is none.
  return RunTool({"ip", "link", "del", name_}).status();
}

}  // namespace davit::standalone
