// Tests of nearest.h.
#include "libs/settings/nearest.h"

#include <gtest/gtest.h>

namespace davit::settings {
namespace {

TEST(NearestTest, OnlyNearWordsAreSuggested) {
  EXPECT_EQ(Nearest("biulds", {"builds", "events"}), "builds");
  EXPECT_EQ(Nearest("ls", {"list", "get"}), "");
}

}  // namespace
}  // namespace davit::settings
