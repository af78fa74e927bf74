// Implements handling.h.
#include "libs/http/handling.h"

#include <boost/asio/post.hpp>
#include <utility>

namespace davit::http {

Reply::Reply(boost::asio::io_context& io, std::shared_ptr<Handling> handling, ErrorRenderer render_error)
    : io_(io), render_error_(std::move(render_error)), handling_(std::move(handling)) {}

Reply::~Reply() {
  if (handling_ != nullptr) Send(render_error_(500, "internal error"));
}

void Reply::Send(ServerResponse response) {
  std::shared_ptr<Handling> handling;
  {
    absl::MutexLock lock(&mutex_);
    handling = std::exchange(handling_, nullptr);
  }
  if (handling == nullptr) return;
  if (handling->request.body_stream != nullptr) handling->request.body_stream->Close();
  boost::asio::post(io_, [handling = std::move(handling), response = std::move(response)]() mutable {
    handling->response = std::move(response);
    handling->finished.cancel();
  });
}

}  // namespace davit::http
