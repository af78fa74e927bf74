// Serves the web app that is embedded in the program. Immutable after construction; any thread.
#pragma once

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "libs/http/server.h"

namespace davit::console {

// A file, with what the build made of it. The texts live as long as the program.
struct EmbeddedFile {
  absl::string_view path;  // "assets/index-1a2b3c.js"
  absl::string_view content;
  absl::string_view gzip;    // the same compressed; empty = not smaller
  absl::string_view brotli;  // likewise
};

// The files of services/console/web/dist at the time of the build (see embed_web_app.py).
absl::Span<const EmbeddedFile> EmbeddedWebApp();

// Whether that folder was missing then, and a page that says so is embedded instead.
bool WebAppIsMissing();

class WebApp {
 public:
  explicit WebApp(absl::Span<const EmbeddedFile> files);

  // Answers GET and HEAD: a file by its path; index.html for every address of the app itself; 404 for what looks like a
  // file and is not there. Files are looked up by name in a table: there is no path to leave it by. Files below assets/
  // have their content's hash in their name and may be kept for ever, others are checked at every use.
  http::ServerResponse Serve(const http::ServerRequest& request) const;

 private:
  struct File {
    EmbeddedFile file;
    std::string etag;
    const char* content_type;
  };

  absl::flat_hash_map<std::string, File> files_;  // By path.
};

}  // namespace davit::console
