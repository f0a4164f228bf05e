#include "northd/process/commands.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "northd/model/globals.h"
#include "server/base/log.h"

namespace northd {
namespace {

base::LogModule log("ovn_northd");
base::LogModule engine_log("inc_proc_eng");

// Stock's nodes, for those who read the figures by name: inputs, and what is made of them. Ours are
// units, by kind: inc-engine/units.
constexpr char kNodes[] =
    "NB_acl SB_acl_id acl_id NB_mirror NB_static_mac_binding NB_chassis_template_var SB_chassis "
    "SB_mirror SB_meter SB_datapath_binding SB_dns SB_ha_chassis_group SB_ip_multicast "
    "SB_service_monitor SB_static_mac_binding SB_chassis_template_var SB_fdb NB_nb_global "
    "NB_logical_switch SB_sb_global NB_sampling_app sampling_app global_config SB_mac_binding "
    "SB_port_binding NB_logical_router NB_load_balancer NB_load_balancer_group lb_data northd "
    "sync_from_sb lr_nat lr_stateful SB_address_set NB_address_set NB_port_group "
    "sync_to_sb_addr_set SB_port_group port_group NB_meter sync_meters SB_load_balancer "
    "SB_logical_dp_group sync_to_sb_lb sync_to_sb_pb sync_to_sb SB_logical_flow "
    "SB_multicast_group NB_bfd SB_bfd bfd routes route_policies bfd_sync SB_learned_route "
    "learned_route_sync group_ecmp_route ls_stateful SB_igmp_group multicast_igmp lflow "
    "mac_binding_aging_waker mac_binding_aging fdb_aging_waker fdb_aging SB_ecmp_nexthop "
    "ecmp_nexthop dynamic_routes SB_advertised_route advertised_route_sync northd_output";

struct NodeStats {
  uint64_t recompute = 0;
  uint64_t compute = 0;
};

// A pass is one of all nodes; what inputs do is always counted as recomputing.
NodeStats StatsOf(absl::string_view node, const Northd::Stats& stats) {
  const bool is_input = absl::StartsWith(node, "NB_") || absl::StartsWith(node, "SB_") ||
                        absl::EndsWith(node, "_waker");
  if (is_input) return {.recompute = stats.passes};
  return {.recompute = stats.recomputes,
          .compute = stats.passes - std::min(stats.passes, stats.recomputes)};
}

void ShowStats(const Northd& northd, base::UnixctlArgs args, base::UnixctlReply reply) {
  std::string text;
  for (const absl::string_view node : absl::StrSplit(kNodes, ' ')) {
    if (!args.empty() && args[0] != node) continue;
    const NodeStats stats = StatsOf(node, northd.stats());
    if (args.size() < 2) {
      absl::StrAppendFormat(&text,
                            "Node: %s\n"
                            "- recompute: %12d\n"
                            "- compute:   %12d\n"
                            "- cancel:    %12d\n",
                            node, stats.recompute, stats.compute, 0);
    } else if (args[1] == "recompute") {
      text = absl::StrCat(stats.recompute);
    } else if (args[1] == "compute") {
      text = absl::StrCat(stats.compute);
    } else if (args[1] == "cancel") {
      text = absl::StrCat(0);
    } else {
      text = absl::StrCat("Invalid stat type : ", args[1]);
    }
  }
  reply.Text(text);
}

void Compare(Northd* northd, base::UnixctlReply reply) {
  constexpr size_t kMaxLines = 100;
  const auto differences = northd->CompareWithScratch(kMaxLines);
  if (!differences.ok()) {
    reply.Error(differences.status().message());
  } else if (differences->empty()) {
    reply.Text("as from scratch\n");
  } else {
    reply.Error(absl::StrCat(absl::StrJoin(*differences, "\n"), "\n"));
  }
}

void ShowStopwatches(Northd* northd, base::UnixctlArgs args, base::UnixctlReply reply) {
  std::string text;
  for (const Stopwatch& stopwatch : northd->stopwatches()) {
    if (args.empty() || args[0] == stopwatch.name()) text += stopwatch.Text();
  }
  if (text.empty()) {
    reply.Error("No such stopwatch");
  } else {
    reply.Text(text);
  }
}

void ResetStopwatches(Northd* northd, base::UnixctlArgs args, base::UnixctlReply reply) {
  for (Stopwatch& stopwatch : northd->stopwatches()) {
    if (args.empty() || args[0] == stopwatch.name()) stopwatch.Reset();
  }
  reply.Text("");
}

void SetThreads(const std::string& text, int* n_threads, base::UnixctlReply reply) {
  int n = 0;
  if (!absl::SimpleAtoi(text, &n)) n = 0;
  if (n < 1 || n > kMaxThreads) {
    reply.Error(absl::StrCat("invalid n_threads: ", n, "\n"));
    return;
  }
  *n_threads = n;
  reply.Text("");
}

}  // namespace

void RegisterCommands(base::Unixctl* unixctl, base::Loop* loop, Northd* northd, int* n_threads) {
  using Args = base::UnixctlArgs;
  using Reply = base::UnixctlReply;
  // One that answers a text and takes no argument.
  const auto add = [unixctl](const char* name, auto function) {
    unixctl->Register(name, "", 0, 0, [function](Args, Reply reply) { reply.Text(function()); });
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
  add("is-paused", [northd] { return northd->paused() ? "true" : "false"; });
  add("status", [northd] { return absl::StrCat("Status: ", northd->status(), "\n"); });
  const auto connection_status = [](const Connection& connection) {
    return connection.connected() ? "connected" : "not connected";
  };
  add("nb-connection-status", [=] { return connection_status(northd->nb()); });
  add("sb-connection-status", [=] { return connection_status(northd->sb()); });
  add("nb-cluster-state-reset", [northd] {
    log.Info("Resetting northbound database cluster state");
    northd->nb().ForgetClusterState();
    return "";
  });
  add("sb-cluster-state-reset", [northd] {
    log.Info("Resetting southbound database cluster state");
    northd->sb().ForgetClusterState();
    return "";
  });

  add("parallel-build/get-n-threads", [n_threads] { return absl::StrCat(*n_threads, "\n"); });
  unixctl->Register(
      "parallel-build/set-n-threads", "N_THREADS", 1, 1,
      [n_threads](Args args, Reply reply) { SetThreads(args[0], n_threads, std::move(reply)); });

  unixctl->Register("inc-engine/show-stats", "", 0, 2, [northd](Args args, Reply reply) {
    ShowStats(*northd, args, std::move(reply));
  });
  add("inc-engine/clear-stats", [northd] {
    northd->ClearStats();
    return "";
  });
  add("inc-engine/recompute", [northd] {
    engine_log.Info("User triggered force recompute.");
    northd->Recompute();
    return "";
  });
  unixctl->Register("inc-engine/compute-log-timeout", "", 1, 1, [northd](Args args, Reply reply) {
    unsigned ms = 0;
    if (absl::SimpleAtoi(args[0], &ms)) {
      northd->SetLogTimeout(ms);
      reply.Text("");
    } else {
      reply.Error("unsigned integer required");
    }
  });
  unixctl->Register("inc-engine/compare", "", 0, 0,
                    [northd](Args, Reply reply) { Compare(northd, std::move(reply)); });
  add("inc-engine/units", [northd] {
    const engine::EngineStats& stats = northd->world().engine.stats();
    std::string text = absl::StrFormat(
        "units:%d edges:%d emissions:%d runs:%d changed:%d rows-written:%d\n", stats.units,
        stats.edges, stats.emissions, stats.runs, stats.changed, northd->stats().rows_written);
    for (const auto& [kind, runs] : northd->world().engine.RunsByKind()) {
      absl::StrAppendFormat(&text, "%-40s %d\n", kind, runs);
    }
    return text;
  });

  add("debug/chassis-features-list", [northd] {
    const Globals* globals = northd->world().engine.Peek(kGlobals, {});
    const ChassisFeatures features = globals == nullptr ? ChassisFeatures() : globals->features;
    return absl::StrCat(
        "mac_binding_timestamp: ", features.mac_binding_timestamp ? "true" : "false", "\n");
  });
  unixctl->Register("stopwatch/show", "[NAME]", 0, 1, [northd](Args args, Reply reply) {
    ShowStopwatches(northd, args, std::move(reply));
  });
  unixctl->Register("stopwatch/reset", "[NAME]", 0, 1, [northd](Args args, Reply reply) {
    ResetStopwatches(northd, args, std::move(reply));
  });
}

}  // namespace northd
