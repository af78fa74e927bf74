// Implements recipe_options.h.
#include "services/cli/recipe_options.h"

#include <map>
#include <utility>

#include "absl/strings/str_split.h"
#include "libs/status/status_macros.h"

namespace davit::cli {

std::vector<Option> RecipeOptions() {
  return {
      {"image", 0, "IMAGE", "Where the image goes: 127.0.0.1:5000/team/app. A tag after it counts as --image-tag."},
      {"registry-credential", 0, "ID", "rcr_...; default: the project's only one for that registry."},
      {"file", 'f', "PATH", "The Dockerfile; default: Dockerfile."},
      {"context", 0, "PATH", "The directory that COPY and ADD are relative to; default: the root."},
      {"target", 0, "STAGE", "The stage to build; default: the last one."},
      {"platform", 0, "PLATFORM", "os/arch[/variant]; default: the agent's own."},
      {"build-arg", 0, "KEY=VALUE", "A value for an ARG instruction. Not secret: it stays in the image's history.",
       Repeat::kMany},
      {"label", 0, "KEY=VALUE", "A label of the image.", Repeat::kMany},
      {"secret", 0, "ID[=NAME]",
       "RUN --mount=type=secret,id=ID gets the project's secret NAME (davit secret create); default: the one called "
       "ID.",
       Repeat::kMany},
      {"timeout", 0, "DURATION", "How long one attempt may take, for example 30m; default: 1h."},
  };
}

std::pair<std::string, std::string> SplitImage(absl::string_view image) {
  const size_t colon = image.rfind(':');
  const size_t slash = image.rfind('/');
  const bool has_tag = colon != absl::string_view::npos && (slash == absl::string_view::npos ? false : colon > slash) &&
                       image.find('@') == absl::string_view::npos;
  if (!has_tag) return {std::string(image), ""};
  return {std::string(image.substr(0, colon)), std::string(image.substr(colon + 1))};
}

absl::StatusOr<RecipeValues> ReadRecipe(const Arguments& arguments) {
  RecipeValues values;
  const auto text = [&](const char* option, const char* field, std::string* to) {
    if (!arguments.Has(option)) return;
    *to = arguments.Get(option);
    values.fields.emplace_back(field);
  };
  if (arguments.Has("image")) {
    const auto [repository, tag] = SplitImage(arguments.Get("image"));
    values.destination.set_repository(repository);
    values.image_tag = tag;
    values.fields.emplace_back("destination.repository");
  }
  text("registry-credential", "destination.registry_credential_id",
       values.destination.mutable_registry_credential_id());
  text("file", "recipe.dockerfile_path", values.recipe.mutable_dockerfile_path());
  text("context", "recipe.context_dir", values.recipe.mutable_context_dir());
  text("target", "recipe.target", values.recipe.mutable_target());
  text("platform", "recipe.platform", values.recipe.mutable_platform());
  DAVIT_ASSIGN_OR_RETURN(const auto build_args, arguments.GetPairs("build-arg"));
  values.recipe.mutable_build_args()->insert(build_args.begin(), build_args.end());
  if (!build_args.empty()) values.fields.emplace_back("recipe.build_args");
  DAVIT_ASSIGN_OR_RETURN(const auto labels, arguments.GetPairs("label"));
  values.recipe.mutable_labels()->insert(labels.begin(), labels.end());
  if (!labels.empty()) values.fields.emplace_back("recipe.labels");
  for (const std::string& text : arguments.GetAll("secret")) {
    const std::pair<std::string, std::string> named = absl::StrSplit(text, absl::MaxSplits('=', 1));
    davit::common::v1::RecipeSecret& secret = *values.recipe.add_secrets();
    secret.set_id(named.first);
    secret.set_secret(named.second);
  }
  if (arguments.Has("secret")) values.fields.emplace_back("recipe.secrets");
  DAVIT_ASSIGN_OR_RETURN(const absl::Duration timeout, arguments.GetDuration("timeout"));
  if (timeout > absl::ZeroDuration()) {
    values.recipe.mutable_timeout()->set_seconds(absl::ToInt64Seconds(timeout));
    values.recipe.mutable_timeout()->set_nanos(static_cast<int>(absl::ToInt64Nanoseconds(timeout % absl::Seconds(1))));
    values.fields.emplace_back("recipe.timeout");
  }
  return values;
}

}  // namespace davit::cli
