// Tests of address_policy.h: every range of the specification's list of refused addresses, and the exceptions.
#include "libs/http/address_policy.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

namespace davit::http {
namespace {

using ::testing::HasSubstr;

absl::Status CheckAddress(const AddressPolicy& policy, const std::string& address,
                          const std::string& host = "git.example.com", uint16_t port = 443) {
  sockaddr_in ipv4{};
  ipv4.sin_family = AF_INET;
  if (inet_pton(AF_INET, address.c_str(), &ipv4.sin_addr) == 1) {
    return policy.CheckAddress(host, port, reinterpret_cast<sockaddr&>(ipv4));
  }
  sockaddr_in6 ipv6{};
  ipv6.sin6_family = AF_INET6;
  EXPECT_EQ(inet_pton(AF_INET6, address.c_str(), &ipv6.sin6_addr), 1) << address;
  return policy.CheckAddress(host, port, reinterpret_cast<sockaddr&>(ipv6));
}

absl::Status CheckUrl(const AddressPolicy& policy, const std::string& url) { return policy.CheckUrl(*Url::Parse(url)); }

AddressPolicy Allowing(std::vector<std::string> hosts) { return *AddressPolicy::Create({std::move(hosts)}); }

class RefusedAddressTest : public ::testing::TestWithParam<const char*> {};

TEST_P(RefusedAddressTest, IsRefusedAtConnect) {
  const absl::Status status = CheckAddress(AddressPolicy(), GetParam());
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("address not allowed"));
}

TEST_P(RefusedAddressTest, IsRefusedInAUrl) {
  const std::string address = GetParam();
  const std::string host = address.find(':') == std::string::npos ? address : "[" + address + "]";
  const absl::Status status = CheckUrl(AddressPolicy(), "https://" + host + "/");
  EXPECT_THAT(std::string(status.message()), HasSubstr("address not allowed"));
}

INSTANTIATE_TEST_SUITE_P(Ranges, RefusedAddressTest,
                         ::testing::Values("0.0.0.0", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255",
                                           "127.0.0.1", "127.255.255.254", "168.63.129.16", "169.254.169.254",
                                           "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.168.0.1",
                                           "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1",
                                           "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1",
                                           "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::8.8.8.8",
                                           "64:ff9b::10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "2001::1",
                                           "2001:db8::1", "2002:7f00:1::", "3fff::1", "fc00::1", "fd12:3456::1",
                                           "fe80::1", "febf::1", "fec0::1", "ff02::1"));

class PublicAddressTest : public ::testing::TestWithParam<const char*> {};

TEST_P(PublicAddressTest, IsAllowed) { EXPECT_TRUE(CheckAddress(AddressPolicy(), GetParam()).ok()); }

INSTANTIATE_TEST_SUITE_P(Addresses, PublicAddressTest,
                         ::testing::Values("1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255",
                                           "100.128.0.0", "126.255.255.255", "128.0.0.1", "172.15.255.255",
                                           "172.32.0.0", "192.167.255.255", "192.169.0.0", "198.17.255.255",
                                           "198.20.0.0", "223.255.255.255", "140.82.121.3", "2606:4700::1111",
                                           "2a00:1450:4001::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"));

TEST(AddressPolicyTest, RefusesOtherNotationsOfLoopback) {
  for (const char* host :
       {"2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "a.localhost", "LOCALHOST."}) {
    EXPECT_THAT(std::string(CheckUrl(AddressPolicy(), std::string("https://") + host + "/").message()),
                HasSubstr("address not allowed"))
        << host;
  }
}

TEST(AddressPolicyTest, RefusesTheMetadataServiceOverPlainHttpByItsAddress) {
  EXPECT_THAT(std::string(CheckUrl(AddressPolicy(), "http://169.254.169.254/").message()),
              HasSubstr("address not allowed"));
}

TEST(AddressPolicyTest, RefusesPlainHttpUnlessTheHostIsListed) {
  EXPECT_THAT(std::string(CheckUrl(AddressPolicy(), "http://git.example.com/").message()),
              HasSubstr("scheme not allowed"));
  EXPECT_TRUE(CheckUrl(AddressPolicy(), "https://git.example.com/").ok());
  EXPECT_TRUE(CheckUrl(Allowing({"git.example.com"}), "http://git.example.com:3000/").ok());
}

TEST(AddressPolicyTest, AListedHostMayHaveAPrivateAddress) {
  const AddressPolicy policy = Allowing({"Git.Internal"});
  EXPECT_TRUE(CheckAddress(policy, "10.0.0.1", "git.internal").ok());
  EXPECT_FALSE(CheckAddress(policy, "10.0.0.1", "other.internal").ok());
  EXPECT_FALSE(CheckAddress(policy, "10.0.0.1", "git.internal.example.com").ok());
}

TEST(AddressPolicyTest, AListedPortExcludesOthers) {
  const AddressPolicy policy = Allowing({"127.0.0.1:5000", "[::1]:5000"});
  EXPECT_TRUE(CheckUrl(policy, "http://127.0.0.1:5000/").ok());
  EXPECT_TRUE(CheckUrl(policy, "http://[::1]:5000/").ok());
  EXPECT_FALSE(CheckUrl(policy, "http://127.0.0.1:5001/").ok());
  EXPECT_FALSE(CheckUrl(policy, "http://[::1]:5001/").ok());
  EXPECT_FALSE(CheckUrl(policy, "http://127.0.0.1/").ok());
}

TEST(AddressPolicyTest, AListedBlockAllowsItsAddressesUnderAnyName) {
  const AddressPolicy policy = Allowing({"10.1.0.0/16", "fd00:1::/32"});
  EXPECT_TRUE(CheckAddress(policy, "10.1.2.3").ok());
  EXPECT_TRUE(CheckAddress(policy, "::ffff:10.1.2.3").ok());
  EXPECT_FALSE(CheckAddress(policy, "10.2.0.1").ok());
  EXPECT_TRUE(CheckAddress(policy, "fd00:1::5").ok());
  EXPECT_FALSE(CheckAddress(policy, "fd00:2::5").ok());
  EXPECT_TRUE(CheckUrl(policy, "http://10.1.2.3/").ok());
  EXPECT_FALSE(CheckUrl(policy, "http://git.example.com/").ok());
}

TEST(AddressPolicyTest, RefusesOtherAddressFamilies) {
  sockaddr address{};
  address.sa_family = AF_UNIX;
  EXPECT_FALSE(AddressPolicy().CheckAddress("a", 443, address).ok());
}

TEST(AddressPolicyTest, NamesTheEntryThatIsWrong) {
  for (const char* entry : {"", "a b", "10.0.0.0/33", "10.0.0/8", "::/129", "host:0", "host:99999", "host:", "/8",
                            "10.0.0.0/-1", "https://a"}) {
    const absl::Status status = AddressPolicy::Create({{entry}}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << entry;
  }
}

}  // namespace
}  // namespace davit::http
