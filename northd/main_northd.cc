// ovn-northd: options, start-up and the loop.
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "northd/process/commands.h"
#include "northd/process/northd.h"
#include "northd/process/northd_face.h"
#include "northd/world.h"
#include "server/base/coverage.h"
#include "server/base/daemon.h"
#include "server/base/log.h"
#include "server/base/loop.h"
#include "server/base/memory.h"
#include "server/base/options.h"
#include "server/base/tls.h"
#include "server/base/unixctl.h"
#include "server/base/version.h"

namespace {

base::LogModule log("ovn_northd");

// The release of OVN whose behaviour this is.
constexpr char kOvnVersion[] = "25.03.0";

// What vlog/list of stock's ovn-northd shows beside modules of its libraries. Scripts may name any.
constexpr char kStockLogModules[] =
    "debug en_global_config en_group_ecmp_route en_lb_data en_learned_route_sync en_lflow "
    "en_lr_nat en_lr_stateful en_ls_stateful en_meters en_multicast en_northd en_port_group "
    "en_sampling_app en_sync_from_sb en_sync_to_sb expr inc_proc_eng inc_proc_northd ipam lb "
    "lflow_mgr mac_binding_aging memory_trim northd northd_acl_ids northd_lb ovn_northd "
    "ovn_parallel_hmap ovn_util rconn stopwatch vconn vconn_stream";

struct Options {
  base::DaemonOptions daemon;
  northd::Northd::Options northd;
  std::string unixctl_path;
  face::FaceOptions face;
  int n_threads = 1;
};

std::string DefaultRemote(const char* variable, const char* socket) {
  const char* remote = getenv(variable);
  return remote != nullptr ? remote : absl::StrCat("unix:", base::RunDir(), "/", socket);
}

[[noreturn]] void Usage() {
  printf(
      "ovn-northd: OVN northbound management daemon\n"
      "usage: ovn-northd [OPTIONS]\n\n"
      "Options:\n"
      "  --ovnnb-db=DATABASE       connect to ovn-nb database at DATABASE\n"
      "                            (default: %s)\n"
      "  --ovnsb-db=DATABASE       connect to ovn-sb database at DATABASE\n"
      "                            (default: %s)\n"
      "  --dry-run                 start in paused state (do not commit db changes)\n"
      "  --n-threads=N             specify number of threads\n"
      "  --unixctl=SOCKET          override default control socket name\n"
      "%s"
      "  -h, --help                display this help message\n"
      "  -o, --options             list available options\n"
      "  -V, --version             display version information\n",
      DefaultRemote("OVN_NB_DB", "ovnnb_db.sock").c_str(),
      DefaultRemote("OVN_SB_DB", "ovnsb_db.sock").c_str(), face::FaceHelp().c_str());
  printf("%s%s\n%s", base::DaemonHelp().c_str(), base::LogHelp().c_str(),
         base::StreamHelp("database", true, true, false).c_str());
  exit(EXIT_SUCCESS);
}

int ThreadsOf(const char* argument) {
  int n = 0;
  if (!absl::SimpleAtoi(argument, &n)) n = 0;
  const int allowed = n < 1 ? 1 : n > northd::kMaxThreads ? northd::kMaxThreads : n;
  if (allowed != n) {
    log.Warn("Setting n_threads to %d as --n-threads option was set to : [%s]", allowed, argument);
  }
  if (allowed > 1) log.Info("Using %d threads", allowed);
  return allowed;
}

Options ParseOptions(int argc, char** argv, base::TlsConfig* tls) {
  using P = base::OptionParser;
  Options options;
  options.northd.nb_remotes = DefaultRemote("OVN_NB_DB", "ovnnb_db.sock");
  options.northd.sb_remotes = DefaultRemote("OVN_SB_DB", "ovnsb_db.sock");
  P parser;
  const auto text = [](std::string* value) {
    return [value](const char* argument) { *value = argument; };
  };
  parser.Add("ovnsb-db", 'd', P::kRequired, text(&options.northd.sb_remotes));
  parser.Add("ovnnb-db", 'D', P::kRequired, text(&options.northd.nb_remotes));
  parser.Add("unixctl", 'u', P::kRequired, text(&options.unixctl_path));
  parser.Add("help", 'h', P::kNone, [](const char*) { Usage(); });
  parser.Add("options", 'o', P::kNone, [&parser](const char*) {
    printf("%s", parser.List().c_str());
    exit(EXIT_SUCCESS);
  });
  parser.Add("version", 'V', P::kNone, [](const char*) {
    printf("%s\n", base::VersionText().c_str());
    exit(EXIT_SUCCESS);
  });
  parser.Add("dry-run", 0, P::kNone, [&](const char*) { options.northd.paused = true; });
  parser.Add("n-threads", 0, P::kRequired,
             [&](const char* argument) { options.n_threads = ThreadsOf(argument); });
  face::AddFaceOption(&parser, &options.face);
  base::AddDaemonOptions(&parser, &options.daemon);
  base::AddLogOptions(&parser);
  base::AddTlsOptions(&parser, tls, /*bootstrap=*/true);
  parser.Parse(argc, argv);  // Like stock, ignores what is no option.
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  // A database's contents are parsed on a helper thread. In an arena of its own their memory would
  // be of no use to the translation that follows: a fifth of the peak.
  mallopt(M_ARENA_MAX, 1);
  base::SetProgramName("ovn-northd");
  base::SetVersionText(
      absl::StrCat("ovn-northd ", kOvnVersion, "\nOpen vSwitch Library ", base::kOvsVersion));
  base::KnowStockLogModules();
  for (absl::string_view module : absl::StrSplit(kStockLogModules, ' ')) {
    base::KnowLogModule(module);
  }
  base::UseOvnDirectories();
  base::TlsConfig tls;
  Options options = ParseOptions(argc, argv, &tls);
  base::Daemon daemon(options.daemon, argv);
  daemon.Start();

  base::Loop loop;
  base::AttachLog(&loop);
  const base::TerminationSignals signals(&loop, nullptr);
  base::Unixctl unixctl({&loop, nullptr});
  if (const absl::Status status = unixctl.Listen(options.unixctl_path); !status.ok()) {
    base::Fatal(status.message());
  }
  northd::Northd northd({&loop, &tls}, options.northd);
  base::RegisterLogCommands(&unixctl);
  northd::RegisterCommands(&unixctl, &loop, &northd, &options.n_threads);
  const base::CoverageReport coverage(&loop, &unixctl);
  const base::MemoryReport memory(&loop, &unixctl, [&](base::MemoryUsage* usage) {
    const northd::World& world = northd.world();
    for (const northd::Replica* replica : {&world.nb, &world.sb}) {
      const ovsdb::Database& database = replica->database();
      uint64_t cells = 0;
      for (const ovsdb::TableSchema& table : database.schema().tables) {
        cells += database.table(table.index).size() *
                 (table.columns.size() - ovsdb::TableSchema::kFirstRealColumn);
      }
      (*usage)[absl::StrCat("idl-cells-", database.schema().name)] += cells;
    }
  });
  const northd::NorthdFace northd_face(&northd);
  face::Face face(&loop, &northd_face);
  face.Listen(options.face);
  daemon.Ready();
  loop.Run();
  base::AttachLog(nullptr);
  return EXIT_SUCCESS;
}
