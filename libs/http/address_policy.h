// Which servers Davit may talk to on behalf of users: the guard against requests forged towards internal networks.
// Immutable after Create; usable from any thread.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/http/url.h"

namespace davit::http {

// Configuration of an AddressPolicy.
struct AddressPolicyOptions {
  // Exceptions, each "host", "host:port" or a CIDR block ("10.1.0.0/16", "fd00::/8"; a bare address is a host). A
  // listed host may have a private address and may be reached over plain http. An address inside a listed block may be
  // private; plain http to it needs the URL to name the address itself.
  std::vector<std::string> allowed_hosts = {};
};

// Allows https to public addresses, and to the exceptions anything. The decision about an address is made where a
// connection is opened (CheckAddress), so that a name that re-binds after an earlier check gains nothing.
class AddressPolicy {
 public:
  // The policy without exceptions: https to public addresses only.
  AddressPolicy() = default;

  // INVALID_ARGUMENT names the entry that is not a host, host:port or CIDR block.
  static absl::StatusOr<AddressPolicy> Create(const AddressPolicyOptions& options);

  // What can be known before resolving: INVALID_ARGUMENT "scheme not allowed: …" for plain http to a host that is not
  // listed and "address not allowed: …" for a URL that names a refused address (in any of the notations that resolvers
  // accept).
  absl::Status CheckUrl(const Url& url) const;

  // Whether a connection to `address` made for `host`:`port` may be opened. INVALID_ARGUMENT "address not allowed: …"
  // for loopback, private, link-local, shared (100.64.0.0/10), unique-local, multicast, reserved and unspecified
  // addresses, also as IPv4 inside IPv6, unless the host or the address is listed. Anything but IPv4 and IPv6 is
  // refused.
  absl::Status CheckAddress(absl::string_view host, uint16_t port, const sockaddr& address) const;

  // Whether `host`:`port` is listed by name (or, for a literal address, by block): it may be reached over plain http.
  bool IsAllowListed(absl::string_view host, uint16_t port) const;

 private:
  struct HostEntry {
    std::string host;
    uint16_t port;  // 0: any
  };
  struct Block {
    std::array<uint8_t, 16> prefix;  // IPv4 as v4-mapped IPv6
    int bits;
  };

  bool InAllowedBlock(const std::array<uint8_t, 16>& address) const;

  std::vector<HostEntry> hosts_;
  std::vector<Block> blocks_;
};

}  // namespace davit::http
