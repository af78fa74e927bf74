// Counters, gauges and histograms in Prometheus' model, without its headers. Everything here is safe from any thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
class Registry;
}  // namespace prometheus

namespace davit::metrics {

// Label names and values. Values must come from small fixed sets (codes, states, method names), never from users.
using Labels = std::map<std::string, std::string>;

// A number that only grows. A cheap handle; the Registry owns the value.
class Counter {
 public:
  explicit Counter(prometheus::Counter& counter) : counter_(&counter) {}
  void Increment(double by = 1);

 private:
  prometheus::Counter* counter_;
};

// A number that goes up and down. A cheap handle; the Registry owns the value.
class Gauge {
 public:
  explicit Gauge(prometheus::Gauge& gauge) : gauge_(&gauge) {}
  void Set(double value);
  void Add(double by);

 private:
  prometheus::Gauge* gauge_;
};

// Counts observations in buckets. A cheap handle; the Registry owns the value.
class Histogram {
 public:
  explicit Histogram(prometheus::Histogram& histogram) : histogram_(&histogram) {}
  void Observe(double value);

  // Observes a duration in seconds.
  void Observe(absl::Duration value) { Observe(absl::ToDoubleSeconds(value)); }

 private:
  prometheus::Histogram* histogram_;
};

// Bucket bounds in seconds for calls: 1 ms to 30 s.
std::vector<double> CallSeconds();

// Bucket bounds in seconds for builds and queues: 1 s to 2 h.
std::vector<double> JobSeconds();

// All metrics of a process. Asking again for a name and labels gives the same metric, and costs little. Names follow
// Prometheus' conventions: davit_<service>_<what>_<unit>, counters end in _total. Must outlive its handles.
class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  Counter GetCounter(absl::string_view name, absl::string_view help, const Labels& labels = {});
  Gauge GetGauge(absl::string_view name, absl::string_view help, const Labels& labels = {});
  Histogram GetHistogram(absl::string_view name, absl::string_view help, const std::vector<double>& bounds,
                         const Labels& labels = {});

  // Everything in Prometheus' text format.
  std::string ServeText() const;

  // For the Exposer.
  std::shared_ptr<prometheus::Registry> shared() const { return registry_; }

 private:
  using Key = std::pair<std::string, Labels>;

  std::shared_ptr<prometheus::Registry> registry_;
  // What was asked for before: prometheus-cpp looks through all families, name by name.
  absl::Mutex mutex_;
  std::map<Key, prometheus::Counter*> counters_ ABSL_GUARDED_BY(mutex_);
  std::map<Key, prometheus::Gauge*> gauges_ ABSL_GUARDED_BY(mutex_);
  std::map<Key, prometheus::Histogram*> histograms_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace davit::metrics
