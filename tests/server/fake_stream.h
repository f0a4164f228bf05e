// A stream without a socket: the test is the peer.
#ifndef TESTS_SERVER_FAKE_STREAM_H_
#define TESTS_SERVER_FAKE_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "server/base/loop.h"
#include "server/base/stream.h"

namespace base {

class FakeStream final : public Stream {
 public:
  explicit FakeStream(Loop* loop) : flush_(loop, TurnEnd::kFlush, [this] { LeaveTurn(); }) {}

  // The peer reads as fast as can be, or, stuck, only what it is told to.
  void SetStuck(bool stuck) {
    is_stuck_ = stuck;
    flush_.Arm();
  }
  void ReadQueued() {
    if (queued_.empty()) return;
    sent_ += std::exchange(queued_, {});
    handler_->OnDrained();
  }
  void Receive(absl::string_view data) { handler_->OnData(data); }

  const std::string& sent() const { return sent_; }  // What the peer has read.
  bool reading() const { return reading_; }

  void SetHandler(Handler* handler) override { handler_ = handler; }
  void Write(absl::string_view data) override {
    queued_.append(data.data(), data.size());
    flush_.Arm();
  }
  void Write(SharedText text) override { Write(absl::string_view(*text)); }
  void Flush() override {}  // Nothing is taken before the turn's end.
  size_t backlog() const override { return queued_.size(); }
  uint64_t bytes_written() const override { return sent_.size(); }
  uint64_t bytes_queued() const override { return sent_.size() + queued_.size(); }
  void SetReading(bool reading) override { reading_ = reading; }
  bool connected() const override { return true; }
  bool send_failed() const override { return false; }
  const std::string& name() const override { return name_; }
  std::string LocalAddress() const override { return ""; }
  std::string PeerAddress() const override { return ""; }
  std::string PeerCommonName() const override { return ""; }

 private:
  void LeaveTurn() {
    if (!is_stuck_) ReadQueued();
  }

  const std::string name_ = "fake";
  Handler* handler_ = nullptr;
  std::string queued_;
  std::string sent_;
  bool is_stuck_ = false;
  bool reading_ = true;
  TurnEnd flush_;
};

}  // namespace base

#endif  // TESTS_SERVER_FAKE_STREAM_H_
