// Rows of the token-registry's tables ⇄ its records, shared by the parts of PostgresStore. Pure functions; any thread.
#pragma once

#include <optional>
#include <pqxx/pqxx>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "libs/crypto/envelope.h"
#include "libs/postgres/scope.h"
#include "services/token_registry/records.h"

namespace davit::token_registry {

Connection ReadConnection(const pqxx::row& row);
RegistryCredential ReadRegistryCredential(const pqxx::row& row);
Webhook ReadWebhook(const pqxx::row& row);
ApiToken ReadApiToken(const pqxx::row& row);
BuildGrant ReadBuildGrant(const pqxx::row& row);
crypto::SealedSecret ReadSealed(const pqxx::row& row);

// The words that columns hold.
Provider ProviderOf(absl::string_view word);
absl::string_view ProviderWord(Provider provider);
absl::string_view StateWord(Connection::State state);
absl::string_view CredentialKindWord(Connection::CredentialKind kind);

// Times that mean "never" are null in the tables.
std::optional<absl::Time> NullIfInfinite(absl::Time time);

// The scope of a call for `project`; "*" is all projects.
postgres::Scope ScopeOf(const std::string& project);

// `display_name: …` for a violation of one of the unique names, else the status itself.
absl::Status NameTaken(const absl::Status& status, absl::string_view constraint, absl::string_view display_name);

// NOT_FOUND: `connection not found: con_…`.
absl::Status NotFound(absl::string_view kind, absl::string_view id);

}  // namespace davit::token_registry
