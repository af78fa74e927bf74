// Tests of the events held in memory.
#include "services/rule_engine/recent_events.h"

#include "gtest/gtest.h"

namespace davit::rule_engine {
namespace {

Event MakeEvent(const std::string& id) {
  Event event;
  event.id = id;
  event.delivery_id = "delivery of " + id;
  return event;
}

TEST(RecentEventsTest, AnEventIsGivenAwayOnce) {
  RecentEvents recent(2);
  recent.Put(MakeEvent("evt_1"));
  EXPECT_EQ(recent.Take("evt_1")->delivery_id, "delivery of evt_1");
  EXPECT_FALSE(recent.Take("evt_1").has_value());
}

TEST(RecentEventsTest, TheOldestIsForgotten) {
  RecentEvents recent(2);
  for (const char* id : {"evt_1", "evt_2", "evt_3"}) recent.Put(MakeEvent(id));
  EXPECT_FALSE(recent.Take("evt_1").has_value());
  EXPECT_TRUE(recent.Take("evt_2").has_value());
  EXPECT_TRUE(recent.Take("evt_3").has_value());
}

TEST(RecentEventsTest, WhatWasTakenMakesNoOtherForgotten) {
  RecentEvents recent(2);
  recent.Put(MakeEvent("evt_1"));
  recent.Put(MakeEvent("evt_2"));
  EXPECT_TRUE(recent.Take("evt_1").has_value());
  recent.Put(MakeEvent("evt_3"));
  EXPECT_TRUE(recent.Take("evt_2").has_value());
  EXPECT_TRUE(recent.Take("evt_3").has_value());
}

}  // namespace
}  // namespace davit::rule_engine
