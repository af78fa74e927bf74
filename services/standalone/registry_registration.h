// Registers a registry's credential through the token-registry's API, as a user would. Stateless; any thread.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "libs/crypto/secret.h"

namespace grpc {
class Channel;
}

namespace davit::standalone {

// A credential to register.
struct RegistryRegistration {
  std::string display_name;
  std::string registry;  // Host and port.
  std::string username;
  crypto::SecretString password;
};

// Makes sure that project `default` has the credential; one of the same name for another registry is replaced.
// `channel` carries an administrator's token.
absl::Status RegisterRegistryCredential(const std::shared_ptr<grpc::Channel>& channel,
                                        const RegistryRegistration& registration);

}  // namespace davit::standalone
