// When to connect, probe and give up: the state machine behind a connection that must stay up.
//
// Pure: it is told what happened and when, and answers what to do and by when. It logs state
// changes as stock does. Times are monotonic milliseconds.
#ifndef SERVER_BASE_RECONNECT_H_
#define SERVER_BASE_RECONNECT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace base {

inline constexpr int kDefaultMinBackoffMs = 1000;
inline constexpr int kDefaultMaxBackoffMs = 8000;
inline constexpr int kDefaultProbeIntervalMs = 5000;

class Reconnect {
 public:
  enum class State {
    kVoid,     // Disabled.
    kBackoff,  // Waiting before the next attempt.
    kConnecting,
    kActive,     // Connected and lively.
    kIdle,       // Connected, silent for a probe interval: a probe was sent.
    kReconnect,  // To be disconnected at once, and connected again.
    kListening,  // Passive: waiting for a peer.
  };
  enum class Action { kNone, kConnect, kDisconnect, kProbe };

  explicit Reconnect(int64_t now);

  void SetName(absl::string_view name);
  const std::string& name() const { return name_; }
  // Log state changes at debug level only.
  void SetQuiet(bool quiet);
  void SetBackoff(int min_ms, int max_ms);
  int max_backoff() const { return max_backoff_; }
  // 0 turns probes off; a value in between is raised to a second, as stock does.
  void SetProbeInterval(int ms);
  int probe_interval() const { return probe_interval_; }
  // How many more attempts; nothing for no limit.
  void SetMaxTries(std::optional<unsigned> tries);
  // Listens rather than connects; probes are sent all the same.
  void SetPassive(bool passive, int64_t now);

  void Enable(int64_t now);
  void Disable(int64_t now);
  // Disconnects and connects again without backing off.
  void ForceReconnect(int64_t now);
  // The next attempt comes without backing off.
  void SkipBackoff() { backoff_free_tries_++; }

  // What happened.
  void Connecting(int64_t now);
  void Listening(int64_t now);
  void ListenFailed(int64_t now, const absl::Status& error);
  void Connected(int64_t now);
  void ConnectFailed(int64_t now, const absl::Status& error);
  // EndOfFile or an error; OK when we closed on purpose.
  void Disconnected(int64_t now, const absl::Status& error);
  // Something was received.
  void Activity(int64_t now);

  // What to do now. kProbe: send a probe (an echo).
  Action Run(int64_t now);
  // The time when Run should be called again; nothing if only events can change anything.
  std::optional<int64_t> Deadline() const;

  State state() const { return state_; }
  absl::string_view StateText() const;  // "ACTIVE" and so on, for status columns.
  bool is_connected() const { return state_ == State::kActive || state_ == State::kIdle; }
  // Times of the newest connection and its end; nothing if there was none.
  std::optional<int64_t> last_connected() const { return last_connected_; }
  std::optional<int64_t> last_disconnected() const { return last_disconnected_; }
  int64_t connected_ms(int64_t now) const;  // How long it is connected.

 private:
  void Transition(State state, int64_t now);
  void Failed(int64_t now, const absl::Status& error);
  bool MayTry();

  std::string name_ = "void";
  bool quiet_ = false;
  bool passive_ = false;
  int min_backoff_ = kDefaultMinBackoffMs;
  int max_backoff_ = kDefaultMaxBackoffMs;
  int probe_interval_ = kDefaultProbeIntervalMs;
  std::optional<unsigned> max_tries_;
  int backoff_ = 0;
  unsigned backoff_free_tries_ = 0;
  State state_ = State::kVoid;
  int64_t state_since_;
  int64_t last_activity_;
  std::optional<int64_t> last_connected_;
  std::optional<int64_t> last_disconnected_;
};

}  // namespace base

#endif  // SERVER_BASE_RECONNECT_H_
