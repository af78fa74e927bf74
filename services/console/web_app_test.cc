// Tests of serving the embedded web app.
#include "services/console/web_app.h"

#include <gtest/gtest.h>

namespace davit::console {
namespace {

const EmbeddedFile kFiles[] = {
    {"index.html", "<!doctype html>page", "zipped page", ""},
    {"assets/app-1a2b.js", "script", "gz", "br"},
    {"favicon.svg", "<svg/>", "", ""},
};

http::ServerResponse Get(const std::string& path, http::Headers headers = {}) {
  http::ServerRequest request;
  request.method = "GET";
  request.path = path;
  request.headers = std::move(headers);
  return WebApp(kFiles).Serve(request);
}

TEST(WebAppTest, GivesThePageForEveryAddressOfTheApp) {
  for (const char* path : {"/", "/builds", "/builds/bld_1", "/sign-in", "/index.html"}) {
    const http::ServerResponse response = Get(path);
    EXPECT_EQ(response.status, 200) << path;
    EXPECT_EQ(response.body, "<!doctype html>page");
    EXPECT_EQ(response.headers.Get("Cache-Control"), "no-cache");
    EXPECT_EQ(response.headers.Get("Content-Type"), "text/html; charset=utf-8");
  }
}

TEST(WebAppTest, GivesAssetsForEverAndCompressedAsTheBrowserTakesThem) {
  const http::ServerResponse plain = Get("/assets/app-1a2b.js");
  EXPECT_EQ(plain.body, "script");
  EXPECT_EQ(plain.headers.Get("Cache-Control"), "public, max-age=31536000, immutable");
  EXPECT_FALSE(plain.headers.Has("Content-Encoding"));
  const http::ServerResponse brotli = Get("/assets/app-1a2b.js", {{"Accept-Encoding", "gzip, deflate, br"}});
  EXPECT_EQ(brotli.body, "br");
  EXPECT_EQ(brotli.headers.Get("Content-Encoding"), "br");
  EXPECT_EQ(Get("/assets/app-1a2b.js", {{"Accept-Encoding", "gzip;q=0.5, br;q=0"}}).body, "gz");
}

TEST(WebAppTest, SaysWhenTheBrowserHasItAlready) {
  const std::string etag = Get("/favicon.svg").headers.Get("ETag").value_or("");
  const http::ServerResponse response = Get("/favicon.svg", {{"If-None-Match", etag}});
  EXPECT_EQ(response.status, 304);
  EXPECT_EQ(response.body, "");
}

TEST(WebAppTest, ThereIsNoWayOutOfItsFiles) {
  for (const char* path : {"/../../../../etc/passwd.txt", "/assets/../../etc/hosts.conf", "/assets/%2e%2e/%2e%2e/x.js",
                           "/assets/..%2fmain.cc", "/assets/none", "/none.js", "//etc/passwd.d", "/assets/%00.js"}) {
    EXPECT_EQ(Get(path).status, 404) << path;
  }
}

TEST(WebAppTest, ThePageIsEmbedded) {
  bool found = false;
  for (const EmbeddedFile& file : EmbeddedWebApp()) found |= file.path == "index.html" && !file.content.empty();
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace davit::console
