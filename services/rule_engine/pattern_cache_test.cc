// Tests of the cache of compiled patterns.
#include "services/rule_engine/pattern_cache.h"

#include "gtest/gtest.h"

namespace davit::rule_engine {
namespace {

TEST(PatternCacheTest, APatternIsCompiledOnceAndTheCacheIsBounded) {
  PatternCache cache(2);
  ASSERT_TRUE(cache.Get("main").ok());
  ASSERT_TRUE(cache.Get("main").ok());
  EXPECT_EQ(cache.size(), 1);
  ASSERT_TRUE(cache.Get("dev").ok());
  ASSERT_TRUE(cache.Get("re:refs/tags/v.*").ok());
  EXPECT_EQ(cache.size(), 1);
}

TEST(PatternCacheTest, ARejectedPatternIsNotKept) {
  PatternCache cache;
  EXPECT_FALSE(cache.Get("re:(").ok());
  EXPECT_EQ(cache.size(), 0);
}

}  // namespace
}  // namespace davit::rule_engine
