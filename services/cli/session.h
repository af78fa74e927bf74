// One run of a command: its arguments, where the services are, who calls, and how results are shown. Used on one
// thread.
#pragma once

#include <google/protobuf/message.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/crypto/secret.h"
#include "libs/rpc/client_context.h"
#include "libs/rpc/status_conversion.h"
#include "libs/settings/config_report.h"
#include "services/cli/arguments.h"
#include "services/cli/environment.h"
#include "services/cli/exit_code.h"

namespace davit::cli {

// The APIs; one address serves all three in standalone.
enum class Api { kTokenRegistry, kRuleEngine, kScheduler };

enum class Format { kTable, kJson };

// What is wrong with the global options, the environment and the token's file, without calling anybody.
settings::ConfigReport CheckConfig(const Environment& environment, const Arguments& arguments);

class Session {
 public:
  // Reads the global options and the API token. A usage error for a wrong option; UNAUTHENTICATED without a token.
  static absl::StatusOr<std::unique_ptr<Session>> Open(Environment& environment, Arguments arguments);

  const Arguments& arguments() const { return arguments_; }
  Environment& environment() { return environment_; }
  Format format() const { return format_; }

  // --project; empty = the token's own.
  const std::string& project() const { return project_; }

  // A channel to the API, with the token; made once.
  std::shared_ptr<grpc::Channel> channel(Api api);

  // Makes one unary call with a deadline of a minute.
  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> Call(Stub& stub,
                                grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                                const Request& request) {
    grpc::ClientContext context;
    rpc::SetDeadline(context, absl::Minutes(1));
    Response response;
    const absl::Status status = rpc::FromGrpcStatus((stub.*method)(&context, request, &response));
    if (!status.ok()) return status;
    return response;
  }

  // Shows a result: `message` as JSON, or `text`, whichever was asked for. Returns kExitOk.
  int Show(const google::protobuf::Message& message, const std::string& text);

  // Reads a secret, never from the command line: from the file that `option` names ("-" = standard input), or else,
  // when there is a terminal, by asking with `prompt`, or else from standard input.
  absl::StatusOr<crypto::SecretString> ReadSecret(absl::string_view option, const std::string& prompt);

 private:
  Session(Environment& environment, Arguments arguments);

  Environment& environment_;
  const Arguments arguments_;
  Format format_ = Format::kTable;
  std::string project_;
  crypto::SecretString token_;
  std::shared_ptr<grpc::Channel> channels_[3];
};

// Fetches the pages of a List method until `limit` items are there, and returns them as one response. `items` gives a
// response's repeated field.
template <typename Stub, typename Request, typename Response, typename Items>
absl::StatusOr<Response> ListAll(Session& session, Stub& stub,
                                 grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                                 Request request, int64_t limit, Items items) {
  Response all;
  while (items(all)->size() < limit) {
    request.set_page_size(static_cast<int32_t>(std::min<int64_t>(500, limit - items(all)->size())));
    absl::StatusOr<Response> page = session.Call(stub, method, request);
    if (!page.ok()) return page.status();
    all.clear_next_page_token();
    all.MergeFrom(*page);
    if (page->next_page_token().empty() || items(*page)->empty()) break;
    request.set_page_token(page->next_page_token());
  }
  return all;
}

// The options that list commands share.
inline const Option kLimitOption = {"limit", 0, "N", "Show at most this many; default 50."};

}  // namespace davit::cli
