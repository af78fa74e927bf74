// Sends signed GitHub pushes to a gateway over kept-open connections, one thread each, and prints one line of JSON:
// how many were answered 200, how many otherwise, and the latencies of the answers. Standard input lists the webhooks,
// `PATH SECRET` a line; they are used in turn. Every push is a delivery, a commit and a signature of its own.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/crypto/hash.h"

ABSL_FLAG(int, port, 0, "Port of the gateway on 127.0.0.1.");
ABSL_FLAG(int, connections, 16, "Connections, each with one delivery at a time.");
ABSL_FLAG(double, seconds, 10, "For how long.");
ABSL_FLAG(double, rate, 0, "Deliveries a second, evenly spread; 0 = as many as are answered.");
ABSL_FLAG(std::string, run, "r", "A word that makes this run's delivery ids its own.");

namespace {

using Clock = std::chrono::steady_clock;

struct Webhook {
  std::string path;
  std::string secret;
};

// What a connection saw.
struct Tally {
  std::vector<double> milliseconds;  // of deliveries that were answered 200
  int64_t refused = 0;
  std::string first_refusal;
};

// A connection to the gateway, made again when it breaks.
class Connection {
 public:
  explicit Connection(int port) : port_(port) { Open(); }
  ~Connection() { close(socket_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Sends a request; returns the status line of the answer, "" when there is none.
  std::string Exchange(const std::string& request) {
    if (send(socket_, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
      return Reopen();
    }
    std::string answer;
    char buffer[4096];
    size_t end = std::string::npos;
    while (end == std::string::npos || answer.size() < end) {
      const ssize_t got = recv(socket_, buffer, sizeof buffer, 0);
      if (got <= 0) return Reopen();
      answer.append(buffer, static_cast<size_t>(got));
      if (end == std::string::npos) end = EndOf(answer);
    }
    return answer.substr(0, answer.find('\r'));
  }

 private:
  void Open() {
    socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port_));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) std::perror("connect");
  }

  std::string Reopen() {
    close(socket_);
    Open();
    return "";
  }

  // Where an answer with all its header fields ends; npos while they are not all there.
  static size_t EndOf(const std::string& answer) {
    const size_t blank = answer.find("\r\n\r\n");
    if (blank == std::string::npos) return blank;
    const std::string head = absl::AsciiStrToLower(answer.substr(0, blank));
    const size_t field = head.find("content-length:");
    int64_t length = 0;
    if (field != std::string::npos) {
      static_cast<void>(absl::SimpleAtoi(head.substr(field + 15, head.find('\r', field) - field - 15), &length));
    }
    return blank + 4 + static_cast<size_t>(length);
  }

  const int port_;
  int socket_ = -1;
};

// A push with one commit, as large as GitHub's of a small change.
std::string PushBody(int64_t number) {
  const std::string commit = absl::StrCat(absl::Hex(number, absl::kZeroPad16), std::string(24, 'c'));
  const std::string user = R"({"name":"octocat","email":"octocat@example.com","username":"octocat"})";
  return absl::StrCat(R"({"ref":"refs/heads/branch-)", number % 997, R"(","before":")", std::string(40, '0'),
                      R"(","after":")", commit, R"(","repository":{"id":35129377,"name":"app","full_name":"team/app)",
                      number % 101, R"(","private":false,"owner":)", user,
                      R"(,"html_url":"https://github.example/team/app","description":")", std::string(200, 'd'),
                      R"(","fork":false},"pusher":)", user, R"(,"created":false,"deleted":false,"forced":false,)",
                      R"("compare":"https://github.example/team/app/compare/a...b","commits":[{"id":")", commit,
                      R"(","message":"Change a line\n\nAnd say why.","timestamp":"2026-01-02T03:04:05Z","author":)",
                      user, R"(,"committer":)", user,
                      R"(,"added":[],"removed":[],"modified":["src/main.c","README.md"]}],"head_commit":{"id":")",
                      commit, R"("}})");
}

std::string Request(const Webhook& webhook, const std::string& run, int64_t number) {
  const std::string body = PushBody(number);
  return absl::StrCat(
      "POST ", webhook.path, " HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: GitHub-Hookshot/load\r\n",
      "Content-Type: application/json\r\nX-GitHub-Event: push\r\nX-GitHub-Delivery: ", run, "-", number,
      "\r\nX-Hub-Signature-256: sha256=", absl::BytesToHexString(davit::crypto::HmacSha256(webhook.secret, body)),
      "\r\nContent-Length: ", body.size(), "\r\n\r\n", body);
}

// Delivers until `end`. At a fixed rate a delivery's latency counts from when it was due, so that waiting for the one
// before it is not left out.
Tally Deliver(const std::vector<Webhook>& webhooks, std::atomic<int64_t>& next, Clock::time_point begin,
              Clock::time_point end) {
  const double rate = absl::GetFlag(FLAGS_rate);
  const std::string run = absl::GetFlag(FLAGS_run);
  Connection connection(absl::GetFlag(FLAGS_port));
  Tally tally;
  while (true) {
    const int64_t number = next++;
    Clock::time_point due = Clock::now();
    if (rate > 0) {
      due = begin + std::chrono::duration_cast<Clock::duration>(
                        std::chrono::duration<double>(static_cast<double>(number) / rate));
      std::this_thread::sleep_until(std::min(due, end));
    }
    if (std::max(due, Clock::now()) >= end) return tally;
    const std::string request = Request(webhooks[static_cast<size_t>(number) % webhooks.size()], run, number);
    const std::string status = connection.Exchange(request);
    if (absl::StartsWith(status, "HTTP/1.1 200")) {
      tally.milliseconds.push_back(std::chrono::duration<double, std::milli>(Clock::now() - due).count());
    } else if (tally.refused++ == 0) {
      tally.first_refusal = status;
    }
  }
}

double Percentile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1, static_cast<size_t>(share * static_cast<double>(sorted.size())))];
}

}  // namespace

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  std::vector<Webhook> webhooks;
  for (Webhook webhook; std::cin >> webhook.path >> webhook.secret;) webhooks.push_back(webhook);
  if (webhooks.empty()) {
    std::fputs("no webhooks on standard input\n", stderr);
    return 2;
  }
  const auto connections = static_cast<size_t>(absl::GetFlag(FLAGS_connections));
  std::vector<Tally> tallies(connections);
  std::atomic<int64_t> next = 0;
  const Clock::time_point begin = Clock::now();
  const Clock::time_point end =
      begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(absl::GetFlag(FLAGS_seconds)));
  std::vector<std::thread> threads;
  for (Tally& tally : tallies) {
    threads.emplace_back([&, into = &tally] { *into = Deliver(webhooks, next, begin, end); });
  }
  for (std::thread& thread : threads) thread.join();
  const double took = std::chrono::duration<double>(Clock::now() - begin).count();
  std::vector<double> all;
  int64_t refused = 0;
  std::string first_refusal;
  for (const Tally& tally : tallies) {
    all.insert(all.end(), tally.milliseconds.begin(), tally.milliseconds.end());
    refused += tally.refused;
    if (first_refusal.empty()) first_refusal = tally.first_refusal;
  }
  std::sort(all.begin(), all.end());
  std::printf(
      "{\"accepted\": %zu, \"refused\": %lld, \"first_refusal\": \"%s\", \"seconds\": %.3f, \"per_second\": %.1f, "
      "\"p50_ms\": %.2f, \"p99_ms\": %.2f, \"max_ms\": %.2f}\n",
      all.size(), static_cast<long long>(refused), first_refusal.c_str(), took, static_cast<double>(all.size()) / took,
      Percentile(all, 0.5), Percentile(all, 0.99), all.empty() ? 0 : all.back());
  return 0;
}
