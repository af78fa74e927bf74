// The calls that a person may make through the console: a table of names; everything else about them comes from the
// generated descriptors. Immutable after construction; any thread.
#pragma once

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace google::protobuf {
class Message;
}

namespace davit::console {

// Which channel a call goes to.
enum class Backend { kTokenRegistry, kRuleEngine, kScheduler };

// One unary method.
struct ApiMethod {
  Backend backend;
  std::string path;                          // "/davit.scheduler.v1.Scheduler/ListBuilds"
  const google::protobuf::Message* request;  // prototypes: New() makes a message
  const google::protobuf::Message* response;
  absl::Duration timeout;
};

class ApiMethods {
 public:
  ApiMethods();

  // The method of a service by its short name (`registry`, `identity`, `rules`, `scheduler`); null when there is none,
  // or it is not for people.
  const ApiMethod* Find(absl::string_view service, absl::string_view method) const;

 private:
  absl::flat_hash_map<std::string, ApiMethod> methods_;  // By "service/Method".
};

}  // namespace davit::console
