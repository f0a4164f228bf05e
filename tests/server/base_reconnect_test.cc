#include "server/base/reconnect.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "server/base/io_error.h"

namespace base {
namespace {

using Action = Reconnect::Action;
using State = Reconnect::State;

Reconnect Enabled() {
  Reconnect fsm(0);
  fsm.SetName("remote");
  fsm.Enable(0);
  return fsm;
}

TEST(ReconnectTest, ConnectsAtOnce) {
  Reconnect fsm = Enabled();
  EXPECT_EQ(fsm.state(), State::kBackoff);
  EXPECT_EQ(fsm.Run(0), Action::kConnect);
  fsm.Connecting(0);
  fsm.Connected(10);
  EXPECT_EQ(fsm.state(), State::kActive);
  EXPECT_EQ(fsm.last_connected(), 10);
  EXPECT_EQ(fsm.Deadline(), 5010);
}

TEST(ReconnectTest, DoublesBackoffUpToTheLimit) {
  Reconnect fsm = Enabled();
  int64_t now = 0;
  for (const int64_t wait : {1000, 2000, 4000, 8000, 8000}) {
    ASSERT_EQ(fsm.Run(now), Action::kConnect);
    fsm.Connecting(now);
    fsm.Disconnected(now, IoError(ECONNREFUSED));
    EXPECT_EQ(fsm.Run(now + wait - 1), Action::kNone);
    ASSERT_EQ(fsm.Deadline(), now + wait);
    now += wait;
  }
}

TEST(ReconnectTest, BackoffStartsAnewAfterAConnectionThatProvedItself) {
  Reconnect fsm = Enabled();
  fsm.Connecting(0);
  fsm.Disconnected(0, IoError(ECONNREFUSED));
  fsm.Connecting(1000);
  fsm.Disconnected(1000, IoError(ECONNREFUSED));
  fsm.Connecting(3000);
  fsm.Connected(3000);
  fsm.Activity(6000);
  fsm.Disconnected(6001, EndOfFile());
  EXPECT_EQ(fsm.Deadline(), 7001);
  EXPECT_EQ(fsm.last_disconnected(), 6001);
}

TEST(ReconnectTest, GoesOnBackingOffAfterAConnectionThatSaidNothing) {
  Reconnect fsm = Enabled();
  fsm.Connecting(0);
  fsm.Disconnected(0, IoError(ECONNREFUSED));
  fsm.Connecting(1000);
  fsm.Connected(1000);
  fsm.Disconnected(1001, EndOfFile());
  EXPECT_EQ(fsm.Deadline(), 3001);
}

TEST(ReconnectTest, AnAttemptTimesOut) {
  Reconnect fsm = Enabled();
  fsm.Connecting(0);
  EXPECT_EQ(fsm.Run(999), Action::kNone);
  EXPECT_EQ(fsm.Run(1000), Action::kDisconnect);
}

TEST(ReconnectTest, ProbesASilentPeerAndThenGivesUp) {
  Reconnect fsm = Enabled();
  fsm.Connecting(0);
  fsm.Connected(0);
  fsm.Activity(1000);
  EXPECT_EQ(fsm.Run(5999), Action::kNone);
  EXPECT_EQ(fsm.Run(6000), Action::kProbe);
  EXPECT_EQ(fsm.Run(6000), Action::kNone);
  EXPECT_TRUE(fsm.is_connected());
  EXPECT_EQ(fsm.Run(10999), Action::kNone);
  EXPECT_EQ(fsm.Run(11000), Action::kDisconnect);
}

TEST(ReconnectTest, AnAnswerToTheProbeKeepsTheConnection) {
  Reconnect fsm = Enabled();
  fsm.Connecting(0);
  fsm.Connected(0);
  ASSERT_EQ(fsm.Run(5000), Action::kProbe);
  fsm.Activity(5001);
  EXPECT_EQ(fsm.state(), State::kActive);
  EXPECT_EQ(fsm.Deadline(), 10001);
}

TEST(ReconnectTest, ProbesCanBeTurnedOff) {
  Reconnect fsm = Enabled();
  fsm.SetProbeInterval(0);
  fsm.Connecting(0);
  fsm.Connected(0);
  EXPECT_EQ(fsm.Deadline(), std::nullopt);
  EXPECT_EQ(fsm.Run(1000000), Action::kNone);
  for (const int little : {10, -5}) {
    fsm.SetProbeInterval(0);
    fsm.SetProbeInterval(little);
    EXPECT_EQ(fsm.probe_interval(), 1000);
  }
}

TEST(ReconnectTest, ForcedReconnectionDisconnectsFirst) {
  Reconnect fsm = Enabled();
  fsm.Connecting(0);
  fsm.Connected(0);
  fsm.Activity(2000);
  fsm.ForceReconnect(2000);
  EXPECT_EQ(fsm.Run(2000), Action::kDisconnect);
  fsm.Disconnected(2000, absl::OkStatus());
  EXPECT_EQ(fsm.state(), State::kBackoff);
}

TEST(ReconnectTest, SkippedBackoffIsUsedUp) {
  Reconnect fsm = Enabled();
  fsm.SkipBackoff(2);
  for (int i = 0; i < 2; i++) {
    fsm.Connecting(0);
    fsm.Disconnected(0, IoError(ECONNREFUSED));
    EXPECT_EQ(fsm.Deadline(), 0);
  }
  fsm.Connecting(0);
  fsm.Disconnected(0, IoError(ECONNREFUSED));
  EXPECT_EQ(fsm.Deadline(), 1000);
}

TEST(ReconnectTest, AnAcceptedConnectionIsNotTriedAgain) {
  Reconnect fsm(0);
  fsm.SetMaxTries(0);
  fsm.Connected(0);
  fsm.Disconnected(10, EndOfFile());
  EXPECT_EQ(fsm.state(), State::kVoid);
  EXPECT_EQ(fsm.Deadline(), std::nullopt);
}

TEST(ReconnectTest, PassiveListensAgainWithoutWaiting) {
  Reconnect fsm(0);
  fsm.SetPassive(true, 0);
  fsm.Enable(0);
  ASSERT_EQ(fsm.Run(0), Action::kConnect);
  fsm.Listening(0);
  EXPECT_EQ(fsm.Deadline(), std::nullopt);
  fsm.Connected(100);
  fsm.Disconnected(200, EndOfFile());
  EXPECT_EQ(fsm.Deadline(), 200);
}

}  // namespace
}  // namespace base
