// Tests of batcher.h, with work that the test lets end.
#include "libs/batch/batcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace davit::batch {
namespace {

using ::testing::ElementsAre;
using TextBatcher = Batcher<std::string, std::string>;

class BatcherTest : public ::testing::Test {
 protected:
  // Notes the batch, waits until the gate is open, answers each item by itself but "bad".
  TextBatcher::Answers Work(const std::string& group, absl::Span<const std::string* const> items) {
    absl::MutexLock lock(&mutex_);
    std::vector<std::string> batch = {group};
    for (const std::string* item : items) batch.push_back(*item);
    batches_.push_back(batch);
    mutex_.Await(absl::Condition(&open_));
    TextBatcher::Answers answers;
    for (const std::string* item : items) {
      if (*item == "bad") {
        answers.push_back(absl::InvalidArgumentError("bad"));
      } else {
        answers.push_back("did " + *item);
      }
    }
    return answers;
  }

  void Open(bool open) {
    absl::MutexLock lock(&mutex_);
    open_ = open;
  }

  size_t batches() {
    absl::MutexLock lock(&mutex_);
    return batches_.size();
  }

  // Hands in "first", which is held, then the items behind it, each by a caller of its own; lets go. Returns the
  // answers.
  TextBatcher::Answers SubmitBehindAnother(BatcherOptions options, const std::vector<std::string>& items,
                                           const std::vector<std::string>& groups = {}) {
    options.max_running = 1;
    TextBatcher batcher(options, [this](const std::string& group, absl::Span<const std::string* const> batch) {
      return Work(group, batch);
    });
    Open(false);
    const std::string first = "first";
    std::thread holder([&] { EXPECT_TRUE(batcher.Submit({&first, "g", 1}).ok()); });
    while (batches() == 0) std::this_thread::yield();
    TextBatcher::Answers answers(items.size(), absl::UnknownError(""));
    std::vector<std::thread> callers;
    for (size_t i = 0; i < items.size(); ++i) {
      callers.emplace_back([&, i] {
        answers[i] = batcher.Submit({&items[i], groups.empty() ? "g" : groups[i], items[i].size()});
      });
      while (batcher.waiting() < i + 1) std::this_thread::yield();
    }
    Open(true);
    holder.join();
    for (std::thread& caller : callers) caller.join();
    return answers;
  }

  absl::Mutex mutex_;
  bool open_ ABSL_GUARDED_BY(mutex_) = true;
  std::vector<std::vector<std::string>> batches_ ABSL_GUARDED_BY(mutex_);
};

TEST_F(BatcherTest, WhatComesAloneIsDoneAtOnce) {
  TextBatcher batcher(
      {}, [this](const std::string& group, absl::Span<const std::string* const> items) { return Work(group, items); });
  const std::string item = "a";
  EXPECT_EQ(*batcher.Submit({&item, "g", 1}), "did a");
  EXPECT_THAT(batches_, ElementsAre(ElementsAre("g", "a")));
}

TEST_F(BatcherTest, WhatWaitsIsDoneTogetherInTheOrderInWhichItCame) {
  const auto answers = SubmitBehindAnother({}, {"a", "b", "c"});
  EXPECT_THAT(batches_, ElementsAre(ElementsAre("g", "first"), ElementsAre("g", "a", "b", "c")));
  EXPECT_EQ(*answers[0], "did a");
  EXPECT_EQ(*answers[2], "did c");
}

TEST_F(BatcherTest, EachIsAnsweredForItself) {
  const auto answers = SubmitBehindAnother({}, {"a", "bad", "c"});
  EXPECT_TRUE(answers[0].ok());
  EXPECT_EQ(answers[1].status(), absl::InvalidArgumentError("bad"));
  EXPECT_TRUE(answers[2].ok());
}

TEST_F(BatcherTest, ABatchIsBoundedInItemsAndBytes) {
  SubmitBehindAnother({.max_items = 2}, {"a", "b", "c"});
  EXPECT_THAT(batches_, ElementsAre(ElementsAre("g", "first"), ElementsAre("g", "a", "b"), ElementsAre("g", "c")));
  batches_.clear();
  SubmitBehindAnother({.max_bytes = 4}, {"too long", "ab", "cd", "e"});
  EXPECT_THAT(batches_, ElementsAre(ElementsAre("g", "first"), ElementsAre("g", "too long"),
                                    ElementsAre("g", "ab", "cd"), ElementsAre("g", "e")));
}

TEST_F(BatcherTest, GroupsAreKeptApartAndTheFirstComesFirst) {
  SubmitBehindAnother({}, {"a", "b", "c", "d"}, {"x", "y", "x", "y"});
  EXPECT_THAT(batches_, ElementsAre(ElementsAre("g", "first"), ElementsAre("x", "a", "c"), ElementsAre("y", "b", "d")));
}

TEST_F(BatcherTest, WhatIsMoreThanMayWaitIsRefused) {
  const auto answers = SubmitBehindAnother({.max_held_items = 3}, {"a", "b"});
  EXPECT_TRUE(answers[1].ok());
  TextBatcher batcher(
      {.max_held_items = 2},
      [this](const std::string& group, absl::Span<const std::string* const> items) { return Work(group, items); });
  const std::string item = "a";
  const TextBatcher::Entry entry = {&item, "g", 1};
  const std::vector<TextBatcher::Entry> entries(3, entry);
  for (const auto& answer : batcher.Submit(entries)) {
    EXPECT_EQ(answer.status().code(), absl::StatusCode::kResourceExhausted);
  }
  EXPECT_TRUE(batcher.Submit(entry).ok());
}

TEST_F(BatcherTest, WhatIsLargerThanMayWaitIsTakenAlone) {
  TextBatcher batcher(
      {.max_held_bytes = 10},
      [this](const std::string& group, absl::Span<const std::string* const> items) { return Work(group, items); });
  const std::string item = "a";
  EXPECT_TRUE(batcher.Submit({&item, "g", 100}).ok());
  EXPECT_TRUE(batcher.Submit({&item, "g", 100}).ok());
}

TEST_F(BatcherTest, SeveralOfOneCallerAreAnsweredInTheirOrder) {
  TextBatcher batcher({.max_items = 2}, [this](const std::string& group, absl::Span<const std::string* const> items) {
    return Work(group, items);
  });
  const std::vector<std::string> items = {"a", "b", "c", "d", "e"};
  std::vector<TextBatcher::Entry> entries;
  for (const std::string& item : items) entries.push_back({&item, item == "b" ? "x" : "g", 1});
  const auto answers = batcher.Submit(entries);
  ASSERT_EQ(answers.size(), 5u);
  for (size_t i = 0; i < items.size(); ++i) EXPECT_EQ(*answers[i], "did " + items[i]);
  EXPECT_THAT(batches_, ElementsAre(ElementsAre("g", "a", "c"), ElementsAre("x", "b"), ElementsAre("g", "d", "e")));
}

TEST_F(BatcherTest, ManyCallersAreAllAnswered) {
  TextBatcher batcher({.max_items = 3}, [this](const std::string& group, absl::Span<const std::string* const> items) {
    return Work(group, items);
  });
  std::vector<std::thread> callers;
  for (int i = 0; i < 16; ++i) {
    callers.emplace_back([&batcher, i] {
      for (int turn = 0; turn < 50; ++turn) {
        const std::string item = std::to_string(i * 1000 + turn);
        EXPECT_EQ(*batcher.Submit({&item, i % 3 == 0 ? "x" : "y", 1}), "did " + item);
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(batcher.waiting(), 0u);
}

}  // namespace
}  // namespace davit::batch
