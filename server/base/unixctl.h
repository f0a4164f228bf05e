// The control socket: commands for ovs-appctl, as JSON-RPC requests over a unix socket.
//
//   unixctl.Register("ovsdb-server/compact", "[DB]", 0, 1, [](auto args, auto reply) {
//     reply.Text("");
//   });
//
// A command may keep its UnixctlReply and answer later. Loop thread only.
#ifndef SERVER_BASE_UNIXCTL_H_
#define SERVER_BASE_UNIXCTL_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/base/listener.h"

namespace base {

class UnixctlConnection;

// The one answer to a command. Move-only; must be answered once (an unanswered one that is dropped
// says so to the client). Answering after the client has gone is harmless.
class UnixctlReply {
 public:
  UnixctlReply(UnixctlReply&&) noexcept;
  UnixctlReply& operator=(UnixctlReply&&) = delete;
  ~UnixctlReply();

  void Text(absl::string_view text);       // Success, as text.
  void Json(absl::string_view json_text);  // Success, as JSON; for clients that asked for it.
  void Error(absl::string_view text);      // Failure.
  bool wants_json() const;                 // The client set --format json.

 private:
  friend class Unixctl;
  friend class UnixctlConnection;
  void Answer(bool success, absl::string_view json_text);
  void SetFormat(bool json);
  UnixctlReply(std::weak_ptr<UnixctlConnection> connection, std::string id, bool json);

  std::weak_ptr<UnixctlConnection> connection_;
  std::string id_;
  bool json_;
  bool answered_ = false;
};

using UnixctlArgs = absl::Span<const std::string>;

class Unixctl {
 public:
  using Command = std::function<void(UnixctlArgs args, UnixctlReply reply)>;

  // Has list-commands, version and set-options.
  explicit Unixctl(const StreamContext& context);
  ~Unixctl();
  Unixctl(const Unixctl&) = delete;
  Unixctl& operator=(const Unixctl&) = delete;

  // Listens on `path`: empty for RUNDIR/PROGRAM.PID.ctl, relative to the run directory, "none" for
  // no socket at all. The error's message is what stock ends with.
  absl::Status Listen(absl::string_view path);

  // Adds a command. `usage` names its arguments, for list-commands; null hides it there. `max_args`
  // may be kAnyNumber.
  static constexpr int kAnyNumber = -1;
  void Register(const std::string& name, const char* usage, int min_args, int max_args,
                Command command);

 private:
  friend class UnixctlConnection;
  struct Entry {
    const char* usage;
    int min_args;
    int max_args;
    Command command;
  };
  void Accept(std::unique_ptr<Stream> stream);
  void Run(absl::string_view method, UnixctlArgs args, bool strings, UnixctlReply reply);
  void ListCommands(UnixctlReply reply) const;

  StreamContext context_;
  std::map<std::string, Entry, std::less<>> commands_;
  std::unique_ptr<Listener> listener_;
  std::vector<std::shared_ptr<UnixctlConnection>> connections_;
};

}  // namespace base

#endif  // SERVER_BASE_UNIXCTL_H_
