// The PostgreSQL stores on a real database, and values to put in them. Used by tests only.
#pragma once

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "libs/clock/testing/fake_clock.h"
#include "libs/ids/testing/fake_random.h"
#include "libs/postgres/pool.h"
#include "libs/postgres/testing/test_database.h"
#include "services/rule_engine/migrations.h"
#include "services/rule_engine/postgres_build_outbox.h"
#include "services/rule_engine/postgres_event_ledger.h"
#include "services/rule_engine/postgres_repository_watches.h"
#include "services/rule_engine/postgres_rule_store.h"

namespace davit::rule_engine {

inline constexpr char kCommit[] = "0123456789abcdef0123456789abcdef01234567";

// A fresh database with the service's tables, and the stores on it.
class StoreFixture : public testing::Test {
 protected:
  StoreFixture()
      : database_("rule_engine"),
        pool_((database_.Migrate("rule_engine", migrations::kAll), database_.OpenPool("rule_engine", 8))),
        rules_(*pool_, clock_, random_),
        ledger_(*pool_, clock_, random_),
        outbox_(*pool_) {}

  // A rule of team/app that builds the branch main; not stored yet.
  Rule MakeRule(const std::string& display_name = "app", const std::string& project = "default") {
    Rule rule;
    rule.project = project;
    rule.display_name = display_name;
    rule.connection_id = "con_1";
    rule.repository = "team/app";
    rule.branches = {"main"};
    rule.recipe.set_dockerfile_path("Dockerfile");
    rule.destination.set_repository("127.0.0.1:5000/team/app");
    rule.tag_templates = {"{branch}-{commit:7}", "latest"};
    return rule;
  }

  // The push of a commit to team/app; not stored yet.
  Event MakeEvent(const std::string& delivery_id, const std::string& ref = "refs/heads/main",
                  const std::string& commit = kCommit, const std::string& project = "default") {
    Event event;
    event.project = project;
    event.connection_id = "con_1";
    event.source_id = "whk_1";
    event.delivery_id = delivery_id;
    event.headers = {{"X-GitHub-Event", "push"}};
    event.push.set_repository("Team/App");
    event.push.set_ref(ref);
    event.push.set_after(commit);
    return event;
  }

  // A commit id that belongs to the number.
  static std::string CommitNumber(int number) {
    return absl::StrCat(absl::Hex(number, absl::kZeroPad16), std::string(24, 'c'));
  }

  FakeClock clock_;
  FakeRandom random_;
  postgres::TestDatabase database_;
  const std::unique_ptr<postgres::Pool> pool_;
  PostgresRuleStore rules_;
  PostgresEventLedger ledger_;
  PostgresBuildOutbox outbox_;
};

}  // namespace davit::rule_engine
