// Implements address_policy.h. The refused blocks are those of the IANA special-purpose address registries.
#include "libs/http/address_policy.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace davit::http {
namespace {

using Address = std::array<uint8_t, 16>;  // IPv4 as ::ffff:a.b.c.d

constexpr int kMappedBits = 96;

struct RefusedBlock {
  const char* prefix;
  int bits;
  const char* meaning;
};

constexpr RefusedBlock kRefusedIpv4[] = {
    {"0.0.0.0", 8, "unspecified"},    {"10.0.0.0", 8, "private"},        {"100.64.0.0", 10, "shared"},
    {"127.0.0.0", 8, "loopback"},     {"168.63.129.16", 32, "metadata"}, {"169.254.0.0", 16, "link-local"},
    {"172.16.0.0", 12, "private"},    {"192.0.0.0", 24, "reserved"},     {"192.0.2.0", 24, "reserved"},
    {"192.88.99.0", 24, "reserved"},  {"192.168.0.0", 16, "private"},    {"198.18.0.0", 15, "reserved"},
    {"198.51.100.0", 24, "reserved"}, {"203.0.113.0", 24, "reserved"},   {"224.0.0.0", 4, "multicast"},
    {"240.0.0.0", 4, "reserved"},
};

// Only 2000::/3 is public; these are its exceptions.
constexpr RefusedBlock kRefusedIpv6[] = {
    {"2001::", 23, "reserved"},
    {"2001:db8::", 32, "reserved"},
    {"2002::", 16, "reserved"},
    {"3fff::", 20, "reserved"},
};

// Names for the most common addresses outside 2000::/3; the rest is "reserved".
constexpr RefusedBlock kNamedIpv6[] = {
    {"::", 128, "unspecified"},   {"::1", 128, "loopback"},  {"fc00::", 7, "unique-local"},
    {"fe80::", 10, "link-local"}, {"fec0::", 10, "private"}, {"ff00::", 8, "multicast"},
};

Address Mapped(const void* ipv4) {
  Address address{};
  address[10] = address[11] = 0xff;
  std::memcpy(&address[12], ipv4, 4);
  return address;
}

std::optional<Address> ParseAddress(const std::string& text) {
  in_addr ipv4;
  if (inet_pton(AF_INET, text.c_str(), &ipv4) == 1) return Mapped(&ipv4);
  Address address;
  if (inet_pton(AF_INET6, text.c_str(), address.data()) == 1) return address;
  return std::nullopt;
}

// As ParseAddress, but also the notations of IPv4 that resolvers accept: 127.1, 2130706433, 0x7f000001, 0177.0.0.1.
std::optional<Address> ParseAnyNotation(const std::string& text) {
  if (std::optional<Address> address = ParseAddress(text)) return address;
  in_addr ipv4;
  if (inet_aton(text.c_str(), &ipv4) == 1) return Mapped(&ipv4);
  return std::nullopt;
}

bool HasPrefix(const Address& address, const Address& prefix, int bits) {
  for (int i = 0; i < bits; i += 8) {
    const uint8_t mask = bits - i >= 8 ? 0xff : static_cast<uint8_t>(0xff << (8 - (bits - i)));
    if ((address[i / 8] & mask) != (prefix[i / 8] & mask)) return false;
  }
  return true;
}

bool InBlock(const Address& address, const char* prefix, int bits) {
  const Address parsed = *ParseAddress(prefix);
  return HasPrefix(address, parsed, std::strchr(prefix, ':') == nullptr ? bits + kMappedBits : bits);
}

// What kind of non-public address it is; null for a public one.
const char* RefusedMeaning(Address address) {
  if (InBlock(address, "64:ff9b::", 96))
    address = Mapped(&address[12]);  // NAT64: what counts is the IPv4 address inside
  if (InBlock(address, "0.0.0.0", 0)) {
    for (const RefusedBlock& block : kRefusedIpv4) {
      if (InBlock(address, block.prefix, block.bits)) return block.meaning;
    }
    return nullptr;
  }
  for (const RefusedBlock& block : kRefusedIpv6) {
    if (InBlock(address, block.prefix, block.bits)) return block.meaning;
  }
  if (InBlock(address, "2000::", 3)) return nullptr;
  for (const RefusedBlock& block : kNamedIpv6) {
    if (InBlock(address, block.prefix, block.bits)) return block.meaning;
  }
  return "reserved";
}

absl::Status Refuse(absl::string_view host, absl::string_view meaning) {
  return absl::InvalidArgumentError(
      absl::StrCat("address not allowed: ", host, " (", meaning, "); an operator can allow-list the host"));
}

bool IsLocalhost(absl::string_view host) { return host == "localhost" || absl::EndsWith(host, ".localhost"); }

absl::Status BadEntry(absl::string_view entry) {
  return absl::InvalidArgumentError(
      absl::StrCat("allowed_hosts: ", entry, " is not a host, host:port or CIDR block (10.0.0.0/8)"));
}

bool IsHost(absl::string_view host) {
  if (ParseAddress(std::string(host))) return true;
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '.' || c == '_';
  });
}

}  // namespace

absl::StatusOr<AddressPolicy> AddressPolicy::Create(const AddressPolicyOptions& options) {
  AddressPolicy policy;
  for (const std::string& given : options.allowed_hosts) {
    const std::string entry = absl::AsciiStrToLower(absl::StripAsciiWhitespace(given));
    if (const size_t slash = entry.find('/'); slash != std::string::npos) {
      const std::optional<Address> prefix = ParseAddress(entry.substr(0, slash));
      int bits = 0;
      if (!prefix || !absl::SimpleAtoi(entry.substr(slash + 1), &bits) || bits < 0) return BadEntry(given);
      const bool ipv4 = entry.find(':') == std::string::npos;
      if (bits > (ipv4 ? 32 : 128)) return BadEntry(given);
      policy.blocks_.push_back({*prefix, ipv4 ? bits + kMappedBits : bits});
      continue;
    }
    HostEntry host{entry, 0};
    if (!ParseAddress(entry)) {
      int port = 0;
      if (const size_t colon = entry.rfind(':'); colon != std::string::npos) {
        host.host = entry.substr(0, colon);
        if (!absl::SimpleAtoi(entry.substr(colon + 1), &port) || port < 1 || port > 65535) return BadEntry(given);
        host.port = static_cast<uint16_t>(port);
      }
      if (absl::StartsWith(host.host, "[") && absl::EndsWith(host.host, "]")) {
        host.host = host.host.substr(1, host.host.size() - 2);
      }
    }
    if (!IsHost(host.host)) return BadEntry(given);
    policy.hosts_.push_back(std::move(host));
  }
  return policy;
}

bool AddressPolicy::InAllowedBlock(const Address& address) const {
  return std::any_of(blocks_.begin(), blocks_.end(),
                     [&address](const Block& block) { return HasPrefix(address, block.prefix, block.bits); });
}

bool AddressPolicy::IsAllowListed(absl::string_view host, uint16_t port) const {
  const std::string name = absl::AsciiStrToLower(host);
  for (const HostEntry& entry : hosts_) {
    if (entry.host == name && (entry.port == 0 || entry.port == port)) return true;
  }
  const std::optional<Address> address = ParseAnyNotation(name);
  return address && InAllowedBlock(*address);
}

absl::Status AddressPolicy::CheckUrl(const Url& url) const {
  if (IsAllowListed(url.host, url.port)) return absl::OkStatus();
  if (const std::optional<Address> address = ParseAnyNotation(url.host)) {
    if (const char* meaning = RefusedMeaning(*address)) return Refuse(url.host, meaning);
  }
  if (IsLocalhost(url.host)) return Refuse(url.host, "loopback");
  if (url.scheme != "https") {
    return absl::InvalidArgumentError(absl::StrCat("scheme not allowed: ", url.scheme, " to ", url.Authority(),
                                                   "; use https://, or an operator can allow-list the host"));
  }
  return absl::OkStatus();
}

absl::Status AddressPolicy::CheckAddress(absl::string_view host, uint16_t port, const sockaddr& address) const {
  Address parsed;
  if (address.sa_family == AF_INET) {
    parsed = Mapped(&reinterpret_cast<const sockaddr_in&>(address).sin_addr);
  } else if (address.sa_family == AF_INET6) {
    std::memcpy(parsed.data(), &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, parsed.size());
  } else {
    return Refuse(host, "not an internet address");
  }
  if (IsAllowListed(host, port) || InAllowedBlock(parsed)) return absl::OkStatus();
  if (const char* meaning = RefusedMeaning(parsed)) return Refuse(host, meaning);
  return absl::OkStatus();
}

}  // namespace davit::http
