// Implements metrics.h over prometheus-cpp.
#include "libs/metrics/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace davit::metrics {

void Counter::Increment(double by) { counter_->Increment(by); }

void Gauge::Set(double value) { gauge_->Set(value); }

void Gauge::Add(double by) { gauge_->Increment(by); }

void Histogram::Observe(double value) { histogram_->Observe(value); }

std::vector<double> CallSeconds() {
  return {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
}

std::vector<double> JobSeconds() { return {1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200}; }

Registry::Registry() : registry_(std::make_shared<prometheus::Registry>()) {}

Registry::~Registry() = default;

Counter Registry::GetCounter(absl::string_view name, absl::string_view help, const Labels& labels) {
  absl::MutexLock lock(&mutex_);
  prometheus::Counter*& counter = counters_[Key(name, labels)];
  if (counter == nullptr) {
    counter =
        &prometheus::BuildCounter().Name(std::string(name)).Help(std::string(help)).Register(*registry_).Add(labels);
  }
  return Counter(*counter);
}

Gauge Registry::GetGauge(absl::string_view name, absl::string_view help, const Labels& labels) {
  absl::MutexLock lock(&mutex_);
  prometheus::Gauge*& gauge = gauges_[Key(name, labels)];
  if (gauge == nullptr) {
    gauge = &prometheus::BuildGauge().Name(std::string(name)).Help(std::string(help)).Register(*registry_).Add(labels);
  }
  return Gauge(*gauge);
}

Histogram Registry::GetHistogram(absl::string_view name, absl::string_view help, const std::vector<double>& bounds,
                                 const Labels& labels) {
  absl::MutexLock lock(&mutex_);
  prometheus::Histogram*& histogram = histograms_[Key(name, labels)];
  if (histogram == nullptr) {
    histogram = &prometheus::BuildHistogram()
                     .Name(std::string(name))
                     .Help(std::string(help))
                     .Register(*registry_)
                     .Add(labels, bounds);
  }
  return Histogram(*histogram);
}

std::string Registry::ServeText() const { return prometheus::TextSerializer().Serialize(registry_->Collect()); }

}  // namespace davit::metrics
