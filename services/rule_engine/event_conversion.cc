// Conversions and checks of events. Owns nothing; stateless.
#include "services/rule_engine/event_conversion.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "libs/ids/ids.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"
#include "services/rule_engine/git_ref.h"

namespace davit::rule_engine {
namespace {

constexpr size_t kMaxDeliveryIdBytes = 200;
constexpr int kMaxHeaders = 50;
constexpr size_t kMaxHeaderNameBytes = 128;
constexpr size_t kMaxHeaderBytes = 1024;
constexpr size_t kMaxRepositoryBytes = 255;
constexpr int kMaxCommits = 1000;
constexpr size_t kMaxMessageBytes = 4096;
constexpr int kMaxPaths = 3000;

google::protobuf::Timestamp ToTimestamp(absl::Time time) {
  return google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(time));
}

absl::Status Invalid(absl::string_view field, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", what));
}

// Text that is stored in a column of its own: not empty, bounded, no control characters.
absl::Status CheckText(absl::string_view field, absl::string_view text, size_t max_bytes) {
  const bool has_control =
      std::any_of(text.begin(), text.end(), [](unsigned char c) { return absl::ascii_iscntrl(c); });
  if (text.empty() || text.size() > max_bytes || has_control) {
    return Invalid(field, absl::StrCat("1 to ", max_bytes, " bytes without control characters are accepted"));
  }
  return absl::OkStatus();
}

absl::Status CheckCommit(absl::string_view field, absl::string_view commit) {
  if (IsCommitId(commit) || IsZeroCommitId(commit)) return absl::OkStatus();
  return Invalid(field, "40 lower-case hexadecimal digits are expected, all zeros for no commit");
}

// Cuts to at most `limit` bytes without splitting a character.
void CutText(std::string* text, size_t limit) {
  if (text->size() <= limit) return;
  while (limit > 0 && (static_cast<unsigned char>((*text)[limit]) & 0xc0) == 0x80) --limit;
  text->resize(limit);
}

using Paths = google::protobuf::RepeatedPtrField<std::string>;

// Keeps at most `*left` of the paths and takes them off.
bool CutPaths(Paths* paths, int* left) {
  const int kept = std::min(paths->size(), *left);
  *left -= kept;
  if (kept == paths->size()) return false;
  paths->DeleteSubrange(kept, paths->size() - kept);
  return true;
}

void CutPush(rules::v1::PushEvent& push) {
  bool cut = false;
  if (push.commits_size() > kMaxCommits) {
    // The newest are last.
    push.mutable_commits()->DeleteSubrange(0, push.commits_size() - kMaxCommits);
    cut = true;
  }
  int paths_left = kMaxPaths;
  for (rules::v1::PushedCommit& commit : *push.mutable_commits()) {
    CutText(commit.mutable_message(), kMaxMessageBytes);
    cut = CutPaths(commit.mutable_added(), &paths_left) || cut;
    cut = CutPaths(commit.mutable_modified(), &paths_left) || cut;
    cut = CutPaths(commit.mutable_removed(), &paths_left) || cut;
  }
  if (cut) push.set_commits_truncated(true);
}

absl::Status CheckHeaders(const rules::v1::IngestEventRequest& request) {
  if (static_cast<int>(request.headers().size()) > kMaxHeaders) {
    return Invalid("headers", absl::StrCat("more than ", kMaxHeaders));
  }
  for (const auto& [name, value] : request.headers()) {
    DAVIT_RETURN_IF_ERROR(CheckText("headers", name, kMaxHeaderNameBytes));
    if (value.size() > kMaxHeaderBytes) {
      return Invalid(absl::StrCat("headers[\"", name, "\"]"), absl::StrCat("over ", kMaxHeaderBytes, " bytes"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckPush(const rules::v1::PushEvent& push) {
  DAVIT_RETURN_IF_ERROR(CheckText("push.repository", push.repository(), kMaxRepositoryBytes));
  if (const auto ref = GitRef::Parse(push.ref()); !ref.ok()) return Annotate(ref.status(), "push.ref");
  if (!push.before().empty()) DAVIT_RETURN_IF_ERROR(CheckCommit("push.before", push.before()));
  return CheckCommit("push.after", push.after());
}

}  // namespace

rules::v1::Event ToProto(const Event& event) {
  rules::v1::Event message;
  message.set_id(event.id);
  message.set_project(event.project);
  message.set_kind(static_cast<rules::v1::Event::Kind>(event.kind));
  message.set_state(static_cast<rules::v1::Event::State>(event.state));
  message.set_connection_id(event.connection_id);
  if (event.kind == EventKind::kWebhook) message.set_webhook_id(event.source_id);
  message.set_delivery_id(event.delivery_id);
  message.mutable_headers()->insert(event.headers.begin(), event.headers.end());
  *message.mutable_push() = event.push;
  message.set_detail(event.detail);
  for (const Explanation& explanation : event.explanations) *message.add_explanations() = ToProto(explanation);
  *message.mutable_receive_time() = ToTimestamp(event.receive_time);
  if (event.evaluate_time.has_value()) *message.mutable_evaluate_time() = ToTimestamp(*event.evaluate_time);
  return message;
}

rules::v1::RuleExplanation ToProto(const Explanation& explanation) {
  rules::v1::RuleExplanation message;
  message.set_rule_id(explanation.rule_id);
  message.set_rule_display_name(explanation.rule_display_name);
  message.set_reason(static_cast<rules::v1::RuleExplanation::Reason>(explanation.reason));
  message.set_detail(explanation.detail);
  message.set_build_id(explanation.build_id);
  message.mutable_tags()->Assign(explanation.tags.begin(), explanation.tags.end());
  return message;
}

absl::StatusOr<Event> EventFromRequest(const std::string& project, const rules::v1::IngestEventRequest& request) {
  if (!IsId("con", request.connection_id())) return Invalid("connection_id", "not the id of a connection (con_…)");
  if (!IsId("whk", request.webhook_id())) return Invalid("webhook_id", "not the id of a webhook (whk_…)");
  DAVIT_RETURN_IF_ERROR(CheckText("delivery_id", request.delivery_id(), kMaxDeliveryIdBytes));
  DAVIT_RETURN_IF_ERROR(CheckHeaders(request));
  DAVIT_RETURN_IF_ERROR(CheckPush(request.push()));
  Event event;
  event.project = project;
  event.kind = EventKind::kWebhook;
  event.connection_id = request.connection_id();
  event.source_id = request.webhook_id();
  event.delivery_id = request.delivery_id();
  event.headers.insert(request.headers().begin(), request.headers().end());
  event.push = request.push();
  CutPush(event.push);
  if (IsZeroCommitId(event.push.after())) {
    event.state = EventState::kIgnored;
    event.detail = "ref deleted";
  }
  return event;
}

}  // namespace davit::rule_engine
