// Tests of the reading of an engine's push progress.
#include "libs/buildkit/engine.h"

#include <gtest/gtest.h>

namespace davit::buildkit {
namespace {

TEST(PushProgressTest, TheDigestIsFoundWhereverPiecesAreCut) {
  const std::string stream =
      "{\"status\":\"The push refers to repository [r/app]\"}\r\n"
      "{\"status\":\"Pushed\",\"progressDetail\":{},\"id\":\"0a\"}\r\n"
      "{\"status\":\"bld: digest: sha256:ab size: 528\"}\r\n"
      "{\"progressDetail\":{},\"aux\":{\"Tag\":\"bld\",\"Digest\":\"sha256:ab\",\"Size\":528}}\r\n";
  for (size_t piece = 1; piece < stream.size(); piece += 7) {
    PushProgress progress;
    for (size_t at = 0; at < stream.size(); at += piece) progress.Feed(absl::string_view(stream).substr(at, piece));
    ASSERT_TRUE(progress.Result().ok()) << progress.Result().status();
    EXPECT_EQ(*progress.Result(), "sha256:ab");
  }
}

TEST(PushProgressTest, AnErrorInTheStreamIsTheResultAlthoughTheResponseWas200) {
  PushProgress progress;
  progress.Feed(
      "{\"status\":\"Preparing\"}\n{\"errorDetail\":{\"message\":\"unauthorized: "
      "wrong\"},\"error\":\"unauthorized\"}\n");
  EXPECT_EQ(progress.Result().status().code(), absl::StatusCode::kUnauthenticated);
  PushProgress denied;
  denied.Feed("{\"errorDetail\":{\"message\":\"denied: requested access\"},\"error\":\"denied\"}\n");
  EXPECT_EQ(denied.Result().status().code(), absl::StatusCode::kPermissionDenied);
}

TEST(PushProgressTest, AStreamThatEndsEarlyIsAnInfrastructureError) {
  PushProgress progress;
  progress.Feed("{\"status\":\"Preparing\"}\n{\"stat");
  EXPECT_EQ(progress.Result().status().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace davit::buildkit
