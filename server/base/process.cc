#include "server/base/process.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/io_error.h"
#include "server/base/log.h"

namespace base {

absl::StatusOr<std::unique_ptr<Process>> Process::Run(Loop* loop, const std::string& command,
                                                      std::function<void(int)> exited) {
  FlushLog();
  std::unique_ptr<Process> process(new Process);
  // Watched before it exists, so that its end cannot be missed.
  process->watch_ =
      std::make_unique<SignalWatch>(loop, SIGCHLD, [p = process.get()] { p->Reap(); });
  process->exited_ = std::move(exited);
  const pid_t pid = fork();
  if (pid < 0) return IoError(errno);
  if (pid == 0) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    signal(SIGPIPE, SIG_DFL);
    execl("/bin/sh", "/bin/sh", "-c", command.c_str(), nullptr);
    _exit(127);
  }
  process->pid_ = pid;
  return process;
}

Process::~Process() = default;

void Process::Reap() {
  int status;
  if (pid_ == 0 || waitpid(pid_, &status, WNOHANG) != pid_) return;
  pid_ = 0;
  const std::function<void(int)> exited = std::move(exited_);
  exited(status);
}

std::string ProcessStatusText(int status) {
  std::string text;
  if (WIFEXITED(status)) {
    text = absl::StrCat("exit status ", WEXITSTATUS(status));
  } else if (WIFSIGNALED(status)) {
    text = absl::StrCat("killed (", strsignal(WTERMSIG(status)), ")");
  } else if (WIFSTOPPED(status)) {
    text = absl::StrCat("stopped (", strsignal(WSTOPSIG(status)), ")");
  } else {
    text = absl::StrCat("terminated abnormally (", status, ")");
  }
  if (WCOREDUMP(status)) absl::StrAppend(&text, ", core dumped");
  return text;
}

}  // namespace base
