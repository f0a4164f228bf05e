// Command lines in the habits of GNU getopt_long, and the groups of options daemons have in common.
//
//   base::OptionParser parser;
//   parser.Add("remote", 0, base::OptionParser::kRequired, [&](const char* arg) {...});
//   base::AddDaemonOptions(&parser, &daemon_options);
//   std::vector<std::string> args = parser.Parse(argc, argv);
//
// Mistakes end the process with status 1 and getopt's or stock's message.
#ifndef SERVER_BASE_OPTIONS_H_
#define SERVER_BASE_OPTIONS_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace base {

struct DaemonOptions;
class TlsConfig;

class OptionParser {
 public:
  enum Argument { kNone, kRequired, kOptional };
  using Handler = std::function<void(const char* argument)>;  // Null without an argument.

  // `short_name` 0 for none.
  void Add(const std::string& name, char short_name, Argument argument, Handler handler);
  // One whose handler is called before those of the others, wherever it stands.
  void AddEarly(const std::string& name, Argument argument, Handler handler);
  // Whether options may stand behind arguments, or the first argument ends them (for programs
  // whose commands have options of their own).
  enum Order { kAnyOrder, kOptionsFirst };
  // Calls handlers in the order given; returns what is not an option.
  std::vector<std::string> Parse(int argc, char** argv, Order order = kAnyOrder) const;
  // One per line, as `--options` prints them.
  std::string List() const;

 private:
  struct Option {
    std::string name;
    char short_name;
    Argument argument;
    Handler handler;
    bool early = false;
  };
  std::vector<Option> options_;
};

// --detach, --monitor, --pidfile, --overwrite-pidfile, --no-chdir, --no-self-confinement, --user.
void AddDaemonOptions(OptionParser* parser, DaemonOptions* options);
// -v, --verbose.
void AddVerboseOption(OptionParser* parser);
// The same, and --log-file, --syslog-target, --syslog-method.
void AddLogOptions(OptionParser* parser);
// -p, -c, -C, --ssl-protocols, --ssl-ciphers, --ssl-ciphersuites; with `bootstrap` also
// --bootstrap-ca-cert and --peer-ca-cert. Values go to `tls`, which outlives the parser.
void AddTlsOptions(OptionParser* parser, TlsConfig* tls, bool bootstrap);

// Help texts of the groups, as stock prints them. `kind` of connection is "JSON-RPC" or "database";
// the first group of StreamHelp begins without an empty line, the others with one.
std::string StreamHelp(absl::string_view kind, bool active, bool passive, bool bootstrap);
std::string DaemonHelp();
std::string LogHelp();

// "PROGRAM: MESSAGE" on stderr, then exit(1).
[[noreturn]] void Fatal(absl::string_view message);

}  // namespace base

#endif  // SERVER_BASE_OPTIONS_H_
