// ovsdb-tool: makes, inspects and changes database files (ovsdb-tool(1)).

#include <climits>
#include <cstdlib>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "raft/types.h"
#include "server/base/daemon.h"
#include "server/base/log.h"
#include "server/base/options.h"
#include "server/base/version.h"
#include "server/tool/command.h"

namespace tool {
namespace {

std::string Usage() {
  return absl::StrCat(
      "ovsdb-tool: Open vSwitch database management utility\n"
      "usage: ovsdb-tool [OPTIONS] COMMAND [ARG...]\n"
      "  create [DB [SCHEMA]]    create DB with the given SCHEMA\n"
      "  [--election-timer=ms] create-cluster DB CONTENTS LOCAL\n"
      "    create clustered DB with given CONTENTS and LOCAL address\n"
      "  [--cid=UUID] join-cluster DB NAME LOCAL REMOTE...\n"
      "    join clustered DB with given NAME and LOCAL and REMOTE addrs\n"
      "  [--sid=UUID] join-cluster DB NAME LOCAL REMOTE...\n"
      "    the same for a server that had a file before\n"
      "  rejoin-cluster DB HEADER LOCAL REMOTE...\n"
      "    the same with what db-raft-header printed in file HEADER\n"
      "  compact [DB [DST]]      compact DB in-place (or to DST)\n"
      "  convert [DB [SCHEMA [DST]]]   convert DB to SCHEMA (to DST)\n"
      "  db-name [DB]            report name of schema used by DB\n"
      "  db-version [DB]         report version of schema used by DB\n"
      "  db-cksum [DB]           report checksum of schema used by DB\n"
      "  db-cid DB               report cluster ID of clustered DB\n"
      "  db-sid DB               report server ID of clustered DB\n"
      "  db-local-address DB     report local address of clustered DB\n"
      "  db-raft-header DB       report identity of clustered DB as JSON\n"
      "  db-is-clustered DB      test whether DB is clustered\n"
      "  db-is-standalone DB     test whether DB is standalone\n"
      "  schema-name [SCHEMA]    report SCHEMA's name\n"
      "  schema-version [SCHEMA] report SCHEMA's schema version\n"
      "  schema-cksum [SCHEMA]   report SCHEMA's checksum\n"
      "  compare-versions A OP B  compare OVSDB schema version numbers\n"
      "  query [DB] TRNS         execute read-only transaction on DB\n"
      "  transact [DB] TRNS      execute read/write transaction on DB\n"
      "  fix-cluster DB...       cut files off where they are inconsistent\n"
      "  cluster-to-standalone DB DB    Convert clustered DB to\n"
      "      standalone DB when cluster is down and cannot be\n"
      "        revived\n"
      "  [-m]... show-log [DB]   print DB's log entries\n"
      "The default DB is ",
      Invocation().Database(), ".\nThe default SCHEMA is ", DefaultSchema(), ".\n", base::LogHelp(),
      "\n"
      "Other options:\n"
      "  -m, --more                  increase show-log verbosity\n"
      "  --rbac-role=ROLE            RBAC role for transact and query commands\n"
      "  -h, --help                  display this help message\n"
      "  -V, --version               display version information\n");
}

absl::StatusOr<int> Help(const Invocation&) {
  Print(Usage());
  return kSuccess;
}

absl::StatusOr<int> ListCommands(const Invocation& invocation);

constexpr Command kCommands[] = {
    {"create", "[db [schema]]", 0, 2, Create},
    {"create-cluster", "db contents local", 3, 3, CreateCluster},
    {"join-cluster", "db name local remote...", 4, INT_MAX, JoinCluster},
    {"rejoin-cluster", "db header local remote...", 4, INT_MAX, RejoinCluster},
    {"compact", "[db [dst]]", 0, 2, Compact},
    {"convert", "[db [schema [dst]]]", 0, 3, Convert},
    {"needs-conversion", "", 0, 2, NeedsConversion},
    {"db-name", "[db]", 0, 1, DbName},
    {"db-version", "[db]", 0, 1, DbVersion},
    {"db-cksum", "[db]", 0, 1, DbCksum},
    {"db-cid", "db", 1, 1, DbCid},
    {"db-sid", "db", 1, 1, DbSid},
    {"db-local-address", "db", 1, 1, DbLocalAddress},
    {"db-raft-header", "db", 1, 1, DbRaftHeader},
    {"db-is-clustered", "db", 1, 1, DbIsClustered},
    {"db-is-standalone", "db", 1, 1, DbIsStandalone},
    {"schema-name", "[schema]", 0, 1, SchemaName},
    {"schema-version", "[schema]", 0, 1, SchemaVersion},
    {"schema-cksum", "[schema]", 0, 1, SchemaCksum},
    {"query", "[db] trns", 1, 2, Query},
    {"transact", "[db] trns", 1, 2, Transact},
    {"show-log", "[db]", 0, 1, ShowLog},
    {"check-cluster", "db...", 1, INT_MAX, CheckCluster},
    {"fix-cluster", "db...", 1, INT_MAX, FixCluster},
    {"compare-versions", "a op b", 3, 3, CompareVersions},
    {"help", "", 0, INT_MAX, Help},
    {"list-commands", "", 0, INT_MAX, ListCommands},
    {"cluster-to-standalone", "db clusterdb", 2, 2, ClusterToStandalone},
};

absl::StatusOr<int> ListCommands(const Invocation&) {
  PrintLine("The available commands are:");
  for (const Command& command : kCommands) {
    PrintLine(absl::StrFormat("  %-23s %s", command.name, command.usage));
  }
  return kSuccess;
}

ovsdb::Uuid ParseId(const char* text) {
  const std::optional<ovsdb::Uuid> id = ovsdb::Uuid::Parse(text);
  if (!id || id->is_zero()) base::Fatal(absl::StrCat(text, ": not a valid UUID"));
  return *id;
}

uint64_t ParseElectionTimer(const char* text) {
  uint64_t ms;
  if (!absl::SimpleAtoi(text, &ms) || ms < raft::kMinElectionTimerMs ||
      ms > raft::kMaxElectionTimerMs) {
    base::Fatal(absl::StrCat("ovsdb error: election timer must be between ",
                             raft::kMinElectionTimerMs, " and ", raft::kMaxElectionTimerMs,
                             ", in msec."));
  }
  return ms;
}

Invocation ParseOptions(int argc, char** argv) {
  Invocation invocation;
  base::OptionParser parser;
  using Argument = base::OptionParser::Argument;
  parser.Add("more", 'm', Argument::kNone, [&](const char*) { ++invocation.more; });
  parser.Add("rbac-role", 0, Argument::kRequired,
             [&](const char* role) { invocation.rbac_role = role; });
  parser.Add("cid", 0, Argument::kRequired, [&](const char* id) { invocation.cid = ParseId(id); });
  parser.Add("sid", 0, Argument::kRequired, [&](const char* id) { invocation.sid = ParseId(id); });
  parser.Add("election-timer", 0, Argument::kRequired,
             [&](const char* timer) { invocation.election_timer_ms = ParseElectionTimer(timer); });
  base::AddVerboseOption(&parser);
  parser.Add("help", 'h', Argument::kNone, [](const char*) {
    Print(Usage());
    exit(EXIT_SUCCESS);
  });
  parser.Add("option", 'o', Argument::kNone, [&](const char*) {
    Print(parser.List());
    exit(EXIT_SUCCESS);
  });
  parser.Add("version", 'V', Argument::kNone, [](const char*) {
    PrintLine(base::VersionText());
    exit(EXIT_SUCCESS);
  });
  invocation.args = parser.Parse(argc, argv);
  return invocation;
}

absl::StatusOr<int> Run(Invocation invocation) {
  if (invocation.args.empty()) return Failure("missing command name; use --help for help");
  const std::string name = invocation.args[0];
  invocation.args.erase(invocation.args.begin());
  const int n = static_cast<int>(invocation.args.size());
  for (const Command& command : kCommands) {
    if (name != command.name) continue;
    if (n < command.min_args) {
      return Failure(
          absl::StrFormat("'%s' command requires at least %d arguments", name, command.min_args));
    }
    if (n > command.max_args) {
      return Failure(
          absl::StrFormat("'%s' command takes at most %d arguments", name, command.max_args));
    }
    return command.run(invocation);
  }
  return Failure(absl::StrFormat("unknown command '%s'; use --help for help", name));
}

}  // namespace
}  // namespace tool

int main(int argc, char** argv) {
  base::SetProgramName("ovsdb-tool");
  base::KnowStockLogModules();
  base::SetLogLevels("console:warn").IgnoreError();
  const absl::StatusOr<int> result = tool::Run(tool::ParseOptions(argc, argv));
  if (!result.ok()) base::Fatal(tool::ErrorMessage(result.status()));
  return *result;
}
