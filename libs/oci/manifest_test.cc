// Tests of manifest.h.
#include "libs/oci/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

namespace davit::oci {
namespace {

using ::testing::HasSubstr;

std::string DescriptorJson(const std::string& type, char digit, int size) {
  return absl::StrCat(R"({"mediaType":")", type, R"(","size":)", size, R"(,"digest":"sha256:)", std::string(64, digit),
                      "\"}");
}

Manifest DockerImage(const std::string& layer_type = "application/vnd.docker.image.rootfs.diff.tar.gzip") {
  return Manifest::FromBytes(kDockerManifest,
                             absl::StrCat(R"({"schemaVersion":2,"mediaType":")", kDockerManifest, R"(","config":)",
                                          DescriptorJson(kDockerConfig, 'a', 10), R"(,"layers":[)",
                                          DescriptorJson(layer_type, 'b', 20), "]}"));
}

TEST(ManifestTest, TheDigestIsThatOfTheBytes) {
  EXPECT_EQ(DigestOf(""), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Manifest::FromBytes("t", "").digest, DigestOf(""));
}

TEST(ManifestTest, ReadsConfigAndLayers) {
  const ImageManifest image = *ParseImageManifest(DockerImage());
  EXPECT_EQ(image.config, (Descriptor{kDockerConfig, "sha256:" + std::string(64, 'a'), 10}));
  ASSERT_EQ(image.layers.size(), 1u);
  EXPECT_EQ(image.layers[0].size, 20);
}

TEST(ManifestTest, AnnotatingConvertsADockerManifest) {
  const Manifest annotated = *AnnotateManifest(DockerImage(), {{"org.opencontainers.image.revision", "abc"}});
  EXPECT_EQ(annotated.media_type, kOciManifest);
  EXPECT_EQ(annotated.digest, DigestOf(annotated.bytes));
  const nlohmann::json json = nlohmann::json::parse(annotated.bytes);
  EXPECT_EQ(json["mediaType"], kOciManifest);
  EXPECT_EQ(json["annotations"]["org.opencontainers.image.revision"], "abc");
  const ImageManifest image = *ParseImageManifest(annotated);
  EXPECT_EQ(image.config, (Descriptor{kOciConfig, "sha256:" + std::string(64, 'a'), 10}));
  EXPECT_EQ(image.layers[0],
            (Descriptor{"application/vnd.oci.image.layer.v1.tar+gzip", "sha256:" + std::string(64, 'b'), 20}));
}

TEST(ManifestTest, AnnotatingTwiceGivesTheSameBytesAndOursWin) {
  const Manifest once = *AnnotateManifest(DockerImage(), {{"a", "1"}, {"b", "2"}});
  EXPECT_EQ(AnnotateManifest(DockerImage(), {{"b", "2"}, {"a", "1"}})->bytes, once.bytes);
  EXPECT_EQ(AnnotateManifest(once, {})->bytes, once.bytes);
  EXPECT_EQ(AnnotateManifest(once, {{"b", "3"}})->bytes,
            AnnotateManifest(DockerImage(), {{"a", "1"}, {"b", "3"}})->bytes);
}

TEST(ManifestTest, KeepsFieldsThatItDoesNotKnow) {
  const Manifest manifest = Manifest::FromBytes(
      kOciManifest, absl::StrCat(R"({"schemaVersion":2,"config":)", DescriptorJson(kOciConfig, 'a', 1),
                                 R"(,"layers":[],"artifactType":"x/y"})"));
  EXPECT_THAT(AnnotateManifest(manifest, {{"k", "v"}})->bytes, HasSubstr(R"("artifactType":"x/y")"));
}

TEST(ManifestTest, RefusesWhatIsNotAnImage) {
  const std::pair<const char*, std::string> cases[] = {
      {kOciIndex, R"({"schemaVersion":2,"manifests":[]})"},
      {"application/vnd.docker.distribution.manifest.v1+prettyjws", "{}"},
      {kOciManifest, "not json"},
      {kOciManifest, "[]"},
      {kOciManifest, R"({"schemaVersion":1})"},
      {kOciManifest, R"({"schemaVersion":2,"config":{},"layers":[]})"},
      {kOciManifest, R"({"schemaVersion":2,"config":1,"layers":{}})"},
      {kOciManifest, absl::StrCat(R"({"schemaVersion":2,"layers":[],"annotations":{"a":1},"config":)",
                                  DescriptorJson(kOciConfig, 'a', 1), "}")},
      {kOciManifest,
       absl::StrCat(R"({"schemaVersion":2,"layers":[],"config":)", DescriptorJson(kOciConfig, 'x', 1), "}")},
      {kOciManifest,
       absl::StrCat(R"({"schemaVersion":2,"layers":[],"config":)", DescriptorJson(kOciConfig, 'a', -1), "}")},
  };
  for (const auto& [type, bytes] : cases) {
    EXPECT_EQ(AnnotateManifest(Manifest::FromBytes(type, bytes), {}).status().code(),
              absl::StatusCode::kInvalidArgument)
        << bytes;
  }
}

TEST(ManifestTest, RefusesADockerLayerWithoutAnEquivalent) {
  const absl::Status status = AnnotateManifest(DockerImage("application/vnd.docker.plugin.v1+json"), {}).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("application/vnd.docker.plugin.v1+json"));
}

}  // namespace
}  // namespace davit::oci
