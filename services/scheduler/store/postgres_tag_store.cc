// Implements tag_store.h on PostgreSQL.
#include "absl/strings/str_cat.h"
#include "libs/postgres/pool.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"
#include "services/scheduler/queries.h"
#include "services/scheduler/store/rows.h"
#include "services/scheduler/store/tag_store.h"
#include "services/scheduler/store/transitions.h"

namespace davit::scheduler {
namespace {

using ::davit::postgres::ReadText;
using ::davit::postgres::Scope;
using ::davit::postgres::Transaction;

absl::StatusOr<std::vector<TagRecord>> LoadTags(Transaction& transaction, const std::string& build_id) {
  DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kSelectPublicationTags, build_id));
  std::vector<TagRecord> tags;
  for (const pqxx::row& row : rows) {
    tags.push_back({ReadText(row["tag"]), static_cast<TagOutcome>(row["outcome"].as<int>())});
  }
  return tags;
}

class PostgresTagStore : public TagStore {
 public:
  explicit PostgresTagStore(postgres::Pool& pool) : pool_(pool) {}

  absl::StatusOr<std::vector<Publication>> Take(int limit, absl::Duration hold) override {
    return pool_.Transact(
        Scope::AllProjects(), [&](Transaction& transaction) -> absl::StatusOr<std::vector<Publication>> {
          DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kTakePublications, limit, hold));
          std::vector<Publication> publications;
          for (const pqxx::row& row : rows) {
            Publication publication;
            publication.build_id = ReadText(row["build_id"]);
            publication.project = ReadText(row["project"]);
            publication.sequence = row["sequence"].as<int64_t>();
            publication.image_repository = ReadText(row["image_repository"]);
            publication.registry_credential_id = ReadText(row["registry_credential_id"]);
            publication.digest = ReadText(row["digest"]);
            publication.attempts = row["attempts"].as<int>();
            publication.age = absl::Seconds(row["age_seconds"].as<double>());
            DAVIT_ASSIGN_OR_RETURN(publication.tags, LoadTags(transaction, publication.build_id));
            publications.push_back(std::move(publication));
          }
          return publications;
        });
  }

  absl::StatusOr<TagOutcome> Publish(const Publication& publication, const std::string& tag, SetTag set) override {
    // In a transaction of its own: the row must be there for everyone before it can be locked.
    DAVIT_RETURN_IF_ERROR(pool_.Transact(Scope::AllProjects(), [&](Transaction& transaction) {
      return transaction.Execute(queries::kEnsureTagHead, publication.image_repository, tag, publication.project)
          .status();
    }));
    bool may_have_set = publication.attempts > 1;
    return pool_.Transact(Scope::AllProjects(), [&](Transaction& transaction) -> absl::StatusOr<TagOutcome> {
      DAVIT_ASSIGN_OR_RETURN(const pqxx::result head,
                             transaction.Execute(queries::kLockTagHead, publication.image_repository, tag));
      if (head.empty()) return absl::AbortedError(absl::StrCat("the record of tag ", tag, " has just been removed"));
      const TagOutcome outcome = DecideTag(publication.sequence, head[0]["sequence"].as<int64_t>());
      if (outcome == TagOutcome::kSet) {
        may_have_set = true;  // Also for another round of this transaction.
        DAVIT_RETURN_IF_ERROR(set(tag, publication.digest));
        DAVIT_RETURN_IF_ERROR(transaction
                                  .Execute(queries::kMoveTagHead, publication.image_repository, tag,
                                           publication.project, publication.sequence, publication.build_id,
                                           publication.digest)
                                  .status());
      } else if (may_have_set) {
        const absl::Status repaired = set(tag, ReadText(head[0]["digest"]));
        // A newer image that was deleted since cannot be pointed at, and is no fault of this build.
        if (!repaired.ok() && !absl::IsNotFound(repaired)) return repaired;
      }
      DAVIT_RETURN_IF_ERROR(
          transaction.Execute(queries::kRecordTagOutcome, publication.build_id, tag, static_cast<int>(outcome))
              .status());
      return outcome;
    });
  }

  absl::StatusOr<std::optional<BuildState>> Finish(const Publication& publication,
                                                   const std::optional<Failure>& failure) override {
    return pool_.Transact(
        Scope::AllProjects(), [&](Transaction& transaction) -> absl::StatusOr<std::optional<BuildState>> {
          DAVIT_ASSIGN_OR_RETURN(const pqxx::result finished,
                                 transaction.Execute(queries::kFinishPublication, publication.build_id));
          if (finished.empty()) return std::nullopt;
          DAVIT_ASSIGN_OR_RETURN(const std::vector<TagRecord> tags, LoadTags(transaction, publication.build_id));
          std::vector<TagOutcome> moving;
          for (const TagRecord& tag : tags) {
            if (tag.tag != publication.build_id) moving.push_back(tag.outcome);
          }
          DAVIT_ASSIGN_OR_RETURN(const LockedBuild build, LockBuild(transaction, publication.build_id));
          Advance advance;
          advance.digest = publication.digest;
          advance.state = failure.has_value() ? BuildState::kFailed : EndOfPublishing(moving);
          if (failure.has_value()) {
            advance.failure = *failure;
            advance.detail = failure->message;
          } else if (advance.state == BuildState::kSuperseded) {
            advance.detail = "newer builds had already set all of its tags";
          }
          DAVIT_RETURN_IF_ERROR(AdvanceBuild(transaction, build, advance));
          return advance.state;
        });
  }

  absl::Status Postpone(const Publication& publication, absl::Duration delay, absl::string_view why) override {
    return pool_.Transact(Scope::AllProjects(), [&](Transaction& transaction) {
      return transaction.Execute(queries::kPostponePublication, publication.build_id, delay, why).status();
    });
  }

 private:
  postgres::Pool& pool_;
};

class PostgresRevocationStore : public RevocationStore {
 public:
  explicit PostgresRevocationStore(postgres::Pool& pool) : pool_(pool) {}

  absl::StatusOr<std::vector<Revocation>> Take(int limit, absl::Duration hold) override {
    return pool_.Transact(
        Scope::AllProjects(), [&](Transaction& transaction) -> absl::StatusOr<std::vector<Revocation>> {
          DAVIT_ASSIGN_OR_RETURN(const pqxx::result rows, transaction.Execute(queries::kTakeRevocations, limit, hold));
          std::vector<Revocation> revocations;
          for (const pqxx::row& row : rows) {
            revocations.push_back({row["id"].as<int64_t>(), ReadText(row["project"]), ReadText(row["build_id"]),
                                   row["fence"].as<int64_t>(), row["attempts"].as<int>()});
          }
          return revocations;
        });
  }

  absl::Status Finish(const Revocation& revocation) override {
    return pool_.Transact(Scope::AllProjects(), [&](Transaction& transaction) {
      return transaction.Execute(queries::kFinishRevocation, revocation.id).status();
    });
  }

  absl::Status Postpone(const Revocation& revocation, absl::Duration delay) override {
    return pool_.Transact(Scope::AllProjects(), [&](Transaction& transaction) {
      return transaction.Execute(queries::kPostponeRevocation, revocation.id, delay).status();
    });
  }

 private:
  postgres::Pool& pool_;
};

}  // namespace

std::unique_ptr<TagStore> NewPostgresTagStore(postgres::Pool& pool) { return std::make_unique<PostgresTagStore>(pool); }

std::unique_ptr<RevocationStore> NewPostgresRevocationStore(postgres::Pool& pool) {
  return std::make_unique<PostgresRevocationStore>(pool);
}

}  // namespace davit::scheduler
