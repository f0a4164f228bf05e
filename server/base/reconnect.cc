#include "server/base/reconnect.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/base/io_error.h"
#include "server/base/log.h"

namespace base {
namespace {

LogModule log("reconnect");

constexpr int kMinBackoffFloorMs = 1000;
constexpr int kMinProbeIntervalMs = 1000;
// An attempt to connect gets at least this.
constexpr int kMinConnectMs = 1000;

}  // namespace

Reconnect::Reconnect(int64_t now) : state_since_(now), last_activity_(now) {}

// An ordinary event.
void Reconnect::Say(absl::string_view what) const {
  log.Log(quiet_ || tired_ ? LogLevel::kDebug : LogLevel::kInfo, "%s: %s", name_,
          std::string(what));
}

void Reconnect::SetBackoff(int min_ms, int max_ms) {
  min_backoff_ = std::max(min_ms, kMinBackoffFloorMs);
  max_backoff_ = std::max(max_ms, min_backoff_);
  if (state_ == State::kBackoff) backoff_ = std::min(backoff_, max_backoff_);
}

void Reconnect::SetProbeInterval(int ms) {
  probe_interval_ = ms != 0 ? std::max(ms, kMinProbeIntervalMs) : 0;
}

void Reconnect::SetPassive(bool passive, int64_t now) {
  if (passive == passive_) return;
  passive_ = passive;
  const State wrong = passive ? State::kConnecting : State::kListening;
  if (state_ == wrong) Transition(State::kBackoff, now);
}

void Reconnect::Enable(int64_t now) {
  if (state_ != State::kVoid || !MayTry()) return;
  backoff_ = 0;
  Transition(State::kBackoff, now);
}

void Reconnect::Disable(int64_t now) { Transition(State::kVoid, now); }

void Reconnect::ForceReconnect(int64_t now) {
  if (state_ == State::kConnecting || is_connected()) Transition(State::kReconnect, now);
}

void Reconnect::Connecting(int64_t now) {
  if (state_ == State::kConnecting) return;
  Say(passive_ ? "listening..." : "connecting...");
  Transition(State::kConnecting, now);
}

void Reconnect::Listening(int64_t now) {
  if (state_ == State::kListening) return;
  Say("listening...");
  Transition(State::kListening, now);
}

void Reconnect::Connected(int64_t now) {
  if (is_connected()) return;
  if (state_ != State::kConnecting && !passive_) Connecting(now);
  tired_ = false;
  Say("connected");
  Transition(State::kActive, now);
  last_connected_ = now;
}

void Reconnect::Disconnected(int64_t now, const absl::Status& reason) {
  if (state_ == State::kBackoff || state_ == State::kVoid) return;
  LogEnd(reason);
  if (is_connected() || state_ == State::kReconnect) last_disconnected_ = now;
  BackOff();
  Transition(MayTry() ? State::kBackoff : State::kVoid, now);
}

void Reconnect::LogEnd(const absl::Status& reason) const {
  const std::string text(reason.message());
  const bool failed = ErrorNumber(reason) > 0;
  if (is_connected()) {
    if (failed) {
      log.Warn("%s: connection dropped (%s)", name_, text);
    } else {
      Say(reason.ok() ? "connection dropped" : "connection closed by peer");
    }
  } else if (state_ == State::kListening) {
    if (failed) {
      log.Warn("%s: error listening for connections (%s)", name_, text);
    } else {
      Say("error listening for connections");
    }
  } else if (state_ != State::kReconnect) {
    const absl::string_view what = passive_ ? "listen" : "connection";
    Say(failed ? absl::StrCat(what, " attempt failed (", text, ")")
               : absl::StrCat(what, " attempt timed out"));
  }
}

// Sets the time to wait before the next attempt: doubled for each failure in a row, up to the
// limit.
void Reconnect::BackOff() {
  if (backoff_free_tries_ > 0) {
    backoff_free_tries_--;
    backoff_ = 0;
    return;
  }
  const bool proved = is_connected() && (passive_ || last_activity_ - *last_connected_ >= backoff_);
  if (proved) {
    backoff_ = passive_ ? 0 : min_backoff_;
  } else if (backoff_ < min_backoff_) {
    backoff_ = min_backoff_;
  } else if (backoff_ < max_backoff_ / 2) {
    backoff_ *= 2;
    Say(absl::StrCat("waiting ", backoff_ / 1000.0, " seconds before ",
                     passive_ ? "trying to listen again" : "reconnect"));
  } else {
    Say(absl::StrCat("continuing to ", passive_ ? "try to listen" : "reconnect",
                     " in the background but suppressing further logging"));
    tired_ = true;
    backoff_ = max_backoff_;
  }
}

bool Reconnect::MayTry() {
  if (!max_tries_) return true;
  if (*max_tries_ == 0) return false;
  --*max_tries_;
  return true;
}

void Reconnect::Activity(int64_t now) {
  if (state_ == State::kIdle) Transition(State::kActive, now);
  last_activity_ = now;
}

void Reconnect::Transition(State state, int64_t now) {
  state_ = state;
  state_since_ = now;
  if (log.on(LogLevel::kDebug)) log.Debug("%s: entering %s", name_, std::string(StateText()));
}

std::optional<int64_t> Reconnect::Deadline() const {
  switch (state_) {
    case State::kVoid:
    case State::kListening:
      return std::nullopt;
    case State::kBackoff:
      return state_since_ + backoff_;
    case State::kConnecting:
      return state_since_ + std::max(kMinConnectMs, backoff_);
    case State::kActive:
      if (probe_interval_ == 0) return std::nullopt;
      return std::max(last_activity_, state_since_) + probe_interval_;
    case State::kIdle:
      if (probe_interval_ == 0) return std::nullopt;
      return state_since_ + probe_interval_;
    case State::kReconnect:
      return state_since_;
  }
  return std::nullopt;
}

Reconnect::Action Reconnect::Run(int64_t now) {
  const std::optional<int64_t> deadline = Deadline();
  if (!deadline || now < *deadline) return Action::kNone;
  switch (state_) {
    case State::kBackoff:
      return Action::kConnect;
    case State::kConnecting:
    case State::kReconnect:
      return Action::kDisconnect;
    case State::kActive:
      log.Debug("%s: idle %d ms, sending inactivity probe", name_,
                now - std::max(last_activity_, state_since_));
      Transition(State::kIdle, now);
      return Action::kProbe;
    case State::kIdle:
      log.Error("%s: no response to inactivity probe after %s seconds, disconnecting", name_,
                absl::StrCat(static_cast<double>(now - state_since_) / 1000));
      return Action::kDisconnect;
    case State::kVoid:
    case State::kListening:
      break;
  }
  return Action::kNone;
}

absl::string_view Reconnect::StateText() const {
  switch (state_) {
    case State::kVoid:
      return "VOID";
    case State::kBackoff:
      return "BACKOFF";
    case State::kConnecting:
      return passive_ ? "LISTENING" : "CONNECTING";
    case State::kActive:
      return "ACTIVE";
    case State::kIdle:
      return "IDLE";
    case State::kReconnect:
      return "RECONNECT";
    case State::kListening:
      return "LISTENING";
  }
  return "ERROR";
}

}  // namespace base
