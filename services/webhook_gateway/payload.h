// The raw body of a delivery → JSON, with bounds on what a hostile sender can make us do. A document belongs to one
// thread at a time; the functions are pure.
#pragma once

#include <simdjson.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit::webhook_gateway {

// A parsed JSON text with all that it needs: the text may go. What its elements refer to lives as long as it does.
class JsonDocument {
 public:
  // Parses a JSON text. Where an object has a key twice, both are there. INVALID_ARGUMENT: `nesting over 64`, `over
  // 1000000 values`, `invalid JSON at byte N` (N counts from 1 and is where parsing gave up), or `integer over 64 bits:
  // DIGITS`.
  static absl::StatusOr<JsonDocument> Parse(absl::string_view text);

  simdjson::dom::element root() const { return root_; }

 private:
  // A small text's parser stays with the thread for its next one; a large text's gives its memory back.
  struct Release {
    bool keep = false;
    void operator()(simdjson::dom::parser* parser) const;
  };
  using Parser = std::unique_ptr<simdjson::dom::parser, Release>;

  explicit JsonDocument(Parser parser) : parser_(std::move(parser)) {}

  static Parser TakeSmallParser();
  simdjson::error_code Read(absl::string_view text);

  Parser parser_;
  simdjson::dom::element root_;  // in parser_
};

// The JSON text inside a delivery's body: the body itself, or, for the content type application/x-www-form-urlencoded
// (a choice in GitHub's settings), its field `payload`, which is decoded into `decoded`. INVALID_ARGUMENT: `form has no
// payload`.
absl::StatusOr<absl::string_view> JsonText(absl::string_view content_type, absl::string_view body,
                                           std::string& decoded);

}  // namespace davit::webhook_gateway
