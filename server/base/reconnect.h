// When to connect, probe and give up: the state machine behind a connection that must stay up.
//
// Pure: it is told what happened and when, and answers what to do and by when. It logs what happens
// as stock does. Times are monotonic milliseconds.
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
    kVoid,     // Disabled, or out of tries.
    kBackoff,  // Waiting before the next attempt.
    kConnecting,
    kActive,     // Connected and lively.
    kIdle,       // Connected, but silent for a probe interval: a probe was sent.
    kReconnect,  // To be disconnected at once, and connected again.
    kListening,  // Passive: waiting for a peer.
  };
  enum class Action { kNone, kConnect, kDisconnect, kProbe };

  explicit Reconnect(int64_t now);

  void SetName(absl::string_view name) { name_ = std::string(name); }
  const std::string& name() const { return name_; }
  // Logs ordinary events at debug level only.
  void SetQuiet(bool quiet) { quiet_ = quiet; }
  // `min_ms` is raised to 1000 and `max_ms` to `min_ms`, as stock does.
  void SetBackoff(int min_ms, int max_ms);
  int max_backoff() const { return max_backoff_; }
  // 0 turns probes off; less than a second counts as one.
  void SetProbeInterval(int ms);
  int probe_interval() const { return probe_interval_; }
  // How many more attempts; nothing for no limit.
  void SetMaxTries(std::optional<unsigned> tries) { max_tries_ = tries; }
  // Waits for a peer rather than connecting to it; probes are sent all the same.
  void SetPassive(bool passive, int64_t now);

  void Enable(int64_t now);
  void Disable(int64_t now);
  // Disconnects and connects again.
  void ForceReconnect(int64_t now);
  // The next attempts come without backing off.
  void SkipBackoff(unsigned attempts) { backoff_free_tries_ = attempts; }

  // What happened.
  void Connecting(int64_t now);
  void Listening(int64_t now);
  void Connected(int64_t now);
  // The connection, or the attempt to connect or listen, has ended: EndOfFile, an error, or OK if
  // we ended it on purpose.
  void Disconnected(int64_t now, const absl::Status& reason);
  // Something was received.
  void Activity(int64_t now);

  // What to do now. kProbe: send a probe (an echo).
  Action Run(int64_t now);
  // The time when Run should be called next; nothing if only an event can change anything.
  std::optional<int64_t> Deadline() const;

  State state() const { return state_; }
  absl::string_view StateText() const;  // "ACTIVE" and so on, for status columns.
  bool is_connected() const { return state_ == State::kActive || state_ == State::kIdle; }
  // Times of the newest connection and of the end of one; nothing if there was none.
  std::optional<int64_t> last_connected() const { return last_connected_; }
  std::optional<int64_t> last_disconnected() const { return last_disconnected_; }

 private:
  void Transition(State state, int64_t now);
  void LogEnd(const absl::Status& reason) const;
  void BackOff();
  bool MayTry();
  void Say(absl::string_view what) const;

  std::string name_ = "void";
  bool quiet_ = false;
  bool tired_ = false;  // Of saying that it still cannot connect.
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
