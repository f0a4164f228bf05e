// Becoming a daemon: directories, detaching, supervision, pid file, user, and what is removed at
// exit.
#ifndef SERVER_BASE_DAEMON_H_
#define SERVER_BASE_DAEMON_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace base {

class Loop;
class SignalWatch;

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
};

// One per process. Errors end the process with a message, as stock's do.
//
//   base::Daemon daemon(options, argv);
//   daemon.Start();       // Before any thread or loop exists. Parent and monitor never return.
//   base::Loop loop;
//   ... open databases and sockets ...
//   daemon.Ready();       // Lets the process that started us exit with success.
class Daemon {
 public:
  // `argv` is main's, for the monitor's process title; null leaves it.
  Daemon(DaemonOptions options, char** argv);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Checks the pid file, drops privileges, forks and supervises as asked for, writes the pid file;
  // returns in the process that is to serve. After a crash that --monitor answers it returns again,
  // in a new process; restarted() tells.
  void Start();
  bool restarted() const;
  // Lets go of terminal and directory, and lets the waiting parent exit with success.
  void Ready();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Files to be unlinked when the process ends by exit() or one of TerminationSignals. Not inherited:
// a child that forks on the way to a daemon has none. Any thread.
void RemoveAtExit(const std::string& path);
void KeepAtExit(const std::string& path);  // Forgets it.
int RemoveNow(const std::string& path);    // Unlinks and forgets it; errno or 0.

// While it lives, SIGTERM, SIGINT, SIGHUP and SIGALRM end the process from the loop as stock does:
// a line in the log, `before` (may be null), clean-up as by exit(), and death by that very signal.
class TerminationSignals {
 public:
  TerminationSignals(Loop* loop, const std::function<void()>& before);
  ~TerminationSignals();

 private:
  std::vector<std::unique_ptr<SignalWatch>> watches_;
};

}  // namespace base

#endif  // SERVER_BASE_DAEMON_H_
