// Clients that ask for everything at once, and clients that ask for nothing.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/load/connection.h"
#include "bench/load/measure.h"
#include "bench/load/monitors.h"
#include "bench/load/scenarios.h"

namespace load {

void Dump(const Options& options) {
  Loop loop;
  const std::vector<Connection*> clients = loop.Connect(options.socket, options.clients);
  // All are known to the server before the first asks.
  CallAll(&loop, clients, [](size_t) { return R"({"id":0,"method":"echo","params":[]})"; });

  const Processes servers(options.pids);
  uint64_t bytes = 0;
  uint64_t replies = 0;
  Latencies replied;
  EchoProbe probe(options.socket);
  const Measurement measurement(servers);
  const int64_t start = NowNsec();
  for (Connection* client : clients) {
    client->OnMessage([&](const Message& message) {
      if (message.scan.is_error()) Die(absl::StrCat("a monitor failed: ", message.text));
      bytes += message.size;
      ++replies;
      replied.Add(NowNsec() - start);
    });
    client->Send(MonitorRequest(options.version));
  }
  loop.RunUntil([&] { return replies == options.clients; });
  Report report;
  report.Add("scenario", "dump");
  measurement.Stop(options.clients, &report);
  Latencies echoes = probe.Stop();
  report.Add("bytes", static_cast<double>(bytes))
      .Add("cpu_nsec_per_byte", report.Get("cpu_sec") * 1e9 / static_cast<double>(bytes))
      .Add("reply", &replied)
      .Add("echo", &echoes)
      .Print();
}

void Idle(const Options& options) {
  Loop loop;
  const Processes servers(options.pids);
  const uint64_t before = servers.RssKib();
  const Measurement measurement(servers);
  const std::vector<Connection*> clients = loop.Connect(options.socket, options.clients);
  CallAll(&loop, clients, [](size_t) { return R"({"id":0,"method":"echo","params":[]})"; });
  Report report;
  report.Add("scenario", "idle");
  measurement.Stop(options.clients, &report);
  report
      .Add("kib_per_connection",
           (static_cast<double>(servers.RssKib()) - static_cast<double>(before)) / options.clients)
      .Print();
}

}  // namespace load
