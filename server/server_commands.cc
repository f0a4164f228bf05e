#include "server/server_commands.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "ovsdb/error.h"
#include "server/base/log.h"

namespace server {
namespace {

base::LogModule log("ovsdb_server");

using base::UnixctlArgs;
using base::UnixctlReply;

// Answers with an error of the engine or the storage, or with nothing.
void Finish(const absl::Status& status, UnixctlReply reply) {
  if (status.ok()) {
    reply.Text("");
  } else {
    reply.Error(ovsdb::ErrorText(status));
  }
}

// Answers with a plain message, or with nothing.
void FinishPlain(const absl::Status& status, UnixctlReply reply) {
  if (status.ok()) {
    reply.Text("");
  } else {
    reply.Error(status.message());
  }
}

// With a configuration file, that is where changes belong.
base::Unixctl::Command Changing(const CommandContext* context, base::Unixctl::Command command) {
  return [context, command = std::move(command)](UnixctlArgs args, UnixctlReply reply) {
    if (context->config_file.empty()) {
      command(args, std::move(reply));
    } else {
      reply.Error(absl::StrCat("Update the ", context->config_file,
                               " and use ovsdb-server/reload instead"));
    }
  };
}

// "on" or "off"; nothing for anything else.
std::optional<bool> ParseSwitch(absl::string_view text) {
  if (text == "on") return true;
  if (text == "off") return false;
  return std::nullopt;
}

// Compaction of several databases, answered when the last one is done.
struct CompactionReply {
  UnixctlReply reply;
  std::string errors;

  explicit CompactionReply(UnixctlReply r) : reply(std::move(r)) {}
  CompactionReply(const CompactionReply&) = delete;
  CompactionReply& operator=(const CompactionReply&) = delete;
  ~CompactionReply() {
    if (errors.empty()) {
      reply.Text("");
    } else {
      reply.Error(errors);
    }
  }
};

void Compact(Server* server, UnixctlArgs args, UnixctlReply reply) {
  if (!args.empty() && absl::StartsWith(args[0], "_")) {
    reply.Error("cannot compact built-in databases");
    return;
  }
  std::vector<HostedDatabase*> databases;
  server->databases().ForEach([&](HostedDatabase& database) {
    if (args.empty() ? !database.built_in() : database.name() == args[0]) {
      databases.push_back(&database);
    }
  });
  if (databases.empty() && !args.empty()) {
    reply.Error("no database by that name");
    return;
  }
  auto answer = std::make_shared<CompactionReply>(std::move(reply));
  for (HostedDatabase* database : databases) {
    log.Info("compacting %s database by user request", database->name());
    database->Compact("compacting database online", [answer](const absl::Status& status) {
      if (!status.ok()) absl::StrAppend(&answer->errors, ovsdb::ErrorText(status), "\n");
    });
  }
}

void SetMemoryTrim(Server* server, UnixctlArgs args, UnixctlReply reply) {
  const std::optional<bool> on = ParseSwitch(args[0]);
  if (!on) {
    reply.Error("invalid argument");
    return;
  }
  server->databases().SetTrimMemory(*on);
  log.Info("memory trimming after compaction %s.", *on ? "enabled" : "disabled");
  reply.Text("");
}

void StorageStatus(Server* server, UnixctlArgs args, UnixctlReply reply) {
  const HostedDatabase* database = server->databases().Find(args[0]);
  if (database == nullptr) {
    reply.Error("Failed to find the database.");
    return;
  }
  const absl::Status status = database->executor().storage().status();
  reply.Text(absl::StrCat("status: ", status.ok() ? "ok" : ovsdb::ErrorText(status)));
}

void ListDatabases(Server* server, UnixctlReply reply) {
  std::string names;
  server->databases().ForEach(
      [&](const HostedDatabase& database) { absl::StrAppend(&names, database.name(), "\n"); });
  reply.Text(names);
}

void ListRemotes(Server* server, UnixctlReply reply) {
  std::string targets;
  for (const auto& [target, options] : server->remotes().configured()) {
    absl::StrAppend(&targets, target, "\n");
  }
  reply.Text(targets);
}

void SetTableLog(Server* server, UnixctlArgs args, UnixctlReply reply) {
  const std::optional<bool> on = ParseSwitch(args[1]);
  if (!on) {
    reply.Error("invalid command argument");
    return;
  }
  const std::vector<std::string> names = absl::StrSplit(args[0], ':');
  if (names.size() != 2 || names[0].empty() || names[1].empty()) {
    reply.Error("invalid DB:TABLE argument");
    return;
  }
  HostedDatabase* database = server->databases().Find(names[0]);
  if (database == nullptr || !database->available()) {
    reply.Error("no such database");
    return;
  }
  const ovsdb::TableSchema* table = database->state().schema().FindTable(names[1]);
  if (table == nullptr) {
    reply.Error("no such table");
    return;
  }
  database->SetTableLog(table->index, *on);
  reply.Text("");
}

void ListTableLogs(Server* server, UnixctlReply reply) {
  std::string text =
      "database        table                       logging\n"
      "--------        -----                       -------\n";
  server->databases().ForEach([&](const HostedDatabase& database) {
    absl::StrAppendFormat(&text, "%-16s \n", database.name());
    if (!database.available()) return;
    for (const ovsdb::TableSchema& table : database.state().schema().tables) {
      absl::StrAppendFormat(&text, "                %-27s %s\n", table.name,
                            database.table_log(table.index) ? "ON" : "OFF");
    }
  });
  reply.Text(text);
}

// Answers whether `text` is an interval, and gives it to `set` if so.
void SetInterval(absl::string_view text, const std::function<void(int)>& set, UnixctlReply reply) {
  int ms;
  if (!absl::SimpleAtoi(text, &ms)) {
    reply.Error("Invalid probe interval, integer value expected");
    return;
  }
  set(ms);
  reply.Text("");
}

// Backups and relays. What changes them belongs into a configuration file where there is one.
void RegisterSyncCommands(const CommandContext* context, base::Unixctl* unixctl) {
  Server* server = context->server;
  auto change = [&](const char* name, const char* usage, int n_args,
                    const std::function<std::string(const std::string& argument)>& command) {
    unixctl->Register(name, usage, n_args, n_args,
                      Changing(context, [n_args, command](UnixctlArgs args, UnixctlReply reply) {
                        reply.Text(command(n_args > 0 ? args[0] : ""));
                      }));
  };
  auto tell = [&](const char* name, const std::function<std::string()>& text) {
    unixctl->Register(name, "", 0, 0,
                      [text](UnixctlArgs, UnixctlReply reply) { reply.Text(text()); });
  };
  change("ovsdb-server/set-active-ovsdb-server", "", 1, [server](const std::string& target) {
    server->SetSyncSource(target);
    return "";
  });
  tell("ovsdb-server/get-active-ovsdb-server", [server] { return server->sync().source; });
  change("ovsdb-server/connect-active-ovsdb-server", "", 0, [server](const std::string&) {
    return server->ConnectActive() ? "" : "Unable to connect: active server is not specified.\n";
  });
  change("ovsdb-server/disconnect-active-ovsdb-server", "", 0, [server](const std::string&) {
    server->DisconnectActive();
    return "";
  });
  change("ovsdb-server/set-sync-exclude-tables", "", 1, [server](const std::string& tables) {
    server->SetSyncExcludeTables(tables);
    return "";
  });
  tell("ovsdb-server/get-sync-exclude-tables", [server] { return server->sync().exclude_tables; });
  tell("ovsdb-server/sync-status", [server] { return server->backups().StatusText(); });
  auto set_interval = [&](const char* name, const std::function<void(int)>& set) {
    unixctl->Register(name, "", 1, 1,
                      Changing(context, [set](UnixctlArgs args, UnixctlReply reply) {
                        SetInterval(args[0], set, std::move(reply));
                      }));
  };
  set_interval("ovsdb-server/set-active-ovsdb-server-probe-interval",
               [server](int ms) { server->SetSyncProbeInterval(ms); });
  set_interval("ovsdb-server/set-relay-source-probe-interval",
               [server](int ms) { server->SetRelayProbeInterval(ms); });
}

}  // namespace

void RegisterServerCommands(const CommandContext* context, base::Unixctl* unixctl) {
  Server* server = context->server;
  auto changing = [context](base::Unixctl::Command command) {
    return Changing(context, std::move(command));
  };
  auto add = [unixctl](const char* name, const char* usage, int min_args, int max_args,
                       base::Unixctl::Command command) {
    unixctl->Register(name, usage, min_args, max_args, std::move(command));
  };

  add("exit", "", 0, 0, [context](UnixctlArgs, UnixctlReply reply) {
    reply.Text("");
    context->exit();
  });
  add("ovsdb-server/compact", "", 0, 1,
      [server](UnixctlArgs args, UnixctlReply reply) { Compact(server, args, std::move(reply)); });
  add("ovsdb-server/memory-trim-on-compaction", "on|off", 1, 1,
      [server](UnixctlArgs args, UnixctlReply reply) {
        SetMemoryTrim(server, args, std::move(reply));
      });
  add("ovsdb-server/reconnect", "", 0, 0, [server](UnixctlArgs, UnixctlReply reply) {
    server->sessions().Disconnect("user ran ovsdb-server/reconnect", /*even_aware=*/true);
    reply.Text("");
  });
  // Kube-OVN's: its images call it when the certificates of a cluster were replaced.
  add("ovsdb-server/set-ssl", "KEY CERTIFICATE CA", 3, 3,
      [server](UnixctlArgs args, UnixctlReply reply) {
        FinishPlain(server->tls().SetFiles(args[0], args[1], args[2]), std::move(reply));
      });
  add("ovsdb-server/reload", "", 0, 0, [context](UnixctlArgs, UnixctlReply reply) {
    if (context->config_file.empty()) {
      reply.Error("Configuration file was not specified on command line");
    } else if (!context->reload()) {
      reply.Error("Configuration failed.  See the log file for details.");
    } else {
      reply.Text("");
    }
  });

  add("ovsdb-server/add-remote", "REMOTE", 1, 1,
      changing([server](UnixctlArgs args, UnixctlReply reply) {
        FinishPlain(server->AddRemote(args[0]), std::move(reply));
      }));
  add("ovsdb-server/remove-remote", "REMOTE", 1, 1,
      changing([server](UnixctlArgs args, UnixctlReply reply) {
        FinishPlain(server->RemoveRemote(args[0]), std::move(reply));
      }));
  add("ovsdb-server/list-remotes", "", 0, 0,
      [server](UnixctlArgs, UnixctlReply reply) { ListRemotes(server, std::move(reply)); });

  add("ovsdb-server/add-db", "DB", 1, 1, changing([server](UnixctlArgs args, UnixctlReply reply) {
        Finish(server->AddDatabase(args[0]), std::move(reply));
      }));
  add("ovsdb-server/remove-db", "DB", 1, 1,
      changing([server](UnixctlArgs args, UnixctlReply reply) {
        FinishPlain(server->RemoveDatabase(args[0]), std::move(reply));
      }));
  add("ovsdb-server/list-dbs", "", 0, 0,
      [server](UnixctlArgs, UnixctlReply reply) { ListDatabases(server, std::move(reply)); });
  add("ovsdb-server/get-db-storage-status", "DB", 1, 1,
      [server](UnixctlArgs args, UnixctlReply reply) {
        StorageStatus(server, args, std::move(reply));
      });

  RegisterSyncCommands(context, unixctl);

  add("ovsdb-server/tlog-set", "DB:TABLE on|off", 2, 2,
      [server](UnixctlArgs args, UnixctlReply reply) {
        SetTableLog(server, args, std::move(reply));
      });
  add("ovsdb-server/tlog-list", "", 0, 0,
      [server](UnixctlArgs, UnixctlReply reply) { ListTableLogs(server, std::move(reply)); });
  add("ovsdb-server/perf-counters-show", "", 0, 0, [](UnixctlArgs, UnixctlReply reply) {
    reply.Text("performance counter is not supported on this platform\n");
  });
  add("ovsdb-server/perf-counters-clear", "", 0, 0,
      [](UnixctlArgs, UnixctlReply reply) { reply.Text(""); });
  add("ovsdb-server/disable-monitor-cond", "", 0, 0, [server](UnixctlArgs, UnixctlReply reply) {
    server->sessions().DisableConditions();
    server->sessions().Disconnect("user ran ovsdb-server/disable-monitor-cond",
                                  /*even_aware=*/true);
    reply.Text("");
  });
}

void RegisterColumnDiffCommand(Server* server, base::Unixctl* unixctl) {
  unixctl->Register("ovsdb/file/column-diff-enable", "", 0, 0,
                    [server](UnixctlArgs, UnixctlReply reply) {
                      server->SetRecordForm(ovsdb::RecordForm::kDifferences);
                      reply.Text("");
                    });
}

void RegisterNoDataConversionCommand(Server* server, base::Unixctl* unixctl) {
  unixctl->Register("ovsdb/file/no-data-conversion-enable", "", 0, 0,
                    [server](UnixctlArgs, UnixctlReply reply) {
                      server->SetConvertData(false);
                      reply.Text("");
                    });
}

}  // namespace server
