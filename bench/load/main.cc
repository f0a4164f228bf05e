// boreas-load: puts load on an OVSDB server over unix sockets and measures what that costs it.
//
//   boreas-load generate --kind=sb --rows=20000 --schema=ovn-sb.ovsschema --out=sb.db
//   boreas-load SCENARIO --socket=S --pid=P --rows=20000 ...
//
// bench/run.py starts servers, calls this, and makes the table. One line of JSON on stdout, or a
// message on stderr and exit code 1.
#include <unistd.h>

#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "bench/load/connection.h"
#include "bench/load/generate.h"
#include "bench/load/scenarios.h"

ABSL_FLAG(std::string, kind, "sb", "generate: nb or sb");
ABSL_FLAG(std::string, schema, "", "generate: the schema's file");
ABSL_FLAG(std::string, out, "", "generate: the database file to write");
ABSL_FLAG(uint64_t, record_rows, 0, "generate: rows per record; 0: all in one, as compacted");
ABSL_FLAG(uint64_t, rows, 20000, "rows that the database was, or is to be, generated with");
ABSL_FLAG(uint64_t, datapaths, 0, "datapaths of a southbound; 0: in proportion");
ABSL_FLAG(std::string, socket, "", "the server's socket");
ABSL_FLAG(std::string, control, "", "the server's control socket");
ABSL_FLAG(std::vector<std::string>, pid, {}, "the server's process; of a cluster all, by commas");
ABSL_FLAG(std::string, database, "OVN_Southbound", "ready: the database that is to answer");
ABSL_FLAG(uint64_t, clients, 1, "connections");
ABSL_FLAG(uint64_t, window, 1, "requests in flight per connection");
ABSL_FLAG(uint64_t, operations, 1000, "transactions, or echoes");
ABSL_FLAG(uint64_t, batch, 1000, "rows per transaction of insert");
ABSL_FLAG(int, version, 3, "1 monitor, 2 monitor_cond, 3 monitor_cond_since");
ABSL_FLAG(uint64_t, wanted_by, 0, "clients with conditions that want a change; 0: no conditions");
ABSL_FLAG(std::string, wait, "", "a wait in front of each transaction: uuid or name");
ABSL_FLAG(bool, writes, false, "compact: transactions meanwhile");
ABSL_FLAG(int64_t, started_nsec, 0, "ready: when the server was started (CLOCK_MONOTONIC)");
ABSL_FLAG(double, seconds, 5, "watch: how long");
ABSL_FLAG(double, timeout, 120, "seconds after which the program ends itself");

namespace {

load::Options ScenarioOptions() {
  load::Options options;
  options.socket = absl::GetFlag(FLAGS_socket);
  options.control = absl::GetFlag(FLAGS_control);
  for (const std::string& text : absl::GetFlag(FLAGS_pid)) {
    pid_t pid;
    if (!absl::SimpleAtoi(text, &pid)) load::Die(absl::StrCat("not a process: ", text));
    options.pids.push_back(pid);
  }
  options.database = absl::GetFlag(FLAGS_database);
  options.rows = absl::GetFlag(FLAGS_rows);
  options.datapaths = absl::GetFlag(FLAGS_datapaths);
  options.clients = absl::GetFlag(FLAGS_clients);
  options.window = absl::GetFlag(FLAGS_window);
  options.operations = absl::GetFlag(FLAGS_operations);
  options.batch = absl::GetFlag(FLAGS_batch);
  options.version = absl::GetFlag(FLAGS_version);
  options.wanted_by = absl::GetFlag(FLAGS_wanted_by);
  options.wait = absl::GetFlag(FLAGS_wait);
  options.writes = absl::GetFlag(FLAGS_writes);
  options.started_nsec = absl::GetFlag(FLAGS_started_nsec);
  options.seconds = absl::GetFlag(FLAGS_seconds);
  options.timeout_sec = absl::GetFlag(FLAGS_timeout);
  return options;
}

void Generate() {
  const absl::Status status = load::Generate({
      .northbound = absl::GetFlag(FLAGS_kind) == "nb",
      .rows = absl::GetFlag(FLAGS_rows),
      .datapaths = absl::GetFlag(FLAGS_datapaths),
      .record_rows = absl::GetFlag(FLAGS_record_rows),
      .schema = absl::GetFlag(FLAGS_schema),
      .out = absl::GetFlag(FLAGS_out),
  });
  if (!status.ok()) load::Die(status.message());
}

}  // namespace

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("boreas-load generate|SCENARIO [FLAGS]");
  const std::vector<char*> words = absl::ParseCommandLine(argc, argv);
  const std::map<std::string, void (*)(const load::Options&)> scenarios = {
      {"compact", load::Compact}, {"dump", load::Dump},         {"echo", load::Echo},
      {"fanout", load::Fanout},   {"idle", load::Idle},         {"insert", load::Insert},
      {"ready", load::Ready},     {"transact", load::Transact}, {"watch", load::Watch},
  };
  const std::string command = words.size() == 2 ? words[1] : "";
  alarm(static_cast<unsigned>(absl::GetFlag(FLAGS_timeout)));
  if (command == "generate") {
    Generate();
  } else if (auto scenario = scenarios.find(command); scenario != scenarios.end()) {
    scenario->second(ScenarioOptions());
  } else {
    load::Die("generate, compact, dump, echo, fanout, idle, insert, ready, transact or watch?");
  }
  return 0;
}
