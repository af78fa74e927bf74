// Server-sent events (WHATWG HTML, 9.2): their text, and the response that carries them. Pure functions; any thread.
#pragma once

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "libs/http/server.h"

namespace davit::console {

// One event. `id` (may be empty: none) is what the browser sends as Last-Event-ID when it reconnects. Neither `event`
// nor `id` may hold a line break; `data` may.
std::string FormatEvent(absl::string_view event, absl::string_view id, absl::string_view data);

// A pipe of the size that one viewer may lag behind.
std::shared_ptr<http::BytePipe> NewEventPipe();

// The response that sends what is written to the pipe. It ends after a quarter of an hour: the browser reconnects, and
// whether it still may is looked at again.
http::ServerResponse EventStreamResponse(std::shared_ptr<http::BytePipe> pipe);

}  // namespace davit::console
