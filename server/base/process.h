// A child process, as --run=COMMAND needs it.
#ifndef SERVER_BASE_PROCESS_H_
#define SERVER_BASE_PROCESS_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/base/loop.h"

namespace base {

class Process {
 public:
  // Runs `command` with /bin/sh -c; it inherits the standard streams.
  // `exited` gets the status of wait(2), and may destroy this. The destructor leaves the child
  // alone.
  static absl::StatusOr<std::unique_ptr<Process>> Run(Loop* loop, const std::string& command,
                                                      std::function<void(int status)> exited);
  ~Process();

  pid_t pid() const { return pid_; }  // 0 once it has ended.

 private:
  Process() = default;
  void Reap();

  pid_t pid_ = 0;
  std::function<void(int)> exited_;
  std::unique_ptr<SignalWatch> watch_;
};

// "exit status 2", "killed (Segmentation fault), core dumped" and so on, as stock says it.
std::string ProcessStatusText(int status);

}  // namespace base

#endif  // SERVER_BASE_PROCESS_H_
