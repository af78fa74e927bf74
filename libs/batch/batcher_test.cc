// Tests of batcher.h, with work that the test lets end.
#include "libs/batch/batcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "absl/synchronization/notification.h"

namespace davit::batch {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using TextBatcher = Batcher<std::string, std::string>;
using Answer = absl::StatusOr<std::string>;

// Where the answers go, by the item's place.
class Answers {
 public:
  explicit Answers(size_t count) : answers_(count, absl::UnknownError("no answer")), left_(count) {}

  TextBatcher::Done Place(size_t index) {
    return [this, index](Answer answer) {
      absl::MutexLock lock(&mutex_);
      EXPECT_EQ(answers_[index].status(), absl::UnknownError("no answer")) << "answered twice";
      answers_[index] = std::move(answer);
      --left_;
    };
  }

  // When all are there.
  std::vector<Answer> Get() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(
        +[](Answers* self) ABSL_NO_THREAD_SAFETY_ANALYSIS { return self->left_ == 0; }, this));
    return answers_;
  }

 private:
  absl::Mutex mutex_;
  std::vector<Answer> answers_ ABSL_GUARDED_BY(mutex_);
  size_t left_ ABSL_GUARDED_BY(mutex_);
};

class BatcherTest : public ::testing::Test {
 protected:
  // Notes the batch, waits until the gate is open, answers each item by itself but "bad" and "forgotten".
  void Work(TextBatcher::Batch& batch) {
    absl::MutexLock lock(&mutex_);
    std::vector<std::string> items;
    for (size_t i = 0; i < batch.size(); ++i) items.push_back(batch.item(i));
    batches_.push_back(items);
    mutex_.Await(absl::Condition(&open_));
    for (size_t i = 0; i < batch.size(); ++i) {
      if (items[i] == "forgotten") continue;
      batch.Answer(i, items[i] == "bad" ? Answer(absl::InvalidArgumentError("bad")) : Answer("did " + items[i]));
    }
  }

  TextBatcher::Work WorkOf() {
    return [this](TextBatcher::Batch& batch) { Work(batch); };
  }

  void Open(bool open) {
    absl::MutexLock lock(&mutex_);
    open_ = open;
  }

  void AwaitBatches(size_t count) {
    const auto enough = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return batches_.size() >= count; };
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(&enough));
  }

  std::vector<std::vector<std::string>> batches() {
    absl::MutexLock lock(&mutex_);
    return batches_;
  }

  // Hands in "first", which is held, then the items behind it; lets go. Returns the items' answers.
  std::vector<Answer> SubmitBehindAnother(BatcherOptions options, const std::vector<std::string>& items) {
    options.workers = 1;
    Open(false);
    Answers first(1);
    Answers answers(items.size());
    TextBatcher batcher(options, WorkOf());
    const size_t before = batches().size();
    batcher.Submit("first", 1, first.Place(0));
    AwaitBatches(before + 1);
    for (size_t i = 0; i < items.size(); ++i) batcher.Submit(items[i], items[i].size(), answers.Place(i));
    Open(true);
    EXPECT_EQ(*first.Get()[0], "did first");
    return answers.Get();
  }

  absl::Mutex mutex_;
  bool open_ ABSL_GUARDED_BY(mutex_) = true;
  std::vector<std::vector<std::string>> batches_ ABSL_GUARDED_BY(mutex_);
};

TEST_F(BatcherTest, WhatComesAloneIsDoneAtOnce) {
  TextBatcher batcher({}, WorkOf());
  Answers answers(1);
  batcher.Submit("a", 1, answers.Place(0));
  EXPECT_EQ(*answers.Get()[0], "did a");
  EXPECT_THAT(batches(), ElementsAre(ElementsAre("a")));
}

TEST_F(BatcherTest, WhatWaitsIsDoneTogetherInTheOrderInWhichItCame) {
  const auto answers = SubmitBehindAnother({}, {"a", "b", "c"});
  EXPECT_THAT(batches(), ElementsAre(ElementsAre("first"), ElementsAre("a", "b", "c")));
  EXPECT_EQ(*answers[0], "did a");
  EXPECT_EQ(*answers[2], "did c");
}

TEST_F(BatcherTest, ABatchBesideAnotherBeginsWhenItIsLargeEnough) {
  Open(false);
  Answers first(1), answers(3);
  TextBatcher batcher({.workers = 2, .items_beside = 3, .wait_beside = absl::InfiniteDuration()}, WorkOf());
  batcher.Submit("first", 1, first.Place(0));
  AwaitBatches(1);
  batcher.Submit("a", 1, answers.Place(0));
  batcher.Submit("b", 1, answers.Place(1));
  EXPECT_EQ(batcher.waiting(), 2u);
  EXPECT_THAT(batches(), ElementsAre(ElementsAre("first")));
  batcher.Submit("c", 1, answers.Place(2));
  AwaitBatches(2);
  EXPECT_THAT(batches(), ElementsAre(ElementsAre("first"), ElementsAre("a", "b", "c")));
  Open(true);
  answers.Get();
}

TEST_F(BatcherTest, WhatIsTooLittleForABatchBesideAnotherFollowsIt) {
  Open(false);
  Answers first(1), answers(2);
  TextBatcher batcher({.workers = 2, .items_beside = 3, .wait_beside = absl::InfiniteDuration()}, WorkOf());
  batcher.Submit("first", 1, first.Place(0));
  AwaitBatches(1);
  batcher.Submit("a", 1, answers.Place(0));
  batcher.Submit("b", 1, answers.Place(1));
  Open(true);
  EXPECT_EQ(*answers.Get()[1], "did b");
  EXPECT_THAT(batches(), ElementsAre(ElementsAre("first"), ElementsAre("a", "b")));
}

TEST_F(BatcherTest, ABatchThatTakesLongHoldsNothingElseUp) {
  Open(false);
  Answers first(1), answers(1);
  TextBatcher batcher({.workers = 2, .items_beside = 1000}, WorkOf());
  batcher.Submit("first", 1, first.Place(0));
  AwaitBatches(1);
  batcher.Submit("a", 1, answers.Place(0));
  AwaitBatches(2);
  EXPECT_THAT(batches(), ElementsAre(ElementsAre("first"), ElementsAre("a")));
  Open(true);
}

TEST_F(BatcherTest, EachIsAnsweredForItself) {
  const auto answers = SubmitBehindAnother({}, {"a", "bad", "c"});
  EXPECT_TRUE(answers[0].ok());
  EXPECT_EQ(answers[1].status(), absl::InvalidArgumentError("bad"));
  EXPECT_TRUE(answers[2].ok());
}

TEST_F(BatcherTest, WhatTheWorkForgetsIsAnError) {
  const auto answers = SubmitBehindAnother({}, {"a", "forgotten"});
  EXPECT_TRUE(answers[0].ok());
  EXPECT_EQ(answers[1].status().code(), absl::StatusCode::kInternal);
}

TEST_F(BatcherTest, ABatchIsBoundedInItemsAndBytes) {
  SubmitBehindAnother({.max_items = 2}, {"a", "b", "c"});
  EXPECT_THAT(batches(), ElementsAre(ElementsAre("first"), ElementsAre("a", "b"), ElementsAre("c")));
}

TEST_F(BatcherTest, WhatIsTooLargeForABatchHasOneToItself) {
  SubmitBehindAnother({.max_bytes = 4}, {"too long", "ab", "cd", "e"});
  EXPECT_THAT(batches(),
              ElementsAre(ElementsAre("first"), ElementsAre("too long"), ElementsAre("ab", "cd"), ElementsAre("e")));
}

TEST_F(BatcherTest, WhatIsMoreThanMayWaitIsRefusedAtOnce) {
  const auto answers = SubmitBehindAnother({.max_held_items = 3}, {"a", "b", "c"});
  EXPECT_TRUE(answers[0].ok());
  EXPECT_TRUE(answers[1].ok());
  EXPECT_EQ(answers[2].status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(answers[2].status().message(), HasSubstr("3 items wait already"));
}

TEST_F(BatcherTest, MoreBytesThanMayWaitAreRefused) {
  const auto answers = SubmitBehindAnother({.max_held_bytes = 5}, {"abcd", "e"});
  EXPECT_TRUE(answers[0].ok());
  EXPECT_EQ(answers[1].status().code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(BatcherTest, WhatIsLargerThanMayWaitIsTakenAlone) {
  TextBatcher batcher({.max_held_bytes = 10}, WorkOf());
  for (int i = 0; i < 2; ++i) {
    Answers answers(1);
    batcher.Submit("a", 100, answers.Place(0));
    EXPECT_TRUE(answers.Get()[0].ok());
  }
}

TEST_F(BatcherTest, AnAnswerDoesNotWaitForTheRestOfItsBatch) {
  absl::Notification answered;
  TextBatcher batcher({.workers = 1}, [&](TextBatcher::Batch& batch) {
    batch.Answer(0, "early");
    answered.WaitForNotification();
  });
  batcher.Submit("a", 1, [&](Answer answer) {
    EXPECT_EQ(*answer, "early");
    answered.Notify();
  });
  answered.WaitForNotification();
}

TEST_F(BatcherTest, EverythingIsAnsweredBeforeItEnds) {
  Answers answers(100);
  {
    TextBatcher batcher({.max_items = 3}, WorkOf());
    for (size_t i = 0; i < 100; ++i) batcher.Submit(std::to_string(i), 1, answers.Place(i));
  }
  const std::vector<Answer> got = answers.Get();
  for (size_t i = 0; i < 100; ++i) EXPECT_EQ(*got[i], "did " + std::to_string(i));
}

TEST_F(BatcherTest, ManyCallersAreAllAnswered) {
  TextBatcher batcher({.max_items = 3}, WorkOf());
  std::vector<std::thread> callers;
  for (int i = 0; i < 16; ++i) {
    callers.emplace_back([&batcher, i] {
      for (int turn = 0; turn < 50; ++turn) {
        const std::string item = std::to_string(i * 1000 + turn);
        Answers answers(1);
        batcher.Submit(item, 1, answers.Place(0));
        EXPECT_EQ(*answers.Get()[0], "did " + item);
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(batcher.waiting(), 0u);
}

}  // namespace
}  // namespace davit::batch
