// Becoming a daemon: directories, detaching, supervision, pid file, user, and what is removed at
// exit.
#ifndef SERVER_BASE_DAEMON_H_
#define SERVER_BASE_DAEMON_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace base {

class Loop;

// Where things live: the environment (OVS_RUNDIR, OVS_LOGDIR, OVS_DBDIR, OVS_SYSCONFDIR) or
// Debian's places. A program of OVN uses UseOvnDirectories() first: OVN_RUNDIR and so on.
const std::string& RunDir();  // /var/run/openvswitch
const std::string& LogDir();  // /var/log/openvswitch
const std::string& DbDir();   // /etc/openvswitch
void UseOvnDirectories();
// `name` if absolute (or empty), else DIR/name; without DIR the working directory at start.
std::string AbsoluteName(absl::string_view dir, absl::string_view name);

struct DaemonOptions {
  bool detach = false;
  bool monitor = false;
  bool chdir = true;
  bool overwrite_pidfile = false;
  std::optional<std::string> pidfile;  // Empty: the default, RUNDIR/PROGRAM.pid.
  std::string user;                    // USER[:GROUP]
  std::optional<unsigned> umask;
};

// One per process. Errors end the process with a message, as stock's do.
//
//   base::Daemon daemon(options);
//   daemon.Start();       // Before any thread or loop exists. Parent and monitor never return.
//   ... open databases and sockets ...
//   daemon.Ready();       // Lets the process that started us exit with success.
class Daemon {
 public:
  explicit Daemon(DaemonOptions options);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Checks the pid file, forks and supervises as asked for, drops privileges; returns in the
  // process that is to serve.
  void Start();
  // Writes the pid file and tells the waiting parent; then lets go of terminal and directory.
  void Ready();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Files to be unlinked when the process ends, whether by exit() or a fatal signal that can be
// caught. Async-signal-safe removal.
void RemoveAtExit(const std::string& path);
void KeepAtExit(const std::string& path);  // Forget it.
int RemoveNow(const std::string& path);    // Unlink and forget it; errno or 0.
// Calls of `hook` before the process ends by exit(), SIGTERM or SIGINT handled on the loop.
void InstallSignalHandlers(Loop* loop);  // SIGTERM, SIGINT, SIGHUP, SIGALRM; SIGPIPE is ignored.

}  // namespace base

#endif  // SERVER_BASE_DAEMON_H_
