// One writer, many monitoring clients: all of them want every change, or each has the conditions of
// an ovn-controller and a change concerns a few.
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "bench/load/connection.h"
#include "bench/load/lanes.h"
#include "bench/load/measure.h"
#include "bench/load/monitors.h"
#include "bench/load/scenarios.h"
#include "bench/load/southbound_writer.h"

namespace load {
namespace {

constexpr absl::string_view kEndMark = "boreas-load-end";

// The datapaths that a client is told of, so that each datapath that the writer touches concerns
// `wanted_by` clients: groups of kGroup in a ring, and client c has those of groups
// c..c+wanted_by-1.
class Ring {
 public:
  explicit Ring(const Options& options) : options_(options) {}

  std::vector<uint64_t> Datapaths(uint64_t client) const {
    std::vector<uint64_t> datapaths;
    for (uint64_t i = 0; i < options_.wanted_by * kGroup; ++i) {
      datapaths.push_back((client * kGroup + i) % size());
    }
    return datapaths;
  }
  uint64_t size() const { return options_.clients * kGroup; }

 private:
  static constexpr uint64_t kGroup = 5;
  const Options& options_;
};

void StartMonitors(const Options& options, Loop* loop, const std::vector<Connection*>& clients) {
  if (options.wanted_by == 0) {
    CallAll(loop, clients, [&](size_t) { return MonitorRequest(options.version); });
    return;
  }
  const Ring ring(options);
  CallAll(loop, clients, [&](size_t) { return FirstConditionsRequest(options.version); });
  CallAll(loop, clients,
          [&](size_t client) { return LocalConditionsRequest(client, ring.Datapaths(client)); });
}

}  // namespace

void Fanout(const Options& options) {
  Loop loop;
  const std::vector<Connection*> clients = loop.Connect(options.socket, options.clients);
  StartMonitors(options, &loop, clients);

  SouthboundWriter writer(options, options.window,
                          options.wanted_by == 0 ? 0 : Ring(options).size());
  Lanes lanes(&loop, loop.Connect(options.socket, 1), options.window,
              [&](size_t lane, absl::string_view) { return writer.Next(lane); });

  uint64_t rows = 0;
  uint64_t ended = 0;
  Latencies delivery;
  for (Connection* client : clients) {
    client->OnMessage([&](const Message& message) {
      if (message.scan.is_reply()) return;
      if (absl::StrContains(message.text, kEndMark)) {
        ++ended;
      } else {
        rows += message.scan.strings_at(4);
        delivery.Add(NowNsec() - lanes.last_sent_nsec());
      }
    });
  }
  const Processes servers(options.pids);
  const Measurement measurement(servers);
  lanes.Run(options.operations);
  // Everybody monitors this row, and updates come in order: who has seen the mark has seen all.
  CallAll(&loop, loop.Connect(options.socket, 1),
          [&](size_t) { return writer.MarkRequest(kEndMark); });
  loop.RunUntil([&] { return ended == options.clients; });

  Report report;
  report.Add("scenario", "fanout");
  measurement.Stop(options.operations, &report);
  report.Add("rows_delivered", rows)
      .Add("rows_expected",
           options.operations * (options.wanted_by == 0 ? options.clients : options.wanted_by));
  if (rows > 0) {
    report.Add("cpu_usec_per_row", report.Get("cpu_sec") * 1e6 / static_cast<double>(rows));
  }
  report.Add("delivery", &delivery).Print();
}

}  // namespace load
