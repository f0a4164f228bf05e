// Start-up, and compaction as a client sees it.
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bench/load/connection.h"
#include "bench/load/lanes.h"
#include "bench/load/measure.h"
#include "bench/load/scenarios.h"
#include "bench/load/southbound_writer.h"

namespace load {

void Ready(const Options& options) {
  const int64_t deadline = NowNsec() + static_cast<int64_t>(options.timeout_sec * 1e9);
  for (;;) {
    const int fd = TryConnectUnix(options.socket);
    if (fd >= 0) {
      close(fd);
      break;
    }
    if (NowNsec() > deadline) Die("the server does not listen");
    usleep(1000);
  }
  // A server may listen before it has read its file.
  Loop loop;
  const std::vector<Connection*> client = loop.Connect(options.socket, 1);
  bool answered = false;
  client[0]->OnMessage([&](const Message& message) {
    answered = !message.scan.is_error() && !absl::StrContains(message.text, "\"error\":\"");
  });
  while (!answered) {
    if (NowNsec() > deadline) Die("the server does not answer");
    const int64_t again = NowNsec() + 10000000;
    client[0]->Send(absl::StrCat("{\"id\":1,\"method\":\"transact\",\"params\":[\"",
                                 options.database, "\",{\"op\":\"comment\",\"comment\":\"\"}]}"));
    loop.RunUntil([&] { return answered || NowNsec() > again; }, 1);
  }
  const Processes servers(options.pids);
  Report()
      .Add("scenario", "ready")
      .Add("wall_sec", (NowNsec() - options.started_nsec) / 1e9)
      .Add("cpu_sec", servers.CpuNsec() / 1e9)
      .Add("rss_kib", servers.RssKib())
      .Add("peak_kib", servers.PeakKib())
      .Print();
}

void Watch(const Options& options) {
  Loop loop;
  const Processes servers(options.pids);
  SouthboundWriter writer(options, options.window, 0);
  Lanes lanes(&loop, loop.Connect(options.socket, 1), options.window,
              [&](size_t lane, absl::string_view) { return writer.Next(lane); });
  EchoProbe probe(options.socket);
  const Measurement measurement(servers);
  const int64_t end = NowNsec() + static_cast<int64_t>(options.seconds * 1e9);
  lanes.Run(~uint64_t{0}, [&] { return NowNsec() > end; });
  Report report;
  report.Add("scenario", "watch");
  measurement.Stop(0, &report);
  Latencies echoes = probe.Stop();
  report.Add("echo", &echoes).Add("latency", &lanes.latencies()).Print();
}

void Compact(const Options& options) {
  Loop loop;
  const Processes servers(options.pids);
  SouthboundWriter writer(options, options.window, 0);
  Lanes lanes(&loop, loop.Connect(options.socket, options.writes ? 1 : 0), options.window,
              [&](size_t lane, absl::string_view) { return writer.Next(lane); });
  EchoProbe probe(options.socket);
  usleep(100000);
  const Measurement measurement(servers);
  bool compacted = false;
  Connection* const control = loop.Connect(options.control, 1)[0];
  control->OnMessage([&](const Message& message) {
    if (message.scan.is_error()) Die(message.text);
    compacted = true;
  });
  control->Send(R"({"id":0,"method":"ovsdb-server/compact","params":[]})");
  lanes.Run(~uint64_t{0}, [&] { return compacted; });
  loop.RunUntil([&] { return compacted; });
  Report report;
  report.Add("scenario", "compact");
  measurement.Stop(0, &report);
  usleep(100000);
  Latencies echoes = probe.Stop();
  report.Add("echo", &echoes).Add("writes", lanes.completed()).Print();
}

}  // namespace load
