// ovn-northd's commands on the control socket (ovn-northd(8) "Runtime Management Commands").
#ifndef NORTHD_PROCESS_COMMANDS_H_
#define NORTHD_PROCESS_COMMANDS_H_

#include "northd/process/northd.h"
#include "server/base/loop.h"
#include "server/base/unixctl.h"

namespace northd {

// Registers them. `loop` is stopped by exit. `n_threads` is what --n-threads asked for: remembered,
// without effect. All outlive the commands.
void RegisterCommands(base::Unixctl* unixctl, base::Loop* loop, Northd* northd, int* n_threads);

// The greatest number of threads that may be asked for.
inline constexpr int kMaxThreads = 256;

}  // namespace northd

#endif  // NORTHD_PROCESS_COMMANDS_H_
