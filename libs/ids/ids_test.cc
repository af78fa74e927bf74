// Tests of ids.h and random.h.
#include "libs/ids/ids.h"

#include <gtest/gtest.h>

#include <set>

#include "libs/clock/testing/fake_clock.h"
#include "libs/ids/testing/fake_random.h"

namespace davit {
namespace {

TEST(IdsTest, AnIdHasItsPrefixAndTwentySixCharacters) {
  FakeClock clock;
  FakeRandom random;
  const std::string id = NewId("bld", clock, random);
  EXPECT_EQ(id.size(), 30u);
  EXPECT_TRUE(IsId("bld", id)) << id;
  EXPECT_FALSE(IsId("con", id));
}

TEST(IdsTest, IdsSortByTheirTimeOfCreation) {
  FakeClock clock;
  FakeRandom random;
  std::string previous = NewId("bld", clock, random);
  for (int i = 0; i < 2000; ++i) {
    clock.Advance(absl::Nanoseconds(700));
    const std::string next = NewId("bld", clock, random);
    ASSERT_LT(previous, next);
    previous = next;
  }
}

TEST(IdsTest, IdsOfOneInstantDiffer) {
  FakeClock clock;
  SystemRandom random;
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(NewId("evt", clock, random));
  EXPECT_EQ(ids.size(), 1000u);
}

TEST(IdsTest, TheLeastIdOfATimeIsBetweenThoseBeforeAndAfter) {
  FakeClock clock;
  FakeRandom random;
  const std::string before = NewId("evt", clock, random);
  clock.Advance(absl::Milliseconds(1));
  const std::string least = LeastId("evt", clock.Now());
  EXPECT_TRUE(IsId("evt", least)) << least;
  EXPECT_LT(before, least);
  EXPECT_LE(least, NewId("evt", clock, random));
  EXPECT_EQ(LeastId("evt", absl::InfinitePast()), LeastId("evt", absl::UnixEpoch()));
}

TEST(IdsTest, TextOfAnotherFormIsNoId) {
  EXPECT_FALSE(IsId("bld", ""));
  EXPECT_FALSE(IsId("bld", "bld_"));
  EXPECT_FALSE(IsId("bld", "bld_01jgfjh3zdf2mvq8r6kq8c0v4"));
  EXPECT_FALSE(IsId("bld", "bld_01JGFJH3ZDF2MVQ8R6KQ8C0V4X"));
  EXPECT_FALSE(IsId("bld", "bld_01jgfjh3zdf2mvq8r6kq8c0v4u"));
  EXPECT_FALSE(IsId("bld", "bld_81jgfjh3zdf2mvq8r6kq8c0v4x"));
  EXPECT_TRUE(IsId("bld", "bld_01jgfjh3zdf2mvq8r6kq8c0v4x"));
}

TEST(RandomTest, AFractionIsAtLeastZeroAndBelowOne) {
  FakeRandom random;
  double sum = 0;
  for (int i = 0; i < 1000; ++i) {
    const double fraction = random.Fraction();
    ASSERT_GE(fraction, 0);
    ASSERT_LT(fraction, 1);
    sum += fraction;
  }
  EXPECT_NEAR(sum / 1000, 0.5, 0.05);
}

}  // namespace
}  // namespace davit
