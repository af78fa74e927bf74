// Makes the BuildKit inside a Docker engine look like a stand-alone buildkitd. Thread-safe; has threads of its own.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace davit::buildkit {

// Listens on a unix socket for plain HTTP/2 and carries every connection to the engine's /grpc, upgraded: so that tests
// of the ordinary channel run against a real BuildKit.
class EngineFront {
 public:
  EngineFront(const std::string& listen_path, std::string engine_socket);
  // Ends every connection.
  ~EngineFront();
  EngineFront(const EngineFront&) = delete;
  EngineFront& operator=(const EngineFront&) = delete;

 private:
  void Accept();
  void Carry(int from, int to);

  const std::string engine_socket_;
  int listener_ = -1;
  std::thread acceptor_;
  absl::Mutex mutex_;
  std::vector<int> sockets_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> carriers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace davit::buildkit
