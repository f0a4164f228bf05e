// ovn-northd: options, start-up and the loop.
#include <stdio.h>
#include <stdlib.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "northd/process/northd.h"
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

struct Options {
  base::DaemonOptions daemon;
  northd::Northd::Options northd;
  std::string unixctl_path;
  bool dry_run = false;
};

std::string DefaultRemote(const char* variable, const char* socket) {
  const char* remote = getenv(variable);
  return remote != nullptr ? remote : absl::StrCat("unix:", base::RunDir(), "/", socket);
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
  parser.Add("ovnnb-db", 0, P::kRequired, text(&options.northd.nb_remotes));
  parser.Add("ovnsb-db", 0, P::kRequired, text(&options.northd.sb_remotes));
  parser.Add("unixctl", 0, P::kRequired, text(&options.unixctl_path));
  parser.Add("dry-run", 0, P::kNone, [&](const char*) { options.dry_run = true; });
  base::AddDaemonOptions(&parser, &options.daemon);
  base::AddLogOptions(&parser);
  base::AddTlsOptions(&parser, tls, /*bootstrap=*/true);
  if (!parser.Parse(argc, argv).empty()) base::Fatal("non-option argument not supported");
  return options;
}

void RegisterCommands(base::Unixctl* unixctl, base::Loop* loop, northd::Northd* northd) {
  const auto add = [&](const char* name, auto function) {
    unixctl->Register(name, "", 0, 0, [function](base::UnixctlArgs, base::UnixctlReply reply) {
      reply.Text(function());
    });
  };
  add("exit", [loop] {
    loop->Stop();
    return "";
  });
  add("pause", [northd] {
    northd->SetPaused(true);
    return "";
  });
  add("resume", [northd] {
    northd->SetPaused(false);
    return "";
  });
  add("is-paused", [northd] { return northd->paused() ? "true\n" : "false\n"; });
  add("status", [northd] { return absl::StrCat("Status: ", northd->status(), "\n"); });
  add("inc-engine/recompute", [northd] {
    northd->Recompute();
    return "";
  });
}

}  // namespace

int main(int argc, char** argv) {
  base::SetProgramName("ovn-northd");
  base::KnowStockLogModules();
  base::UseOvnDirectories();
  base::TlsConfig tls;
  const Options options = ParseOptions(argc, argv, &tls);
  base::Daemon daemon(options.daemon, argv);
  daemon.Start();

  base::Loop loop;
  base::AttachLog(&loop);
  const base::TerminationSignals signals(&loop, nullptr);
  northd::Northd northd({&loop, &tls}, options.northd);
  if (options.dry_run) northd.SetPaused(true);
  base::Unixctl unixctl({&loop, nullptr});
  base::RegisterLogCommands(&unixctl);
  RegisterCommands(&unixctl, &loop, &northd);
  if (const absl::Status status = unixctl.Listen(options.unixctl_path); !status.ok()) {
    base::Fatal(status.message());
  }
  daemon.Ready();
  loop.Run();
  base::AttachLog(nullptr);
  return EXIT_SUCCESS;
}
