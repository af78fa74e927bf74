// Checks what a client asks to be built, and fills in its defaults. Pure; usable from any thread.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "davit/scheduler/v1/build.pb.h"
#include "services/scheduler/store/records.h"

namespace davit::scheduler {

// Fills in defaults and writes paths, references and tags in their canonical form. INVALID_ARGUMENT begins with the
// path of the wrong field, for example `spec.recipe.dockerfile_path: path leaves the repository`.
absl::Status NormalizeSpec(v1::BuildSpec& spec);

// A path relative to the repository's root without `.`, `..` and doubled slashes ("." is the root itself).
// INVALID_ARGUMENT `path leaves the repository` for absolute paths and those that climb out, `…` for control
// characters.
absl::StatusOr<std::string> NormalizePath(absl::string_view path);

// Copies what the stores filter and publish by from a normalized, resolved spec.
void DescribeSpec(const v1::BuildSpec& spec, NewBuild& build);

// The registry ("host:port") of a normalized spec's destination.
std::string RegistryOf(const v1::BuildSpec& spec);

}  // namespace davit::scheduler
