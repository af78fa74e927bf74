// Implements tag_publisher.h.
#include "services/scheduler/tag_publisher.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/status/status_macros.h"

namespace davit::scheduler {
namespace {

// Errors that the same try cannot get over: a refused credential, an image or a repository that is not there, an
// address that may not be used, a certificate that is not trusted.
bool IsFinal(const absl::Status& status) {
  return absl::IsUnauthenticated(status) || absl::IsPermissionDenied(status) || absl::IsNotFound(status) ||
         absl::IsInvalidArgument(status) || absl::IsFailedPrecondition(status);
}

}  // namespace

TagPublisher::TagPublisher(TagStore& tags, TagTargets& targets, RandomSource& random, TagPublisherOptions options,
                           std::function<void(const std::string& build_id)> changed, Logger logger,
                           metrics::Registry& metrics)
    : tags_(tags),
      targets_(targets),
      random_(random),
      options_(options),
      changed_(std::move(changed)),
      logger_(std::move(logger)),
      latency_(metrics.GetHistogram("davit_scheduler_publish_seconds",
                                    "From the end of a build on its agent to its tags being set.",
                                    metrics::CallSeconds())),
      postponed_(metrics.GetCounter("davit_scheduler_publish_retries_total", "Publications that were postponed.")) {}

Loop::Again TagPublisher::PublishNext() {
  const absl::StatusOr<std::vector<Publication>> taken = tags_.Take(1, options_.hold);
  if (!taken.ok()) {
    logger_.Warning("failed to look for publications", {{"error", taken.status()}});
    return Loop::Again::kLater;
  }
  if (taken->empty()) return Loop::Again::kLater;
  for (const Publication& publication : *taken) Settle(publication, SetTags(publication));
  return Loop::Again::kNow;
}

absl::Status TagPublisher::SetTags(const Publication& publication) {
  DAVIT_ASSIGN_OR_RETURN(const std::unique_ptr<TagTarget> target, targets_.Open(publication));
  for (const TagRecord& tag : publication.tags) {
    if (tag.outcome != TagOutcome::kPending) continue;
    DAVIT_RETURN_IF_ERROR(
        tags_
            .Publish(publication, tag.tag,
                     [&target](absl::string_view name, absl::string_view digest) { return target->Set(name, digest); })
            .status());
  }
  return absl::OkStatus();
}

void TagPublisher::Settle(const Publication& publication, const absl::Status& status) {
  if (status.ok()) return Finish(publication, std::nullopt);
  if (IsFinal(status)) {
    return Finish(publication, Failure{FailureClass::kUser,
                                       absl::StrCat("the tags cannot be set: ", std::string(status.message()))});
  }
  if (publication.age > options_.give_up_after) {
    return Finish(publication,
                  Failure{FailureClass::kInfrastructure,
                          absl::StrCat("the tags could not be set for ",
                                       absl::FormatDuration(absl::Trunc(publication.age, absl::Seconds(1))), ": ",
                                       std::string(status.message()))});
  }
  absl::Duration delay = options_.initial_delay;
  for (int i = 1; i < publication.attempts && delay < options_.max_delay; ++i) delay *= 2;
  delay = std::min(delay, options_.max_delay) * (1 - 0.3 * random_.Fraction());
  postponed_.Increment();
  logger_.Warning("postponed the tags of a build",
                  {{"build", publication.build_id}, {"delay", delay}, {"error", status}});
  const absl::Status postponed = tags_.Postpone(publication, delay, status.message());
  // Then the hold ends by itself.
  if (!postponed.ok()) logger_.Warning("failed to postpone a publication", {{"error", postponed}});
}

void TagPublisher::Finish(const Publication& publication, const std::optional<Failure>& failure) {
  const absl::StatusOr<std::optional<BuildState>> finished = tags_.Finish(publication, failure);
  if (!finished.ok()) {
    logger_.Warning("failed to end a publication", {{"build", publication.build_id}, {"error", finished.status()}});
    return;
  }
  if (!finished->has_value()) return;
  latency_.Observe(publication.age);
  logger_.Info(
      "build ended",
      {{"build", publication.build_id}, {"state", BuildStateName(**finished)}, {"digest", publication.digest}});
  changed_(publication.build_id);
}

}  // namespace davit::scheduler
