// Sends signed GitHub pushes to a gateway over kept-open connections, from two threads as pgbench does with -j 2, and
// prints one line of JSON: how many were answered 200, how many otherwise, and the latencies of the answers. Standard
// input lists the webhooks, `PATH SECRET` a line; they are used in turn. Every push is a delivery, a commit and a
// signature of its own.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>
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

constexpr size_t kThreads = 2;
constexpr double kMostPerSecond = 25000;  // more than any gateway takes on two cores

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

// Everything that is sent, made before the clock starts, so that the sender costs little beside what it measures.
class Requests {
 public:
  Requests(const std::vector<Webhook>& webhooks, const std::string& run, size_t count) {
    requests_.reserve(count);
    for (size_t i = 0; i < count; ++i) {
      requests_.push_back(Request(webhooks[i % webhooks.size()], run, static_cast<int64_t>(i)));
    }
  }

  // The next request with its number; null when all are sent.
  const std::string* Next(size_t& number) {
    number = next_++;
    return number < requests_.size() ? &requests_[number] : nullptr;
  }

 private:
  std::vector<std::string> requests_;
  std::atomic<size_t> next_ = 0;
};

// A connection to the gateway with one delivery at a time, made again when it breaks.
class Connection {
 public:
  explicit Connection(int port) : port_(port) { Open(); }
  ~Connection() { close(socket_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int socket() const { return socket_; }
  bool busy() const { return busy_; }
  Clock::time_point due() const { return due_; }

  // Returns whether the request is on its way; else the connection is a new one.
  bool Send(const std::string& request, Clock::time_point due) {
    due_ = due;
    answer_.clear();
    size_t sent = 0;
    while (sent < request.size()) {
      const ssize_t some = send(socket_, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
      if (some <= 0) {
        Open();
        return false;
      }
      sent += static_cast<size_t>(some);
    }
    busy_ = true;
    return true;
  }

  // Reads what has come; the status line when the answer is complete, "" when the connection broke.
  std::optional<std::string> Receive() {
    char buffer[4096];
    const ssize_t got = recv(socket_, buffer, sizeof buffer, 0);
    if (got <= 0) {
      Open();
      busy_ = false;
      return "";
    }
    answer_.append(buffer, static_cast<size_t>(got));
    const size_t end = EndOf(answer_);
    if (end == std::string::npos || answer_.size() < end) return std::nullopt;
    busy_ = false;
    return answer_.substr(0, answer_.find('\r'));
  }

 private:
  void Open() {
    if (socket_ >= 0) close(socket_);
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port_));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) std::perror("connect");
  }

  // Where an answer with all its header fields ends; npos while they are not all there.
  static size_t EndOf(const std::string& answer) {
    const size_t blank = answer.find("\r\n\r\n");
    if (blank == std::string::npos) return blank;
    const size_t field = answer.find("Content-Length: ");
    int64_t length = 0;
    if (field < blank) {
      const size_t value = field + 16;
      static_cast<void>(absl::SimpleAtoi(answer.substr(value, answer.find('\r', value) - value), &length));
    }
    return blank + 4 + static_cast<size_t>(length);
  }

  const int port_;
  int socket_ = -1;
  bool busy_ = false;
  Clock::time_point due_;
  std::string answer_;
};

// The deliveries of one thread over its connections.
class Sender {
 public:
  Sender(Requests& requests, size_t connections, Clock::time_point begin, Clock::time_point end)
      : requests_(requests), begin_(begin), end_(end), rate_(absl::GetFlag(FLAGS_rate)) {
    for (size_t i = 0; i < connections; ++i) {
      connections_.push_back(std::make_unique<Connection>(absl::GetFlag(FLAGS_port)));
    }
  }

  // Delivers until the end; what is under way then is waited for and not counted.
  Tally Run() {
    Feed();
    while (Busy() > 0 || (waiting_ != nullptr && Clock::now() < end_)) {
      Await();
      Feed();
    }
    return std::move(tally_);
  }

 private:
  // Gives the idle connections what is due. At a fixed rate a delivery's latency counts from when it was due, so that
  // waiting for a free connection is not left out.
  void Feed() {
    for (const auto& connection : connections_) {
      if (connection->busy()) continue;
      if (waiting_ == nullptr) {
        size_t number = 0;
        waiting_ = requests_.Next(number);
        due_ = begin_ + std::chrono::duration_cast<Clock::duration>(
                            std::chrono::duration<double>(rate_ > 0 ? static_cast<double>(number) / rate_ : 0));
      }
      const Clock::time_point now = Clock::now();
      if (waiting_ == nullptr || now >= end_ || due_ >= end_) {
        waiting_ = nullptr;
        return;
      }
      if (due_ > now) return;
      const Clock::time_point due = rate_ > 0 ? due_ : now;
      if (!connection->Send(*waiting_, due)) Count("", due);
      waiting_ = nullptr;
    }
  }

  // Waits for answers, or until the next delivery is due.
  void Await() {
    std::vector<pollfd> sockets;
    std::vector<Connection*> busy;
    for (const auto& connection : connections_) {
      if (!connection->busy()) continue;
      sockets.push_back({connection->socket(), POLLIN, 0});
      busy.push_back(connection.get());
    }
    timespec timeout = {};
    const bool idle = busy.size() < connections_.size() && waiting_ != nullptr;
    if (idle) {
      const auto left = std::max(Clock::duration::zero(), due_ - Clock::now());
      timeout.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(left).count();
      timeout.tv_nsec = static_cast<long>(
          std::chrono::duration_cast<std::chrono::nanoseconds>(left % std::chrono::seconds(1)).count());
    }
    if (ppoll(sockets.data(), sockets.size(), idle ? &timeout : nullptr, nullptr) <= 0) return;
    for (size_t i = 0; i < busy.size(); ++i) {
      if (sockets[i].revents == 0) continue;
      if (const std::optional<std::string> status = busy[i]->Receive()) Count(*status, busy[i]->due());
    }
  }

  void Count(const std::string& status, Clock::time_point due) {
    const Clock::time_point now = Clock::now();
    if (now >= end_) return;
    if (absl::StartsWith(status, "HTTP/1.1 200")) {
      tally_.milliseconds.push_back(std::chrono::duration<double, std::milli>(now - due).count());
    } else if (tally_.refused++ == 0) {
      tally_.first_refusal = status;
    }
  }

  size_t Busy() const {
    return static_cast<size_t>(std::count_if(connections_.begin(), connections_.end(),
                                             [](const auto& connection) { return connection->busy(); }));
  }

  Requests& requests_;
  const Clock::time_point begin_;
  const Clock::time_point end_;
  const double rate_;
  std::vector<std::unique_ptr<Connection>> connections_;
  const std::string* waiting_ = nullptr;  // not sent yet, and due at due_
  Clock::time_point due_;
  Tally tally_;
};

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
  const double seconds = absl::GetFlag(FLAGS_seconds);
  const double rate = absl::GetFlag(FLAGS_rate);
  const double most = rate > 0 ? rate * seconds : kMostPerSecond * seconds;
  Requests requests(webhooks, absl::GetFlag(FLAGS_run), static_cast<size_t>(most) + 1);
  const auto connections = static_cast<size_t>(absl::GetFlag(FLAGS_connections));
  std::vector<Tally> tallies(std::min(connections, kThreads));
  const Clock::time_point begin = Clock::now();
  const Clock::time_point end =
      begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  std::vector<std::thread> threads;
  for (size_t i = 0; i < tallies.size(); ++i) {
    const size_t share = connections / tallies.size() + (i < connections % tallies.size() ? 1 : 0);
    threads.emplace_back([&, share, into = &tallies[i]] { *into = Sender(requests, share, begin, end).Run(); });
  }
  for (std::thread& thread : threads) thread.join();
  const double took = seconds;
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
