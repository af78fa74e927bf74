// Tests of metrics.h and exposer.h.
#include "libs/metrics/metrics.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libs/metrics/exposer.h"

namespace davit::metrics {
namespace {

using ::testing::HasSubstr;

std::string Get(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) return "";
  const std::string request = "GET /metrics HTTP/1.0\r\n\r\n";
  EXPECT_EQ(write(fd, request.data(), request.size()), static_cast<ssize_t>(request.size()));
  std::string response;
  char buffer[4096];
  for (ssize_t got = 0; (got = read(fd, buffer, sizeof(buffer))) > 0;) response.append(buffer, got);
  close(fd);
  return response;
}

TEST(MetricsTest, AskingAgainGivesTheSameMetric) {
  Registry registry;
  registry.GetCounter("davit_test_total", "Tests.", {{"code", "OK"}}).Increment();
  registry.GetCounter("davit_test_total", "Tests.", {{"code", "OK"}}).Increment(2);
  registry.GetGauge("davit_test_depth", "Depth.").Set(5);
  registry.GetGauge("davit_test_depth", "Depth.").Add(-2);
  registry.GetHistogram("davit_test_seconds", "Time.", CallSeconds()).Observe(absl::Milliseconds(3));
  const std::string text = registry.ServeText();
  EXPECT_THAT(text, HasSubstr("davit_test_total{code=\"OK\"} 3"));
  EXPECT_THAT(text, HasSubstr("davit_test_depth 3"));
  EXPECT_THAT(text, HasSubstr("davit_test_seconds_bucket{le=\"0.005\"} 1"));
}

TEST(ExposerTest, ServesTheRegistryOverHttp) {
  Registry registry;
  registry.GetCounter("davit_scrapes_total", "Scrapes.").Increment();
  auto exposer = Exposer::Start("127.0.0.1:0", registry);
  ASSERT_TRUE(exposer.ok()) << exposer.status();
  EXPECT_THAT(Get((*exposer)->port()), HasSubstr("davit_scrapes_total 1"));
}

TEST(ExposerTest, AnImpossibleAddressIsAnError) {
  Registry registry;
  EXPECT_EQ(Exposer::Start("nowhere", registry).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace davit::metrics
