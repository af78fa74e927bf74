// Publications and the order of tags. The interface and its PostgreSQL implementation's constructor.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/scheduler/store/records.h"

namespace davit::postgres {
class Pool;
}

namespace davit::scheduler {

// Thread-safe; every call may block.
class TagStore {
 public:
  // Points a tag at a digest in the registry; repeating it is harmless.
  using SetTag = absl::FunctionRef<absl::Status(absl::string_view tag, absl::string_view digest)>;

  virtual ~TagStore() = default;

  // Takes publications that are due; nobody else gets them for `hold`.
  virtual absl::StatusOr<std::vector<Publication>> Take(int limit, absl::Duration hold) = 0;

  // Sets one tag of a publication, unless a newer build owns it. The tag stays locked while `set` runs, so that whoever
  // sets it next knows that this has ended. When an earlier try may still have set it after a newer build did, the
  // newer build's is set again.
  virtual absl::StatusOr<TagOutcome> Publish(const Publication& publication, const std::string& tag, SetTag set) = 0;

  // Ends the build as its tags say (immutable tag aside), or as FAILED with `failure`; nullopt when another replica
  // has.
  virtual absl::StatusOr<std::optional<BuildState>> Finish(const Publication& publication,
                                                           const std::optional<Failure>& failure) = 0;

  // Lets a publication be taken again after `delay`.
  virtual absl::Status Postpone(const Publication& publication, absl::Duration delay, absl::string_view why) = 0;
};

// `pool` must outlive the store, and allow transactions to idle for longer than `set` takes.
std::unique_ptr<TagStore> NewPostgresTagStore(postgres::Pool& pool);

// Grants to be revoked. Thread-safe; every call may block.
class RevocationStore {
 public:
  virtual ~RevocationStore() = default;

  // Takes revocations that are due; nobody else gets them for `hold`.
  virtual absl::StatusOr<std::vector<Revocation>> Take(int limit, absl::Duration hold) = 0;
  virtual absl::Status Finish(const Revocation& revocation) = 0;
  virtual absl::Status Postpone(const Revocation& revocation, absl::Duration delay) = 0;
};

// `pool` must outlive the store.
std::unique_ptr<RevocationStore> NewPostgresRevocationStore(postgres::Pool& pool);

}  // namespace davit::scheduler
