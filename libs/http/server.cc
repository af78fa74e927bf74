// Implements server.h with Boost.Beast and coroutines. Everything of Impl runs on the one I/O thread unless it says
// otherwise.
#include "libs/http/server.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <limits>
#include <optional>
#include <thread>
#include <unordered_set>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "libs/http/handling.h"
#include "libs/http/server_messages.h"
#include "libs/http/session.h"
#include "libs/http/stream_pump.h"
#include "libs/rpc/executor.h"

namespace davit::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;
using Tcp = asio::ip::tcp;
using Parser = Session::Parser;
using StreamParser = beast::http::request_parser<beast::http::buffer_body>;

const auto kUse = asio::as_tuple(asio::use_awaitable);
constexpr size_t kBodyPiece = 64 << 10;
constexpr size_t kBodyPipe = 512 << 10;                // of a streamed body, read and not handled yet
constexpr std::chrono::milliseconds kAcceptPause(50);  // after accept failed, for example without file descriptors

// Lets a pool's threads run a handler. A handler must not throw; if one does, its responder goes and so answers 500.
AsyncHandler OnPool(rpc::Executor& pool, Handler handler) {
  return [&pool, handler = std::move(handler)](const ServerRequest& request, Responder respond) {
    pool.Submit([&request, &handler, respond = std::move(respond)] {
          try {
            respond(handler(request));
          } catch (...) {
            return;
          }
        })
        .IgnoreError();
  };
}

}  // namespace

class Server::Impl {
 public:
  Impl(ServerOptions options, AsyncHandler handler)
      : options_(std::move(options)),
        handler_(std::move(handler)),
        max_handled_(std::max(options_.handler_threads, 1) + std::max(options_.max_waiting_requests, 0)),
        acceptor_(io_),
        session_ended_(io_, std::chrono::steady_clock::time_point::max()),
        work_(asio::make_work_guard(io_)) {
    if (!options_.render_error) options_.render_error = &RenderText;
    if (!options_.plan) {
      options_.plan = [limit = options_.body_limit](const ServerRequest&) { return RequestPlan{.body_limit = limit}; };
    }
  }

  ~Impl() { Drain(absl::ZeroDuration()); }

  // Before Start: the pool that the handler runs on, which ends with the server.
  void Keep(std::unique_ptr<rpc::Executor> pool) { pool_ = std::move(pool); }

  // Any thread, once.
  absl::Status Start() {
    absl::StatusOr<Tcp::endpoint> endpoint = ParseListen(options_.listen);
    if (!endpoint.ok()) return endpoint.status();
    error_code error;
    acceptor_.open(endpoint->protocol(), error);
    if (!error) acceptor_.set_option(Tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(*endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) return absl::UnavailableError(absl::StrCat("cannot listen on ", options_.listen, ": ", error.message()));
    port_ = acceptor_.local_endpoint().port();
    asio::co_spawn(io_, Accept(), asio::detached);
    io_thread_ = std::thread([this] { io_.run(); });
    return absl::OkStatus();
  }

  uint16_t port() const { return port_; }

  // Any thread.
  void Drain(absl::Duration patience) {
    absl::MutexLock once(&drain_mutex_);
    if (!io_thread_.joinable()) return;
    asio::post(io_, [this] {
      draining_ = true;
      error_code ignored;
      acceptor_.close(ignored);
      session_ended_.cancel();
      for (Session* session : sessions_) {
        if (session->idle) session->Close();
      }
      for (BytePipe* stream : streams_) stream->End();
    });
    {
      absl::MutexLock lock(&count_mutex_);
      count_mutex_.AwaitWithTimeout(absl::Condition(this, &Impl::NoSessions), patience);
    }
    asio::post(io_, [this] {
      for (Session* session : sessions_) session->Close();
    });
    if (pool_ != nullptr) pool_->Drain();
    {
      absl::MutexLock lock(&count_mutex_);
      count_mutex_.Await(absl::Condition(this, &Impl::NoSessions));
    }
    work_.reset();
    io_thread_.join();
  }

 private:
  // A part of the memory that bodies may take, given back at the end of its life.
  class Reservation {
   public:
    Reservation(int64_t& total, int64_t bytes) : total_(total), bytes_(bytes) { total_ += bytes_; }
    ~Reservation() { total_ -= bytes_; }
    Reservation(const Reservation&) = delete;
    Reservation& operator=(const Reservation&) = delete;

   private:
    int64_t& total_;
    const int64_t bytes_;
  };

  // Registers a session for as long as it lives.
  class Registration {
   public:
    Registration(Impl& impl, Session& session) : impl_(impl), session_(session) { impl_.sessions_.insert(&session); }
    ~Registration() {
      impl_.sessions_.erase(&session_);
      impl_.session_ended_.cancel();
      absl::MutexLock lock(&impl_.count_mutex_);
      --impl_.session_count_;
    }

   private:
    Impl& impl_;
    Session& session_;
  };

  bool NoSessions() const ABSL_NO_THREAD_SAFETY_ANALYSIS { return session_count_ == 0; }

  asio::awaitable<void> Accept() {
    while (!draining_) {
      if (static_cast<int>(sessions_.size()) >= options_.max_connections) {
        co_await session_ended_.async_wait(kUse);
        continue;
      }
      auto [error, socket] = co_await acceptor_.async_accept(kUse);
      if (draining_) break;
      if (error) {
        asio::steady_timer pause(io_, kAcceptPause);
        co_await pause.async_wait(kUse);
        continue;
      }
      error_code gone;
      const Tcp::endpoint peer = socket.remote_endpoint(gone);
      if (gone) continue;
      socket.set_option(Tcp::no_delay(true), gone);
      socket.non_blocking(true, gone);
      if (gone) continue;
      {
        absl::MutexLock lock(&count_mutex_);
        ++session_count_;
      }
      asio::co_spawn(io_, Serve(std::move(socket), peer.address().to_string()), asio::detached);
    }
  }

  asio::awaitable<void> Serve(Tcp::socket socket, std::string remote_address) {
    Session session(std::move(socket), std::move(remote_address), options_);
    Registration registration(*this, session);
    bool keep = true;
    while (keep && !session.closed) keep = co_await ServeOne(session);
  }

  // Reads and answers one request; false when the connection is to be closed.
  asio::awaitable<bool> ServeOne(Session& session) {
    if (draining_ || !co_await session.AwaitRequest()) co_return false;
    Parser parser;
    parser.header_limit(static_cast<uint32_t>(options_.header_limit));
    parser.body_limit(boost::none);  // the plan says it
    if (const error_code error = co_await session.ReadHeader(parser); error) {
      co_await Refuse(session, error, 0);
      co_return false;
    }
    ServerRequest request = HeadOf(parser.get(), session.remote_address);
    RequestPlan plan = options_.plan(request);
    const int64_t body_bytes = BodyBytes(parser, plan);
    if (!plan.refusal.has_value() && body_bytes > plan.body_limit) {
      co_await Refuse(session, beast::http::make_error_code(beast::http::error::body_limit), plan.body_limit);
      co_return false;
    }
    const bool streamed = plan.body == RequestPlan::Body::kStreamed;
    if (!streamed && buffered_bytes_ + body_bytes > options_.max_buffered_bytes) plan.refusal = Busy();
    if (plan.refusal.has_value()) {
      const bool keep = parser.is_done() && parser.keep_alive() && !draining_;
      const bool kept = co_await Write(session, *std::move(plan.refusal), keep, IsHead(parser));
      if (!keep) co_await session.Linger(draining_);
      co_return kept;
    }
    Reservation reservation(buffered_bytes_, streamed ? 0 : body_bytes);
    parser.body_limit(static_cast<uint64_t>(plan.body_limit));
    if (beast::iequals(parser.get()[beast::http::field::expect], "100-continue") && !parser.is_done()) {
      Session::Response go_on(beast::http::status::continue_, 11);
      if (co_await session.Send(go_on, /*header_only=*/false)) co_return false;
    }
    const bool keep_alive = parser.keep_alive();
    const bool head_only = IsHead(parser);
    if (streamed) co_return co_await ServeStreamed(session, std::move(request), parser, plan.body_limit);
    if (const error_code error = co_await session.ReadBody(parser); error) {
      co_await Refuse(session, error, plan.body_limit);
      co_return false;
    }
    request.body = std::move(parser.get().body());
    ServerResponse response = co_await Outcome(Handle(std::move(request)));
    co_return co_await Write(session, std::move(response), keep_alive && !draining_, head_only);
  }

  // Lets the handler run while the body is read into its pipe.
  asio::awaitable<bool> ServeStreamed(Session& session, ServerRequest request, Parser& head, int64_t body_limit) {
    StreamParser parser(std::move(head));
    const auto pipe = std::make_shared<BytePipe>(kBodyPipe);
    request.body_stream = pipe;
    std::shared_ptr<Handling> handling = Handle(std::move(request));
    const error_code error = co_await ReadIntoPipe(session, parser, pipe);
    if (error == beast::http::error::body_limit) {
      pipe->Abort(absl::ResourceExhaustedError(absl::StrCat("body over ", HumanBytes(body_limit))));
    } else if (error) {
      pipe->Abort(absl::UnavailableError("the peer stopped sending"));
    }
    ServerResponse response = co_await Outcome(std::move(handling));
    if (error) {
      co_await Refuse(session, error, body_limit);
      co_return false;
    }
    const bool whole = parser.is_done();  // else the handler has answered without reading it all
    const bool kept = co_await Write(session, std::move(response), whole && parser.keep_alive() && !draining_, false);
    if (!whole) co_await session.Linger(draining_);
    co_return kept;
  }

  // Reads a body until its end, or until its reader closes the pipe.
  asio::awaitable<error_code> ReadIntoPipe(Session& session, StreamParser& parser, std::shared_ptr<BytePipe> pipe) {
    const auto room = std::make_shared<asio::steady_timer>(io_, std::chrono::steady_clock::time_point::max());
    while (!parser.is_done()) {
      std::string piece(kBodyPiece, '\0');
      parser.get().body().data = piece.data();
      parser.get().body().size = piece.size();
      parser.get().body().more = true;
      session.stream.expires_after(TimeLimit(options_.body_timeout));
      auto [error, size] = co_await beast::http::async_read_some(session.stream, session.buffer, parser, kUse);
      if (error && error != beast::http::error::need_buffer) co_return error;
      piece.resize(piece.size() - parser.get().body().size);
      const BytePipe::State state = pipe->Write(std::move(piece));
      if (state == BytePipe::State::kClosed) break;
      if (state == BytePipe::State::kReady) continue;
      auto has_room = std::make_shared<bool>(false);
      pipe->WhenRoom([this, room, has_room] {
        asio::post(io_, [room, has_room] {
          *has_room = true;
          room->cancel();
        });
      });
      while (!*has_room) co_await room->async_wait(kUse);
    }
    session.stream.expires_never();
    pipe->End();
    co_return error_code();
  }

  // Lets the handler have the request, unless there are too many already.
  std::shared_ptr<Handling> Handle(ServerRequest request) {
    auto handling = std::make_shared<Handling>(io_);
    handling->request = std::move(request);
    if (handled_ >= max_handled_) {
      handling->response = Busy();
      if (handling->request.body_stream != nullptr) handling->request.body_stream->Close();
      return handling;
    }
    handling->taken = true;
    ++handled_;
    const auto reply = std::make_shared<Reply>(io_, handling, options_.render_error);
    handler_(handling->request, [reply](ServerResponse response) { reply->Send(std::move(response)); });
    return handling;
  }

  asio::awaitable<ServerResponse> Outcome(std::shared_ptr<Handling> handling) {
    while (!handling->response.has_value()) co_await handling->finished.async_wait(kUse);
    if (handling->taken) --handled_;
    co_return *std::move(handling->response);
  }

  ServerResponse Busy() const {
    ServerResponse busy = options_.render_error(503, "server is busy; try again");
    busy.headers.Set("Retry-After", "1");
    return busy;
  }

  // The most that the body may take: what it announces, or the limit when it comes in chunks.
  static int64_t BodyBytes(const Parser& parser, const RequestPlan& plan) {
    if (const auto announced = parser.content_length()) {
      return static_cast<int64_t>(std::min<uint64_t>(*announced, std::numeric_limits<int64_t>::max()));
    }
    return parser.chunked() ? plan.body_limit : 0;
  }

  static bool IsHead(const Parser& parser) { return parser.get().method() == beast::http::verb::head; }

  asio::awaitable<bool> Write(Session& session, ServerResponse response, bool keep_alive, bool head_only) {
    if (response.stream.has_value()) {
      const bool room = static_cast<int>(streams_.size()) < options_.max_streams;
      if (room && !head_only) {
        co_await WriteStream(session, std::move(response));
        co_return false;
      }
      response.stream->pipe->Close();
      if (!room) response = Busy();
    }
    Session::Response message(static_cast<beast::http::status>(response.status), 11);
    for (const auto& [name, value] : response.headers.fields()) message.insert(name, value);
    message.set(beast::http::field::date, HttpDate());
    message.body() = std::move(response.body);
    message.keep_alive(keep_alive);
    message.prepare_payload();
    const error_code error = co_await session.Send(message, head_only);
    if (!error && !keep_alive) {
      error_code ignored;
      session.stream.socket().shutdown(Tcp::socket::shutdown_send, ignored);
    }
    co_return !error && keep_alive;
  }

  // Sends a response whose body comes from a pipe, to its end.
  asio::awaitable<void> WriteStream(Session& session, ServerResponse response) {
    const StreamedBody body = *std::move(response.stream);
    streams_.insert(body.pipe.get());
    if (draining_) body.pipe->End();
    beast::http::response<beast::http::empty_body> head(static_cast<beast::http::status>(response.status), 11);
    for (const auto& [name, value] : response.headers.fields()) head.insert(name, value);
    head.set(beast::http::field::date, HttpDate());
    head.keep_alive(false);
    head.chunked(true);
    beast::http::response_serializer<beast::http::empty_body> serializer(head);
    session.stream.expires_after(TimeLimit(options_.write_timeout));
    auto [error, size] = co_await beast::http::async_write_header(session.stream, serializer, kUse);
    if (!error) co_await PumpStream(io_, session.stream, body, options_.write_timeout);
    body.pipe->Close();
    streams_.erase(body.pipe.get());
  }

  // Answers a request that could not be read, when there is something to answer.
  asio::awaitable<void> Refuse(Session& session, error_code error, int64_t body_limit) {
    int status = 400;
    std::string message = "malformed request";
    if (error == beast::http::error::body_limit) {
      status = 413;
      message = absl::StrCat("body over ", HumanBytes(body_limit));
    } else if (error == beast::http::error::header_limit || error == beast::http::error::buffer_overflow) {
      status = 431;
      message = absl::StrCat("header over ", HumanBytes(options_.header_limit));
    } else if (error.category() != beast::http::make_error_code(beast::http::error::bad_method).category() ||
               error == beast::http::error::end_of_stream || error == beast::http::error::partial_message) {
      co_return;  // the peer has gone, or took too long: then Beast has closed the socket
    }
    ServerResponse response = options_.render_error(status, message);
    co_await Write(session, std::move(response), /*keep_alive=*/false, /*head_only=*/false);
    co_await session.Linger(draining_);
  }

  ServerOptions options_;
  const AsyncHandler handler_;
  const int max_handled_;
  std::unique_ptr<rpc::Executor> pool_;  // null when the handler has threads of its own
  uint16_t port_ = 0;

  asio::io_context io_{1};
  Tcp::acceptor acceptor_;
  asio::steady_timer session_ended_;  // cancelled when a session ends
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::unordered_set<Session*> sessions_;
  std::unordered_set<BytePipe*> streams_;  // of responses that are being sent
  bool draining_ = false;
  int64_t buffered_bytes_ = 0;
  int handled_ = 0;  // requests that the handler has and has not answered

  absl::Mutex count_mutex_;
  int session_count_ ABSL_GUARDED_BY(count_mutex_) = 0;
  absl::Mutex drain_mutex_;
  std::thread io_thread_;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() = default;

absl::StatusOr<std::unique_ptr<Server>> Server::Start(ServerOptions options, Handler handler) {
  // The server itself bounds how many wait.
  auto pool = std::make_unique<rpc::Executor>("http handlers", std::max(options.handler_threads, 1),
                                              std::numeric_limits<int>::max());
  auto impl = std::make_unique<Impl>(std::move(options), OnPool(*pool, std::move(handler)));
  impl->Keep(std::move(pool));
  if (absl::Status started = impl->Start(); !started.ok()) return started;
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(ServerOptions options, AsyncHandler handler) {
  auto impl = std::make_unique<Impl>(std::move(options), std::move(handler));
  if (absl::Status started = impl->Start(); !started.ok()) return started;
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

uint16_t Server::port() const { return impl_->port(); }

void Server::Drain(absl::Duration patience) { impl_->Drain(patience); }

}  // namespace davit::http
