// Implements policy_options.h.
#include "services/cli/policy_options.h"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "absl/strings/str_cat.h"
#include "libs/status/status_macros.h"

namespace davit::cli {
namespace {

namespace v1 = ::davit::common::v1;

struct SupersedeWord {
  const char* word;
  v1::SupersedePolicy policy;
};

constexpr SupersedeWord kSupersedeWords[] = {
    {"off", v1::SUPERSEDE_POLICY_OFF},
    {"queued", v1::SUPERSEDE_POLICY_SKIP_QUEUED},
    {"running", v1::SUPERSEDE_POLICY_CANCEL_RUNNING},
};

absl::StatusOr<v1::SupersedePolicy> ReadSupersede(const std::string& text) {
  for (const SupersedeWord& known : kSupersedeWords) {
    if (text == known.word) return known.policy;
  }
  return UsageError(absl::StrCat("option --supersede is off, queued or running, not \"", text, "\""));
}

// Numbers that do not fit are out of every range; which range the server says.
int32_t Clamp(int64_t number) {
  return static_cast<int32_t>(std::min<int64_t>(std::max<int64_t>(number, std::numeric_limits<int32_t>::min()),
                                                std::numeric_limits<int32_t>::max()));
}

}  // namespace

std::vector<Option> QueueOptions() {
  return {
      {"priority", 0, "NUMBER", "-100 (last) to 100 (first) among the project's waiting builds; default: 0."},
      {"retries", 0, "NUMBER", "Tries again after failures of the infrastructure, 0 to 10; default: 2."},
      {"supersede", 0, "WHICH",
       "What a newer build of the same rule and ref does to older ones: off, queued (those that wait end) or running "
       "(those that run are stopped, too)."},
      {"concurrency-group", 0, "NAME", "Supersede builds of this group instead of those of the same rule and ref."},
  };
}

std::vector<Option> PolicyOptions() {
  std::vector<Option> options = QueueOptions();
  options.push_back({"max-concurrent", 0, "NUMBER", "Builds of the rule that run at a time, 1 to 100; 0 = no limit."});
  options.push_back({"reuse-window", 0, "DURATION",
                     "How old an image of the same input may be to be used again, up to 720h. Kept and shown; this "
                     "version builds every time."});
  return options;
}

absl::StatusOr<PolicyValues> ReadPolicy(const Arguments& arguments) {
  PolicyValues values;
  v1::BuildPolicy& policy = values.policy;
  constexpr int64_t kAny = std::numeric_limits<int64_t>::min();
  for (const auto& [option, field] : PolicyFields()) {
    if (arguments.Has(option)) values.fields.push_back(field);
  }
  DAVIT_ASSIGN_OR_RETURN(const int64_t priority, arguments.GetNumber("priority", 0, kAny));
  policy.set_priority(Clamp(priority));
  if (arguments.Has("retries")) {
    DAVIT_ASSIGN_OR_RETURN(const int64_t retries, arguments.GetNumber("retries", 0, 0));
    policy.set_infrastructure_retries(Clamp(retries));
  }
  if (arguments.Has("supersede")) {
    DAVIT_ASSIGN_OR_RETURN(const v1::SupersedePolicy supersede, ReadSupersede(arguments.Get("supersede")));
    policy.set_supersede(supersede);
  }
  policy.set_concurrency_group(arguments.Get("concurrency-group"));
  DAVIT_ASSIGN_OR_RETURN(const int64_t max_concurrent, arguments.GetNumber("max-concurrent", 0, 0));
  policy.set_max_concurrent(Clamp(max_concurrent));
  DAVIT_ASSIGN_OR_RETURN(const absl::Duration window, arguments.GetDuration("reuse-window"));
  if (window > absl::ZeroDuration()) {
    policy.mutable_reuse_window()->set_seconds(absl::ToInt64Seconds(window));
    policy.mutable_reuse_window()->set_nanos(static_cast<int>(absl::ToInt64Nanoseconds(window % absl::Seconds(1))));
  }
  return values;
}

std::vector<std::pair<std::string, std::string>> PolicyTexts(const v1::BuildPolicy& policy) {
  std::vector<std::pair<std::string, std::string>> texts;
  if (policy.priority() != 0) texts.emplace_back("priority", absl::StrCat(policy.priority()));
  if (policy.has_infrastructure_retries()) {
    texts.emplace_back("retries", absl::StrCat(policy.infrastructure_retries()));
  }
  for (const SupersedeWord& known : kSupersedeWords) {
    if (known.policy == policy.supersede()) texts.emplace_back("supersede", known.word);
  }
  if (!policy.concurrency_group().empty()) texts.emplace_back("group", policy.concurrency_group());
  if (policy.max_concurrent() != 0) texts.emplace_back("max concurrent", absl::StrCat(policy.max_concurrent()));
  if (policy.has_reuse_window()) {
    texts.emplace_back("reuse window", absl::FormatDuration(absl::Seconds(policy.reuse_window().seconds())));
  }
  return texts;
}

std::vector<std::pair<std::string, std::string>> PolicyFields() {
  return {{"priority", "policy.priority"},
          {"retries", "policy.infrastructure_retries"},
          {"supersede", "policy.supersede"},
          {"concurrency-group", "policy.concurrency_group"},
          {"max-concurrent", "policy.max_concurrent"},
          {"reuse-window", "policy.reuse_window"}};
}

}  // namespace davit::cli
