// Implements annotate.h.
#include "libs/status/annotate.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"

namespace davit {

absl::Status Annotate(const absl::Status& status, absl::string_view doing) {
  if (status.ok()) return status;
  absl::Status annotated(status.code(), absl::StrCat(doing, ": ", status.message()));
  status.ForEachPayload(
      [&annotated](absl::string_view url, const absl::Cord& payload) { annotated.SetPayload(url, payload); });
  return annotated;
}

}  // namespace davit
