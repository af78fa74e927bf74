// Implements event_source.h.
#include "services/console/event_source.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace davit::console {
namespace {

constexpr size_t kPipeBytes = 256 << 10;
constexpr absl::Duration kLongest = absl::Minutes(15);

}  // namespace

std::string FormatEvent(absl::string_view event, absl::string_view id, absl::string_view data) {
  std::string text = absl::StrCat("event: ", event, "\n");
  if (!id.empty()) absl::StrAppend(&text, "id: ", id, "\n");
  for (const absl::string_view line : absl::StrSplit(data, absl::ByAnyChar("\r\n"))) {
    absl::StrAppend(&text, "data: ", line, "\n");
  }
  text += '\n';
  return text;
}

std::shared_ptr<http::BytePipe> NewEventPipe() { return std::make_shared<http::BytePipe>(kPipeBytes); }

http::ServerResponse EventStreamResponse(std::shared_ptr<http::BytePipe> pipe) {
  http::ServerResponse response;
  response.headers = {
      {"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};
  response.stream = http::StreamedBody{
      .pipe = std::move(pipe), .heartbeat = ":\n\n", .heartbeat_interval = absl::Seconds(15), .max_duration = kLongest};
  return response;
}

}  // namespace davit::console
