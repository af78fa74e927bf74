// The options that say how an image is built and where it goes, shared by rules and builds. Pure functions; any thread.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "davit/common/v1/recipe.pb.h"
#include "services/cli/arguments.h"

namespace davit::cli {

// --image, --registry-credential, --file, --context, --target, --platform, --build-arg, --label, --secret, --timeout.
std::vector<Option> RecipeOptions();

// What the options say. `fields` are the paths of those that were given, as update masks name them ("recipe.target").
struct RecipeValues {
  davit::common::v1::Recipe recipe;
  davit::common::v1::ImageDestination destination;
  std::string image_tag;  // The tag that --image named after its repository; may be empty.
  std::vector<std::string> fields;
};

// Reads the options. A usage error names the one that is wrong.
absl::StatusOr<RecipeValues> ReadRecipe(const Arguments& arguments);

// Splits "host:5000/team/app:tag" into repository and tag; the tag is empty when there is none.
std::pair<std::string, std::string> SplitImage(absl::string_view image);

}  // namespace davit::cli
