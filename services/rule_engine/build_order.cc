// Composes the scheduler's CreateBuildRequest. Owns nothing; stateless.
#include "services/rule_engine/build_order.h"

#include "absl/strings/str_cat.h"
#include "davit/scheduler/v1/scheduler.pb.h"
#include "libs/crypto/hash.h"

namespace davit::rule_engine {
namespace {

BuildOrder MakeOrder(const Rule& rule, const Event& event, const BuildSubject& subject, std::string request_id) {
  scheduler::v1::CreateBuildRequest request;
  request.set_project(rule.project);
  request.set_request_id(request_id);
  scheduler::v1::BuildSpec& spec = *request.mutable_spec();
  spec.mutable_git()->set_connection_id(rule.connection_id);
  spec.mutable_git()->set_repository(rule.repository);
  if (subject.ref.has_value()) spec.mutable_git()->set_ref(subject.ref->full);
  spec.mutable_git()->set_commit(subject.commit);
  *spec.mutable_recipe() = rule.recipe;
  *spec.mutable_destination() = rule.destination;
  spec.mutable_tags()->Assign(subject.tags.begin(), subject.tags.end());
  if (rule.policy.ByteSizeLong() > 0) *request.mutable_policy() = rule.policy;
  request.mutable_origin()->set_rule_id(rule.id);
  request.mutable_origin()->set_event_id(event.id);
  request.mutable_origin()->set_requested_by(subject.requested_by);

  BuildOrder order;
  order.rule_id = rule.id;
  order.ref = subject.ref.has_value() ? subject.ref->full : "";
  order.commit = subject.commit;
  order.number = subject.number;
  order.request_id = std::move(request_id);
  order.request = request.SerializeAsString();
  return order;
}

template <typename Change>
BuildOrder Changed(const BuildOrder& order, Change change) {
  scheduler::v1::CreateBuildRequest request;
  request.ParseFromString(order.request);
  change(request);
  BuildOrder changed = order;
  changed.request = request.SerializeAsString();
  return changed;
}

}  // namespace

BuildOrder OrderForPush(const Rule& rule, const Event& event, const BuildSubject& subject) {
  const std::string ref = subject.ref.has_value() ? subject.ref->full : "";
  // A ref holds no blank, so the text below is unambiguous; refs are too long for the id itself.
  const std::string digest = crypto::Sha256Hex(absl::StrCat(ref, " ", subject.commit));
  return MakeOrder(rule, event, subject, absl::StrCat("push/", rule.id, "/", digest));
}

BuildOrder OrderForManual(const Rule& rule, const Event& event, const BuildSubject& subject) {
  return WithoutSuperseding(MakeOrder(rule, event, subject, absl::StrCat("manual/", event.id)));
}

BuildOrder WithoutSuperseding(const BuildOrder& order) {
  return Changed(order, [](scheduler::v1::CreateBuildRequest& request) {
    if (request.has_policy()) request.mutable_policy()->clear_supersede();
  });
}

BuildOrder WithRequestId(const BuildOrder& order, const std::string& request_id) {
  BuildOrder renamed =
      Changed(order, [&request_id](scheduler::v1::CreateBuildRequest& request) { request.set_request_id(request_id); });
  renamed.request_id = request_id;
  return renamed;
}

}  // namespace davit::rule_engine
