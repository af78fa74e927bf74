// Authorizing a connection at its provider, together with the person at the terminal. Blocks the calling thread.
#pragma once

#include "absl/status/statusor.h"
#include "davit/registry/v1/connection.pb.h"
#include "davit/registry/v1/oauth.pb.h"
#include "services/cli/arguments.h"
#include "services/cli/session.h"

namespace davit::cli {

// The options of a command that authorizes.
inline const Option kOAuthOption = {
    "oauth", 0, "",
    "Authorize at GitHub or GitLab instead of giving a token: shows an address and a code to enter there."};
inline const Option kBrowserOption = {
    "browser", 0, "", "With --oauth: without a code, by a browser on this machine that comes back to 127.0.0.1."};

// Begins what `request` says, its flow by --browser, tells the person on standard error what to do, and waits until it
// is done. DEADLINE_EXCEEDED when the person takes too long; else as BeginOAuth and FinishOAuth.
absl::StatusOr<registry::v1::Connection> Authorize(Session& session, registry::v1::BeginOAuthRequest request);

}  // namespace davit::cli
