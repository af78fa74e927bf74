// Implements proto_conversion.h.
#include "services/token_registry/proto_conversion.h"

namespace davit::token_registry {
namespace {

// Whether a time stands for one; the infinite ones mean "never" and leave the message unset.
bool IsSet(absl::Time time) { return time != absl::InfiniteFuture() && time != absl::InfinitePast(); }

}  // namespace

void ToProto(absl::Time time, google::protobuf::Timestamp* message) {
  const int64_t seconds = absl::ToUnixSeconds(time);
  message->set_seconds(seconds);
  message->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
}

void ToProto(absl::Duration duration, google::protobuf::Duration* message) {
  const int64_t seconds = absl::ToInt64Seconds(duration);
  message->set_seconds(seconds);
  message->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(duration - absl::Seconds(seconds))));
}

void ToProto(const Connection& connection, registry::v1::Connection* message) {
  message->set_id(connection.id);
  message->set_project(connection.project);
  message->set_display_name(connection.display_name);
  message->set_provider(static_cast<registry::v1::Provider>(connection.provider));
  message->set_base_url(connection.base_url);
  message->set_username(connection.username);
  message->set_probe_repository(connection.probe_repository);
  message->set_credential_kind(static_cast<registry::v1::Connection::CredentialKind>(connection.credential_kind));
  message->set_state(static_cast<registry::v1::Connection::State>(connection.state));
  message->set_state_reason(connection.state_reason);
  message->set_account(connection.account);
  for (const std::string& scope : connection.scopes) message->add_scopes(scope);
  for (const std::string& scope : connection.missing_scopes) message->add_missing_scopes(scope);
  if (IsSet(connection.verify_time)) ToProto(connection.verify_time, message->mutable_verify_time());
  if (IsSet(connection.token_expire_time)) ToProto(connection.token_expire_time, message->mutable_token_expire_time());
  ToProto(connection.create_time, message->mutable_create_time());
  ToProto(connection.update_time, message->mutable_update_time());
}

void ToProto(const RegistryCredential& credential, registry::v1::RegistryCredential* message) {
  message->set_id(credential.id);
  message->set_project(credential.project);
  message->set_display_name(credential.display_name);
  message->set_registry(credential.registry);
  message->set_username(credential.username);
  ToProto(credential.create_time, message->mutable_create_time());
  ToProto(credential.update_time, message->mutable_update_time());
}

void ToProto(const Webhook& webhook, registry::v1::Webhook* message) {
  message->set_id(webhook.id);
  message->set_project(webhook.project);
  message->set_connection_id(webhook.connection_id);
  message->set_repository(webhook.repository);
  message->set_provider(static_cast<registry::v1::Provider>(webhook.provider));
  message->set_provider_hook_id(webhook.provider_hook_id);
  ToProto(webhook.create_time, message->mutable_create_time());
}

void ToProto(const ApiToken& token, registry::v1::ApiToken* message) {
  message->set_id(token.id);
  message->set_project(token.project);
  message->set_display_name(token.display_name);
  message->set_role(static_cast<registry::v1::Role>(token.role));
  ToProto(token.create_time, message->mutable_create_time());
  if (IsSet(token.expire_time)) ToProto(token.expire_time, message->mutable_expire_time());
  if (IsSet(token.revoke_time)) ToProto(token.revoke_time, message->mutable_revoke_time());
  if (IsSet(token.last_use_time)) ToProto(token.last_use_time, message->mutable_last_use_time());
}

void ToProto(const SecretAccess& access, registry::v1::SecretAccess* message) {
  ToProto(access.at, message->mutable_time());
  message->set_project(access.project);
  message->set_token_id(access.token_id);
  message->set_request_id(access.request);
  message->set_record_id(access.record_id);
  message->set_field(access.field);
  message->set_purpose(access.purpose);
  message->set_build_id(access.build_id);
}

void ToProto(const SourceAccess& access, registry::v1::SourceAccess* message) {
  message->set_clone_url(access.clone_url);
  message->set_username(access.username);
  message->set_password(access.password.Reveal());
  message->set_provider(static_cast<registry::v1::Provider>(access.provider));
}

void ToProto(const RegistryAccess& access, registry::v1::RegistryAccess* message) {
  message->set_registry(access.registry);
  message->set_username(access.username);
  message->set_password(access.password.Reveal());
}

absl::StatusOr<Provider> FromProto(registry::v1::Provider provider) {
  switch (provider) {
    case registry::v1::PROVIDER_GITHUB:
      return Provider::kGitHub;
    case registry::v1::PROVIDER_GITLAB:
      return Provider::kGitLab;
    case registry::v1::PROVIDER_GENERIC_GIT:
      return Provider::kGenericGit;
    default:
      return absl::InvalidArgumentError("provider: required: PROVIDER_GITHUB, PROVIDER_GITLAB or PROVIDER_GENERIC_GIT");
  }
}

absl::Time FromProto(const google::protobuf::Timestamp& message) {
  return absl::FromUnixSeconds(message.seconds()) + absl::Nanoseconds(message.nanos());
}

}  // namespace davit::token_registry
