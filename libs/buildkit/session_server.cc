// HTTP/2 by nghttp2 in memory, gRPC's framing by hand: each message is a byte 0 (not compressed), its length in four
// bytes and itself; a call ends with trailers that hold its status.
#include "libs/buildkit/session_server.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <list>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"

namespace davit::buildkit {
namespace {

constexpr size_t kFrameHeaderBytes = 5;
// BuildKit's own limit for a message.
constexpr uint32_t kMaxMessageBytes = 16 << 20;
// What may wait for a handler that does not read, and for a client that does not.
constexpr size_t kMaxUnreadBytes = 32 << 20;
constexpr size_t kMaxUnsentBytes = 1 << 20;
// Held back at most while more is to follow: a few full HTTP/2 frames.
constexpr size_t kPieceBytes = 64 << 10;
constexpr size_t kMaxMetadataBytes = 1 << 20;
constexpr size_t kMaxExplanationBytes = 4 << 10;
constexpr uint32_t kMaxCalls = 64;

// gRPC's percent encoding of a status message, cut to what fits into trailers.
std::string EncodeMessage(absl::string_view message) {
  std::string encoded;
  for (const unsigned char byte : message.substr(0, kMaxExplanationBytes)) {
    if (byte >= 0x20 && byte <= 0x7e && byte != '%') {
      encoded += static_cast<char>(byte);
    } else {
      absl::StrAppendFormat(&encoded, "%%%02X", byte);
    }
  }
  return encoded;
}

nghttp2_nv Header(absl::string_view name, absl::string_view value) {
  return {reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

// The length of the message whose frame begins at `bytes`, of which there are at least kFrameHeaderBytes.
uint32_t MessageLength(absl::string_view bytes) {
  uint32_t length = 0;
  for (size_t i = 1; i < kFrameHeaderBytes; ++i) length = length << 8 | static_cast<uint8_t>(bytes[i]);
  return length;
}

void AppendFramed(absl::string_view message, std::string* out) {
  const auto length = static_cast<uint32_t>(message.size());
  const std::array<char, kFrameHeaderBytes> header = {0, static_cast<char>(length >> 24),
                                                      static_cast<char>(length >> 16), static_cast<char>(length >> 8),
                                                      static_cast<char>(length)};
  out->append(header.data(), header.size());
  out->append(message.data(), message.size());
}

}  // namespace

// The connection and its calls. nghttp2's callbacks run under mutex_, within Receive and TakeOutput.
class SessionServer::Connection {
 public:
  explicit Connection(std::map<std::string, Handler> methods) : methods_(std::move(methods)) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, &Connection::OnBeginHeaders);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, &Connection::OnHeader);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &Connection::OnFrame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &Connection::OnData);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, &Connection::OnFrameSent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &Connection::OnStreamClose);
    nghttp2_session_server_new(&session_, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    const std::array<nghttp2_settings_entry, 1> settings = {{{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, kMaxCalls}}};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  }

  ~Connection() {
    Close();
    for (Worker& worker : workers_) worker.thread.join();
    nghttp2_session_del(session_);
  }

  absl::Status Receive(absl::string_view bytes) {
    absl::MutexLock lock(&mutex_);
    if (closed_) return absl::UnavailableError("the session is closed");
    const ssize_t taken =
        nghttp2_session_mem_recv(session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
    if (taken < 0) return absl::UnavailableError(absl::StrCat("HTTP/2: ", nghttp2_strerror(static_cast<int>(taken))));
    return absl::OkStatus();
  }

  bool TakeOutput(std::string* bytes, size_t limit) {
    bytes->clear();
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(this, &Connection::HasOutput));
    while (!closed_ && bytes->size() < limit) {
      const uint8_t* data = nullptr;
      const ssize_t size = nghttp2_session_mem_send(session_, &data);
      if (size < 0) closed_ = true;
      if (size <= 0) break;
      bytes->append(reinterpret_cast<const char*>(data), size);
    }
    return !closed_;
  }

  void Close() {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
    for (auto& [id, call] : calls_) call->over = true;
  }

 private:
  // A call; the fields that change are guarded by the connection's mutex.
  class Call final : public ServerCall {
   public:
    Call(Connection& connection, int32_t id) : id(id), connection_(connection) {}

    const std::multimap<std::string, std::string>& metadata() const override { return headers; }

    bool Read(std::string* message) override {
      absl::MutexLock lock(&connection_.mutex_);
      connection_.mutex_.Await(absl::Condition(this, &Call::HasMessage));
      if (over || messages.empty()) return false;
      *message = std::move(messages.front());
      messages.pop_front();
      unread_bytes -= message->size();
      return true;
    }

    bool Write(absl::string_view message, bool more_follows) override {
      AppendFramed(message, &held_back_);
      if (more_follows && held_back_.size() < kPieceBytes) return true;
      absl::MutexLock lock(&connection_.mutex_);
      connection_.mutex_.Await(absl::Condition(this, &Call::HasRoom));
      if (over) return false;
      if (sent > kMaxUnsentBytes) unsent.erase(0, std::exchange(sent, 0));
      unsent += held_back_;
      held_back_.clear();
      connection_.Resume(*this);
      return true;
    }

    // Ends the call with the handler's status, after all that it wrote.
    void Finish(const absl::Status& status) {
      absl::MutexLock lock(&connection_.mutex_);
      finished = true;
      code = std::to_string(static_cast<int>(status.code()));
      explanation = EncodeMessage(status.message());
      if (over) return;
      unsent += held_back_;
      connection_.Resume(*this);
    }

    const int32_t id;
    std::string path;
    // Complete before the handler starts.
    std::multimap<std::string, std::string> headers;
    size_t metadata_bytes = 0;
    std::string partial;  // bytes of messages that are not complete
    std::deque<std::string> messages;
    size_t unread_bytes = 0;
    bool half_closed = false;  // the client has sent all
    std::string unsent;        // from `sent` on
    size_t sent = 0;
    bool deferred = false;  // nghttp2 found nothing to send
    bool finished = false;
    std::string code;
    std::string explanation;
    bool over = false;  // nothing can be received or sent any more

   private:
    bool HasMessage() const { return over || half_closed || !messages.empty(); }
    bool HasRoom() const { return over || unsent.size() - sent < kMaxUnsentBytes; }

    Connection& connection_;
    std::string held_back_;  // of the writing thread
  };

  // A handler's thread.
  struct Worker {
    std::shared_ptr<Call> call;
    std::thread thread;
    bool done = false;
  };

  static Connection& Self(void* data) { return *static_cast<Connection*>(data); }

  bool HasOutput() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return closed_ || nghttp2_session_want_write(session_) != 0;
  }

  void Resume(Call& call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!std::exchange(call.deferred, false)) return;
    nghttp2_session_resume_data(session_, call.id);
  }

  Call* Find(int32_t id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto it = calls_.find(id);
    return it == calls_.end() ? nullptr : it->second.get();
  }

  static int OnBeginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* data) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    Connection& self = Self(data);
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    self.calls_[frame->hd.stream_id] = std::make_shared<Call>(self, frame->hd.stream_id);
    return 0;
  }

  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_size,
                      const uint8_t* value, size_t value_size, uint8_t, void* data) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    Call* call = Self(data).Find(frame->hd.stream_id);
    if (call == nullptr || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    call->metadata_bytes += name_size + value_size;
    if (call->metadata_bytes > kMaxMetadataBytes) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    std::string key(reinterpret_cast<const char*>(name), name_size);
    std::string text(reinterpret_cast<const char*>(value), value_size);
    if (key == ":path") call->path = text;
    if (!absl::StartsWith(key, ":")) call->headers.emplace(std::move(key), std::move(text));
    return 0;
  }

  static int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* data) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    Connection& self = Self(data);
    Call* call = self.Find(frame->hd.stream_id);
    if (call == nullptr) return 0;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) self.Begin(call->id);
    const bool carries = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (carries && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) call->half_closed = true;
    return 0;
  }

  static int OnData(nghttp2_session* session, uint8_t, int32_t id, const uint8_t* bytes, size_t size,
                    void* data) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    Call* call = Self(data).Find(id);
    if (call == nullptr) return 0;
    call->partial.append(reinterpret_cast<const char*>(bytes), size);
    absl::string_view rest = call->partial;
    while (rest.size() >= kFrameHeaderBytes) {
      const uint32_t length = MessageLength(rest);
      if (rest[0] != 0 || length > kMaxMessageBytes || call->unread_bytes + length > kMaxUnreadBytes) {
        return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_ENHANCE_YOUR_CALM);
      }
      if (rest.size() < kFrameHeaderBytes + length) break;
      call->messages.emplace_back(rest.substr(kFrameHeaderBytes, length));
      call->unread_bytes += length;
      rest.remove_prefix(kFrameHeaderBytes + length);
    }
    call->partial.erase(0, call->partial.size() - rest.size());
    return 0;
  }

  // gRPC's servers end the client's half as well once the trailers are out.
  static int OnFrameSent(nghttp2_session* session, const nghttp2_frame* frame, void*) {
    const int32_t id = frame->hd.stream_id;
    if (frame->hd.type == NGHTTP2_HEADERS && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 &&
        nghttp2_session_get_stream_remote_close(session, id) == 0) {
      return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_NO_ERROR);
    }
    return 0;
  }

  static int OnStreamClose(nghttp2_session*, int32_t id, uint32_t, void* data) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    Connection& self = Self(data);
    if (Call* call = self.Find(id); call != nullptr) call->over = true;
    self.calls_.erase(id);
    return 0;
  }

  // Gives nghttp2 what a call has to send, and its trailers at the end.
  static ssize_t OnSend(nghttp2_session* session, int32_t id, uint8_t* buffer, size_t size, uint32_t* flags,
                        nghttp2_data_source*, void* data) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    Call* call = Self(data).Find(id);
    if (call == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    const size_t count = std::min(size, call->unsent.size() - call->sent);
    std::copy_n(call->unsent.data() + call->sent, count, buffer);
    call->sent += count;
    if (call->sent == call->unsent.size()) {
      call->unsent.clear();
      call->sent = 0;
      if (call->finished) {
        *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
        const std::array<nghttp2_nv, 2> trailers = {Header("grpc-status", call->code),
                                                    Header("grpc-message", call->explanation)};
        if (nghttp2_submit_trailer(session, id, trailers.data(), trailers.size()) != 0) {
          return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        }
      } else if (count == 0) {
        call->deferred = true;
        return NGHTTP2_ERR_DEFERRED;
      }
    }
    return static_cast<ssize_t>(count);
  }

  // Starts the handler of a call whose headers are complete.
  void Begin(int32_t id) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    workers_.remove_if([](Worker& worker) {
      if (worker.done) worker.thread.join();
      return worker.done;
    });
    const std::shared_ptr<Call> call = calls_[id];
    const std::array<nghttp2_nv, 2> headers = {Header(":status", "200"), Header("content-type", "application/grpc")};
    nghttp2_data_provider provider = {};
    provider.read_callback = &Connection::OnSend;
    nghttp2_submit_response(session_, id, headers.data(), headers.size(), &provider);
    workers_.push_back({call, {}, false});
    Worker& worker = workers_.back();
    worker.thread = std::thread([this, &worker] { Serve(worker); });
  }

  void Serve(Worker& worker) ABSL_LOCKS_EXCLUDED(mutex_) {
    Call& call = *worker.call;
    const auto method = methods_.find(call.path);
    call.Finish(method == methods_.end() ? absl::UnimplementedError(absl::StrCat("no method ", call.path))
                                         : method->second(call));
    absl::MutexLock lock(&mutex_);
    worker.done = true;
  }

  const std::map<std::string, Handler> methods_;
  absl::Mutex mutex_;
  nghttp2_session* session_ ABSL_GUARDED_BY(mutex_) ABSL_PT_GUARDED_BY(mutex_) = nullptr;
  std::map<int32_t, std::shared_ptr<Call>> calls_ ABSL_GUARDED_BY(mutex_);
  // Those that are done are joined when the next one starts.
  std::list<Worker> workers_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

SessionServer::SessionServer(std::map<std::string, Handler> methods)
    : connection_(std::make_unique<Connection>(std::move(methods))) {}

SessionServer::~SessionServer() = default;

absl::Status SessionServer::Receive(absl::string_view bytes) { return connection_->Receive(bytes); }

bool SessionServer::TakeOutput(std::string* bytes, size_t limit) { return connection_->TakeOutput(bytes, limit); }

void SessionServer::Close() { connection_->Close(); }

}  // namespace davit::buildkit
