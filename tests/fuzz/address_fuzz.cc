// Fuzzes the guard against private addresses. The input is an IPv4 (4 bytes) or IPv6 (16 bytes) address.
#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "libs/http/address_policy.h"
#include "libs/http/url.h"
#include "tests/fuzz/check.h"

namespace {

constexpr char kName[] = "example.com";

bool Allows(const sockaddr_in& address) {
  return davit::http::AddressPolicy().CheckAddress(kName, 443, reinterpret_cast<const sockaddr&>(address)).ok();
}

bool Allows(const sockaddr_in6& address) {
  return davit::http::AddressPolicy().CheckAddress(kName, 443, reinterpret_cast<const sockaddr&>(address)).ok();
}

// Whether a URL with the address in place of a name is allowed.
bool AllowsLiteral(const std::string& host) {
  const absl::StatusOr<davit::http::Url> url = davit::http::Url::Parse(absl::StrCat("https://", host, "/"));
  FUZZ_CHECK(url.ok());
  return davit::http::AddressPolicy().CheckUrl(*url).ok();
}

void TryV4(const uint8_t* bytes) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  std::memcpy(&address.sin_addr, bytes, 4);
  sockaddr_in6 mapped = {};
  mapped.sin6_family = AF_INET6;
  mapped.sin6_addr.s6_addr[10] = mapped.sin6_addr.s6_addr[11] = 0xff;
  std::memcpy(mapped.sin6_addr.s6_addr + 12, bytes, 4);
  // The address inside the v6 form is judged no milder.
  if (!Allows(address)) FUZZ_CHECK(!Allows(mapped));
  char text[INET6_ADDRSTRLEN];
  FUZZ_CHECK(inet_ntop(AF_INET, bytes, text, sizeof text) != nullptr);
  FUZZ_CHECK(AllowsLiteral(text) == Allows(address));
  const bool near = bytes[0] == 0 || bytes[0] == 10 || bytes[0] == 127 || bytes[0] >= 224 ||
                    (bytes[0] == 192 && bytes[1] == 168) || (bytes[0] == 169 && bytes[1] == 254) ||
                    (bytes[0] == 172 && (bytes[1] & 0xf0) == 16) || (bytes[0] == 100 && (bytes[1] & 0xc0) == 64);
  if (near) FUZZ_CHECK(!Allows(address));
}

void TryV6(const uint8_t* bytes) {
  sockaddr_in6 address = {};
  address.sin6_family = AF_INET6;
  std::memcpy(&address.sin6_addr, bytes, 16);
  char text[INET6_ADDRSTRLEN];
  FUZZ_CHECK(inet_ntop(AF_INET6, bytes, text, sizeof text) != nullptr);
  FUZZ_CHECK(AllowsLiteral(absl::StrCat("[", text, "]")) == Allows(address));
  const bool near = (bytes[0] & 0xfe) == 0xfc || bytes[0] == 0xff || (bytes[0] == 0xfe && (bytes[1] & 0x80) == 0x80);
  if (near) FUZZ_CHECK(!Allows(address));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size >= 16) {
    TryV6(data);
  } else if (size >= 4) {
    TryV4(data);
  }
  return 0;
}
