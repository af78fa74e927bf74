// Implements web_app.h.
#include "services/console/web_app.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/crypto/hash.h"
#include "libs/http/query.h"
#include "services/console/api_error.h"

namespace davit::console {
namespace {

constexpr char kIndex[] = "index.html";

const char* ContentType(absl::string_view path) {
  static constexpr std::pair<absl::string_view, const char*> kTypes[] = {
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".json", "application/json"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".ico", "image/x-icon"},
      {".woff2", "font/woff2"},
      {".webmanifest", "application/manifest+json"},
      {".txt", "text/plain; charset=utf-8"},
  };
  for (const auto& [suffix, type] : kTypes) {
    if (absl::EndsWith(path, suffix)) return type;
  }
  return "application/octet-stream";
}

// Whether the browser takes the encoding; "q=0" says that it does not.
bool Accepts(const http::ServerRequest& request, absl::string_view encoding) {
  const std::string accepted = request.headers.Get("Accept-Encoding").value_or("");
  for (absl::string_view part : absl::StrSplit(accepted, ',')) {
    const std::pair<absl::string_view, absl::string_view> item = absl::StrSplit(part, absl::MaxSplits(';', 1));
    if (!absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(item.first), encoding)) continue;
    const absl::string_view weight = absl::StripAsciiWhitespace(item.second);
    return weight != "q=0" && weight != "q=0.0" && weight != "q=0.00" && weight != "q=0.000";
  }
  return false;
}

// Whether a path names a file rather than a page of the app.
bool LooksLikeFile(absl::string_view path) {
  const size_t slash = path.rfind('/');
  return absl::StrContains(slash == path.npos ? path : path.substr(slash + 1), '.') ||
         absl::StartsWith(path, "assets/");
}

}  // namespace

WebApp::WebApp(absl::Span<const EmbeddedFile> files) {
  for (const EmbeddedFile& file : files) {
    files_[std::string(file.path)] = {file, absl::StrCat("\"", crypto::Sha256Hex(file.content).substr(0, 32), "\""),
                                      ContentType(file.path)};
  }
}

http::ServerResponse WebApp::Serve(const http::ServerRequest& request) const {
  const std::string path = http::PercentDecode(request.path.substr(request.path.empty() ? 0 : 1), http::Plus::kIsPlus);
  auto found = files_.find(path);
  if (found == files_.end() && !LooksLikeFile(path)) found = files_.find(kIndex);
  if (found == files_.end()) return ErrorResponse(absl::NotFoundError("there is no such page"));
  const File& file = found->second;
  const bool for_ever = absl::StartsWith(file.file.path, "assets/");
  http::ServerResponse response;
  response.headers = {{"Content-Type", file.content_type},
                      {"Cache-Control", for_ever ? "public, max-age=31536000, immutable" : "no-cache"},
                      {"ETag", file.etag},
                      {"Vary", "Accept-Encoding"}};
  if (absl::StrContains(request.headers.Get("If-None-Match").value_or(""), file.etag)) {
    response.status = 304;
  } else if (!file.file.brotli.empty() && Accepts(request, "br")) {
    response.headers.Set("Content-Encoding", "br");
    response.body = std::string(file.file.brotli);
  } else if (!file.file.gzip.empty() && Accepts(request, "gzip")) {
    response.headers.Set("Content-Encoding", "gzip");
    response.body = std::string(file.file.gzip);
  } else {
    response.body = std::string(file.file.content);
  }
  return response;
}

}  // namespace davit::console
