// Records ⇄ messages of davit.registry.v1. Pure functions; any thread.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "davit/registry/v1/connection.pb.h"
#include "davit/registry/v1/identity.pb.h"
#include "davit/registry/v1/registry_credential.pb.h"
#include "davit/registry/v1/token_registry.pb.h"
#include "davit/registry/v1/webhook.pb.h"
#include "services/token_registry/build_credential_broker.h"
#include "services/token_registry/records.h"

namespace davit::token_registry {

void ToProto(const Connection& connection, registry::v1::Connection* message);
void ToProto(const RegistryCredential& credential, registry::v1::RegistryCredential* message);
void ToProto(const Webhook& webhook, registry::v1::Webhook* message);
void ToProto(const ApiToken& token, registry::v1::ApiToken* message);
void ToProto(const SecretAccess& access, registry::v1::SecretAccess* message);
void ToProto(const SourceAccess& access, registry::v1::SourceAccess* message);
void ToProto(const RegistryAccess& access, registry::v1::RegistryAccess* message);

// Sets the timestamp `message` to `time`.
void ToProto(absl::Time time, google::protobuf::Timestamp* message);

// Sets the duration `message` to `duration`, which is finite.
void ToProto(absl::Duration duration, google::protobuf::Duration* message);

// INVALID_ARGUMENT `provider: …` for one that is not known.
absl::StatusOr<Provider> FromProto(registry::v1::Provider provider);

// The time of a message.
absl::Time FromProto(const google::protobuf::Timestamp& message);

}  // namespace davit::token_registry
