// ovsdb-server: options, start-up and the loop.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/base/coverage.h"
#include "server/base/daemon.h"
#include "server/base/io_error.h"
#include "server/base/log.h"
#include "server/base/loop.h"
#include "server/base/memory.h"
#include "server/base/options.h"
#include "server/base/process.h"
#include "server/base/tls.h"
#include "server/base/unixctl.h"
#include "server/base/version.h"
#include "server/cluster/cluster_commands.h"
#include "server/server.h"
#include "server/server_commands.h"
#include "server/server_face.h"

namespace {

base::LogModule log("ovsdb_server");

// So many turns of the loop suffice for messages to leave, or they won't.
constexpr int kFarewellTurns = 5;
base::LogModule jsonrpc_log("ovsdb_jsonrpc_server");

struct Options {
  base::DaemonOptions daemon;
  server::TlsOptions tls;
  std::vector<std::string> databases;
  std::vector<std::string> remotes;
  server::SyncOptions sync;
  std::string config_file;  // Empty: none.
  std::string run_command;
  std::string unixctl_path;
  face::FaceOptions face;
  size_t history_bytes = 64 << 20;
  bool default_database = true;
  bool column_diff = true;
  bool no_data_conversion = true;
};

[[noreturn]] void Usage() {
  printf(
      "ovsdb-server: Open vSwitch database server\n"
      "usage: ovsdb-server [OPTIONS] [DATABASE...]\n"
      "where each DATABASE is a database file in ovsdb format.\n"
      "The default DATABASE, if none is given, is\n%s/conf.db.\n\n"
      "JSON-RPC options (may be specified any number of times):\n"
      "  --remote=REMOTE         connect or listen to REMOTE\n\n",
      base::DbDir().c_str());
  printf("%s", base::StreamHelp("JSON-RPC", true, true, true).c_str());
  printf(
      "\nConfiguration file:\n"
      "  --config-file PATH      Use configuration file as a source of\n"
      "                          database and JSON-RPC configuration.\n"
      "                          Mutually exclusive with the DATABASE,\n"
      "                          JSON-RPC and Syncing options.\n"
      "                          Assumes --no-dbs.\n");
  printf("%s%s", base::DaemonHelp().c_str(), base::LogHelp().c_str());
  printf(
      "\nSyncing options:\n"
      "  --sync-from=SERVER      sync DATABASE from active SERVER and start in\n"
      "                          backup mode (except with --active)\n"
      "  --sync-exclude-tables=DB:TABLE,...\n"
      "                          exclude the TABLE in DB from syncing\n"
      "  --active                with --sync-from, start in active mode\n");
  printf(
      "\nOther options:\n"
      "  --run COMMAND           run COMMAND as subprocess then exit\n"
      "  --unixctl=SOCKET        override default control socket name\n"
      "  --no-dbs                do not add default database\n"
      "  --history-bytes=N       remember changes of a clustered database, for\n"
      "                          clients that come back, within N bytes\n"
      "%s"
      "  --disable-file-column-diff\n"
      "                          don't use column diff in database file\n"
      "  -h, --help              display this help message\n"
      "  -V, --version           display version information\n",
      face::FaceHelp().c_str());
  exit(EXIT_SUCCESS);
}

[[noreturn]] void PrintVersion() {
  printf("%s\n", base::VersionText().c_str());
  exit(EXIT_SUCCESS);
}

void AddTlsOptions(base::OptionParser* parser, server::TlsOptions* tls) {
  using P = base::OptionParser;
  auto add = [parser](const char* name, char short_name, std::string* value) {
    parser->Add(name, short_name, P::kRequired, [value](const char* arg) { *value = arg; });
  };
  add("private-key", 'p', &tls->private_key);
  add("certificate", 'c', &tls->certificate);
  parser->Add("ca-cert", 'C', P::kRequired, [tls](const char* arg) {
    tls->ca_cert = arg;
    tls->bootstrap_ca_cert = false;
  });
  parser->Add("bootstrap-ca-cert", 0, P::kRequired, [tls](const char* arg) {
    tls->ca_cert = arg;
    tls->bootstrap_ca_cert = true;
  });
  add("peer-ca-cert", 0, &tls->peer_ca_cert);
  add("ssl-protocols", 0, &tls->protocols);
  add("ssl-ciphers", 0, &tls->ciphers);
  add("ssl-ciphersuites", 0, &tls->ciphersuites);
}

Options ParseOptions(int argc, char** argv) {
  using P = base::OptionParser;
  Options options;
  bool active = false;
  P parser;
  auto text = [](std::string* value) { return [value](const char* arg) { *value = arg; }; };
  parser.Add("remote", 0, P::kRequired,
             [&](const char* arg) { options.remotes.emplace_back(arg); });
  parser.Add("unixctl", 0, P::kRequired, text(&options.unixctl_path));
  parser.Add("run", 0, P::kRequired, text(&options.run_command));
  parser.Add("config-file", 0, P::kRequired, [&](const char* arg) {
    options.config_file = base::AbsoluteName(base::DbDir(), arg);
    options.default_database = false;
  });
  parser.Add("sync-from", 0, P::kRequired, [&](const char* arg) {
    options.sync.source = arg;
    options.sync.backup = !active;
  });
  parser.Add("sync-exclude-tables", 0, P::kRequired, text(&options.sync.exclude_tables));
  parser.Add("active", 0, P::kNone, [&](const char*) {
    active = true;
    options.sync.backup = false;
  });
  parser.Add("history-bytes", 0, P::kRequired, [&](const char* arg) {
    if (!absl::SimpleAtoi(arg, &options.history_bytes)) {
      base::Fatal(absl::StrCat("--history-bytes=", arg, ": not a number of bytes"));
    }
  });
  face::AddFaceOption(&parser, &options.face);
  parser.Add("no-dbs", 0, P::kNone, [&](const char*) { options.default_database = false; });
  parser.Add("disable-file-column-diff", 0, P::kNone,
             [&](const char*) { options.column_diff = false; });
  parser.Add("disable-file-no-data-conversion", 0, P::kNone,
             [&](const char*) { options.no_data_conversion = false; });
  parser.Add("help", 'h', P::kNone, [](const char*) { Usage(); });
  parser.Add("version", 'V', P::kNone, [](const char*) { PrintVersion(); });
  base::AddDaemonOptions(&parser, &options.daemon);
  base::AddLogOptions(&parser);
  AddTlsOptions(&parser, &options.tls);
  options.databases = parser.Parse(argc, argv);

  if (!options.config_file.empty()) {
    constexpr char kExclusive[] = "--config-file is mutually exclusive with ";
    if (active || options.sync != server::SyncOptions()) {
      base::Fatal(absl::StrCat(kExclusive, "--sync-from, --sync-exclude and --active"));
    }
    if (!options.remotes.empty()) base::Fatal(absl::StrCat(kExclusive, "--remote"));
    if (!options.databases.empty()) base::Fatal("Databases should be specified in a config file");
  }
  return options;
}

// What the command line says, in the form of a configuration file.
server::ServerConfig CommandLineConfig(const Options& options) {
  server::ServerConfig config;
  config.sync = options.sync;
  for (const std::string& remote : options.remotes) config.remotes[remote];
  for (const std::string& text : options.databases) {
    auto [name, database] = server::ParseDatabaseName(text);
    if (!config.databases.insert_or_assign(name, database).second) {
      log.Warn("Duplicate database configuration: %s", text);
    }
  }
  if (options.databases.empty() && options.default_database) {
    config.databases[absl::StrCat(base::DbDir(), "/conf.db")];
  }
  return config;
}

absl::StatusOr<std::string> ReadAll(int fd) {
  std::string text;
  char buffer[4096];
  ssize_t n;
  while ((n = read(fd, buffer, sizeof buffer)) > 0) text.append(buffer, n);
  if (n < 0) return base::IoError(errno);
  return text;
}

absl::StatusOr<server::ServerConfig> ParseConfig(absl::string_view text) {
  std::vector<server::ConfigComplaint> complaints;
  absl::StatusOr<server::ServerConfig> config = server::ServerConfig::Parse(text, &complaints);
  for (const server::ConfigComplaint& complaint : complaints) {
    (complaint.about_connection ? jsonrpc_log : log).Warn("%s", complaint.text);
  }
  return config;
}

absl::StatusOr<server::ServerConfig> ReadConfigFile(const std::string& file) {
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  const absl::StatusOr<std::string> text = fd < 0 ? base::IoError(errno) : ReadAll(fd);
  if (fd >= 0) close(fd);
  if (!text.ok()) {
    log.Error("failed to open configuration file '%s': %s", file,
              std::string(text.status().message()));
    return text.status();
  }
  log.Info("loading configuration from '%s'", file);
  absl::StatusOr<server::ServerConfig> config = ParseConfig(*text);
  if (!config.ok()) log.Warn("failed to load configuration from %s", file);
  return config;
}

// Keeps changes made at run time for the server that --monitor starts after a crash: in a nameless
// file that the supervising process has open.
class ConfigMemory {
 public:
  ConfigMemory() : file_(tmpfile()) {}
  ConfigMemory(const ConfigMemory&) = delete;
  ConfigMemory& operator=(const ConfigMemory&) = delete;
  ~ConfigMemory() {
    if (file_ != nullptr) fclose(file_);
  }

  void Save(const server::ServerConfig& config) {
    const std::string text = config.ToText();
    if (file_ == nullptr || ftruncate(fileno(file_), 0) != 0 ||
        pwrite(fileno(file_), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
      log.Warn("failed to save the configuration for a restart");
    }
  }
  // Nothing if this is the first start.
  std::optional<server::ServerConfig> Load() const {
    if (file_ == nullptr || lseek(fileno(file_), 0, SEEK_SET) != 0) return std::nullopt;
    const absl::StatusOr<std::string> text = ReadAll(fileno(file_));
    if (!text.ok() || text->empty()) return std::nullopt;
    absl::StatusOr<server::ServerConfig> config = ParseConfig(*text);
    if (!config.ok()) return std::nullopt;
    return *std::move(config);
  }

 private:
  FILE* file_;
};

// Configures the server from what it said of itself before a crash, from its file or from the
// command line.
bool ConfigureAtStart(const Options& options, const ConfigMemory& memory, server::Server* server) {
  if (!options.config_file.empty()) {
    absl::StatusOr<server::ServerConfig> config = ReadConfigFile(options.config_file);
    return config.ok() && server->Configure(*config);
  }
  std::optional<server::ServerConfig> saved = memory.Load();
  return server->Configure(saved ? *saved : CommandLineConfig(options));
}

int Run(const Options& options, ConfigMemory* memory, base::Daemon* daemon) {
  base::Loop loop;
  base::AttachLog(&loop);
  const base::TerminationSignals signals(&loop, nullptr);
  base::TlsConfig tls;
  server::Server server(&loop, &tls);
  server.databases().SetHistoryBytes(options.history_bytes);
  if (!options.column_diff) server.SetRecordForm(ovsdb::RecordForm::kValues);

  base::Unixctl unixctl({&loop, nullptr});
  base::RegisterLogCommands(&unixctl);
  base::CoverageReport coverage(&loop, &unixctl);
  base::MemoryReport memory_report(&loop, &unixctl,
                                   [&](base::MemoryUsage* usage) { server.AddMemoryUsage(usage); });
  server::CommandContext commands;
  commands.server = &server;
  commands.config_file = options.config_file;
  commands.exit = [&] { loop.Stop(); };
  commands.reload = [&] {
    absl::StatusOr<server::ServerConfig> config = ReadConfigFile(options.config_file);
    return config.ok() && server.Configure(*config);
  };
  server::RegisterServerCommands(&commands, &unixctl);
  server.SetClusterCallback([&] { server::RegisterClusterCommands(&unixctl, &server); });
  if (!options.column_diff) server::RegisterColumnDiffCommand(&server, &unixctl);
  if (!options.no_data_conversion) {
    server.SetConvertData(true);
    server::RegisterNoDataConversionCommand(&server, &unixctl);
  }

  const bool configured = ConfigureAtStart(options, *memory, &server);
  if (!configured || !server.tls().Configure(options.tls)) {
    base::Fatal("server configuration failed");
  }
  if (absl::Status status = unixctl.Listen(options.unixctl_path); !status.ok()) {
    base::Fatal(status.message());
  }
  const server::ServerFace server_face(&server);
  face::Face face(&loop, &server_face);
  face.Listen(options.face);
  memory->Save(server.config());
  server.SetConfigSaver([&](const server::ServerConfig& config) { memory->Save(config); });

  int exit_status = EXIT_SUCCESS;
  std::unique_ptr<base::Process> child;
  if (!options.run_command.empty()) {
    auto started = base::Process::Run(&loop, options.run_command, [&](int status) {
      if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "%s: %s: child exited, %s\n", base::ProgramName().c_str(),
                options.run_command.c_str(), base::ProcessStatusText(status).c_str());
        exit_status = EXIT_FAILURE;
      }
      loop.Stop();
    });
    if (!started.ok()) {
      base::Fatal(absl::StrCat(options.run_command, ": ", started.status().message()));
    }
    child = *std::move(started);
  }

  daemon->Ready();
  if (options.run_command.empty()) log.Info("%s", base::VersionText());
  loop.Run();
  if (server.TransferLeadership()) {
    // The word has to leave.
    for (int turn = 0; turn < kFarewellTurns; ++turn) loop.RunOnce(/*wait=*/false);
  }
  base::AttachLog(nullptr);
  return exit_status;
}

}  // namespace

int main(int argc, char** argv) {
  base::SetProgramName("ovsdb-server");
  base::KnowStockLogModules();
  const Options options = ParseOptions(argc, argv);
  ConfigMemory memory;
  base::Daemon daemon(options.daemon, argv);
  daemon.Start();
  return Run(options, &memory, &daemon);
}
