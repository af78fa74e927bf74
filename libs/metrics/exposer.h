// Serves a metrics registry over HTTP for Prometheus to scrape. Owns the listening socket and its threads.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/metrics/metrics.h"

namespace prometheus {
class Exposer;
}

namespace davit::metrics {

// Serves GET /metrics until it is destroyed. It holds no secrets and asks for no credential: listen on an address that
// only the scraper reaches.
class Exposer {
 public:
  // Listens on `address` ("127.0.0.1:9464"; port 0 takes a free one). INVALID_ARGUMENT if that is impossible.
  static absl::StatusOr<std::unique_ptr<Exposer>> Start(absl::string_view address, const Registry& registry);
  ~Exposer();

  int port() const { return port_; }

 private:
  Exposer(std::unique_ptr<prometheus::Exposer> exposer, int port);

  std::unique_ptr<prometheus::Exposer> exposer_;
  const int port_;
};

}  // namespace davit::metrics
