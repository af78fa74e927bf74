// Implements exposer.h over prometheus-cpp's HTTP server.
#include "libs/metrics/exposer.h"

#include <prometheus/exposer.h>
#include <prometheus/registry.h>

#include <exception>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"

namespace davit::metrics {

absl::StatusOr<std::unique_ptr<Exposer>> Exposer::Start(absl::string_view address, const Registry& registry) {
  try {
    auto exposer = std::make_unique<prometheus::Exposer>(std::string(address), 2);
    exposer->RegisterCollectable(registry.shared());
    const auto ports = exposer->GetListeningPorts();
    const int port = ports.empty() ? 0 : ports.front();
    return absl::WrapUnique(new Exposer(std::move(exposer), port));
  } catch (const std::exception& error) {
    return absl::InvalidArgumentError(
        absl::StrCat("metrics_listen: cannot listen on \"", address, "\" (host:port): ", error.what()));
  }
}

Exposer::Exposer(std::unique_ptr<prometheus::Exposer> exposer, int port) : exposer_(std::move(exposer)), port_(port) {}

Exposer::~Exposer() = default;

}  // namespace davit::metrics
