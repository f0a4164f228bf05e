// The commands of the control socket that concern databases, remotes and configuration
// (ovsdb-server(1) "Runtime Management Commands").
#ifndef SERVER_SERVER_COMMANDS_H_
#define SERVER_SERVER_COMMANDS_H_

#include <functional>
#include <string>

#include "server/base/unixctl.h"
#include "server/server.h"

namespace server {

struct CommandContext {
  Server* server = nullptr;
  std::string config_file;       // Empty: there is none, and commands may change things.
  std::function<bool()> reload;  // Reads it again; false if something is wrong.
  std::function<void()> exit;
};

// Registers them. `context` outlives the control socket.
void RegisterServerCommands(const CommandContext* context, base::Unixctl* unixctl);

// Registers the command that makes records hold differences, for a server that was started with
// --disable-file-column-diff.
void RegisterColumnDiffCommand(Server* server, base::Unixctl* unixctl);
// The same for --disable-file-no-data-conversion, which is about clusters only.
void RegisterNoDataConversionCommand(Server* server, base::Unixctl* unixctl);

}  // namespace server

#endif  // SERVER_SERVER_COMMANDS_H_
