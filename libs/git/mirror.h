// One mirror on disk: a directory of git objects and the list of commits that are complete in it. There are no refs and
// there is no checkout. Its locks make it safe between threads and processes; a Mirror object itself belongs to one
// thread.
//
//   STORE/KEY/objects/pack/…   packs, each written whole or not at all
//   STORE/KEY/heads            `ID COMMIT full|shallow` a line, last fetched first; its time is the mirror's last use
//   STORE/KEY.pin              shared by readers, exclusive for who deletes or merges packs
//   STORE/KEY.fetch            exclusive for who fetches
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/git/file_lock.h"
#include "libs/git/object_id.h"
#include "libs/git/object_store.h"

namespace davit::git {

// A commit that is complete in the mirror: with all of its tree, and with its history unless shallow.
struct Head {
  // What was asked for: the commit, or an annotated tag of it.
  ObjectId id;
  ObjectId commit;
  bool shallow = false;
};

class Mirror {
 public:
  // `store_directory` exists; `key` names the mirror in it. Touches nothing.
  Mirror(std::string store_directory, std::string key);

  const std::string& key() const { return key_; }

  // Pins the mirror and opens its objects. NOT_FOUND when it does not exist.
  absl::StatusOr<std::unique_ptr<ObjectStore>> Open(std::shared_ptr<SizeCache> sizes) const;

  // Makes an empty mirror unless it exists. The caller holds the fetch lock.
  absl::Status Create() const;

  // The complete commits, last fetched first; lines that make no sense are left out.
  std::vector<Head> ReadHeads() const;

  // Puts a commit in front of the list, after its pack was committed. The caller holds the fetch lock.
  absl::Status RecordHead(const Head& head) const;

  // Notes that the mirror was used now.
  void Touch() const;

  // Takes the fetch lock without waiting; UNAVAILABLE when another holds it.
  absl::StatusOr<FileLock> TryLockForFetch() const;

  // Merges small packs once there are many and removes what a crash left, if nobody reads right now. The caller holds
  // the fetch lock.
  absl::Status Tidy() const;

  // Deletes the mirror's files. The caller holds the fetch lock. Readers that remain may see DATA_LOSS.
  absl::Status Delete() const;

  // The same, but only when nobody reads or fetches: UNAVAILABLE then.
  absl::Status DeleteIfUnused() const;

 private:
  std::string directory() const;
  std::string objects_directory() const;
  std::string heads_path() const;
  std::string pin_path() const;

  const std::string store_directory_;
  const std::string key_;
};

}  // namespace davit::git
