// Tests of byte_pipe.h.
#include "libs/http/byte_pipe.h"

#include <gtest/gtest.h>

#include <thread>

namespace davit::http {
namespace {

using State = BytePipe::State;

TEST(BytePipeTest, GivesPiecesInTheirOrderAndThenTheEnd) {
  BytePipe pipe(100);
  EXPECT_EQ(pipe.Write("a"), State::kReady);
  EXPECT_EQ(pipe.Write("b"), State::kReady);
  pipe.End();
  EXPECT_EQ(pipe.Write("c"), State::kClosed);
  EXPECT_EQ(pipe.Read().value(), "a");
  EXPECT_FALSE(pipe.AtEnd());
  EXPECT_EQ(pipe.TryRead(), "b");
  EXPECT_TRUE(pipe.AtEnd());
  EXPECT_EQ(pipe.TryRead(), std::nullopt);
  EXPECT_EQ(pipe.Read().value(), "");
}

TEST(BytePipeTest, TellsAWriterThatItIsFullAndWhenThereIsRoom) {
  BytePipe pipe(4);
  int called = 0;
  pipe.WhenRoom([&] { ++called; });
  EXPECT_EQ(called, 1);
  EXPECT_EQ(pipe.Write("abc"), State::kReady);
  EXPECT_EQ(pipe.Write("def"), State::kFull);
  pipe.WhenRoom([&] {
    ++called;
    EXPECT_EQ(pipe.Write("g"), State::kFull);  // the pipe may be used
  });
  EXPECT_EQ(called, 1);
  EXPECT_EQ(pipe.TryRead(), "abc");
  EXPECT_EQ(called, 2);
}

TEST(BytePipeTest, AReaderThatClosesFreesAWriterThatWaits) {
  BytePipe pipe(1);
  EXPECT_EQ(pipe.Write("full"), State::kFull);
  bool called = false;
  pipe.WhenRoom([&] { called = true; });
  pipe.Close();
  EXPECT_TRUE(called);
  EXPECT_EQ(pipe.Write("more"), State::kClosed);
  EXPECT_EQ(pipe.TryRead(), std::nullopt);
}

TEST(BytePipeTest, TellsOnceThatItWasEndedOrClosed) {
  int called = 0;
  BytePipe ended(10), closed(10);
  ended.WhenClosed([&] { ++called; });
  closed.WhenClosed([&] {
    EXPECT_EQ(closed.state(), State::kClosed);
    ++called;
  });
  ended.End();
  closed.Close();
  EXPECT_EQ(called, 2);
  ended.Close();
  EXPECT_EQ(called, 2);
  ended.WhenClosed([&] { ++called; });
  EXPECT_EQ(called, 3);
}

TEST(BytePipeTest, AnAbortionReachesAReaderThatBlocks) {
  BytePipe pipe(10);
  std::thread writer([&pipe] { pipe.Abort(absl::UnavailableError("the peer has gone")); });
  EXPECT_EQ(pipe.Read().status(), absl::UnavailableError("the peer has gone"));
  writer.join();
}

TEST(BytePipeTest, NotifiesAReaderOfPiecesAndOfTheEnd) {
  BytePipe pipe(10);
  int notified = 0;
  pipe.OnReadable([&notified] { ++notified; });
  pipe.Write("a");
  pipe.Write("");
  pipe.End();
  EXPECT_EQ(notified, 2);
  pipe.OnReadable(nullptr);
  pipe.End();
  EXPECT_EQ(notified, 2);
}

}  // namespace
}  // namespace davit::http
