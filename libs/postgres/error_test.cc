// Tests of error.h.
#include "libs/postgres/error.h"

#include <gtest/gtest.h>

#include <pqxx/pqxx>

namespace davit::postgres {
namespace {

absl::Status FromState(const char* state, const char* message = "ERROR:  it failed") {
  return StatusFromException(pqxx::sql_error(message, "select secret", state));
}

TEST(ErrorTest, GivesEachSqlStateItsCode) {
  EXPECT_EQ(FromState("40001").code(), absl::StatusCode::kAborted);
  EXPECT_EQ(FromState("40P01").code(), absl::StatusCode::kAborted);
  EXPECT_EQ(FromState("23505").code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(FromState("23503").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(FromState("23514").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(FromState("22P02").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(FromState("42501").code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(FromState("57014").code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(FromState("57P01").code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(FromState("53300").code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(FromState("53100").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(FromState("42601").code(), absl::StatusCode::kInternal);
}

TEST(ErrorTest, KnowsTheClassesOfExceptionsThatCarryNoSqlState) {
  EXPECT_EQ(StatusFromException(pqxx::insufficient_privilege("ERROR:  no")).code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(StatusFromException(pqxx::disk_full("ERROR:  no")).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(StatusFromException(pqxx::unique_violation("ERROR:  no")).code(), absl::StatusCode::kAlreadyExists);
}

TEST(ErrorTest, KeepsThePrimaryMessageAndTheConstraintButNoDetail) {
  const absl::Status status = FromState(
      "23505", "ERROR:  duplicate key value violates unique constraint \"rules_name_key\"\nDETAIL:  Key (name)=(hush)");
  EXPECT_EQ(status.message(), "duplicate key value violates unique constraint \"rules_name_key\"");
  EXPECT_EQ(ViolatedConstraint(status), "rules_name_key");
  EXPECT_EQ(SqlState(status), "23505");
}

TEST(ErrorTest, TreatsLostConnectionsAndUnknownCommitsAsUnavailable) {
  EXPECT_EQ(StatusFromException(pqxx::broken_connection("gone")).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(StatusFromException(pqxx::in_doubt_error("who knows")).code(), absl::StatusCode::kUnavailable);
}

TEST(ErrorTest, TreatsRollbacksByTheServerAsAborted) {
  const absl::Status status = StatusFromException(pqxx::deadlock_detected("ERROR:  deadlock detected"));
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(SqlState(status), "40P01");
}

}  // namespace
}  // namespace davit::postgres
