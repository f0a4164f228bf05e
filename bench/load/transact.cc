// Request and reply: small transactions as ovn-nbctl and other IDL clients send them, transactions
// of many rows, and echoes.
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "bench/load/connection.h"
#include "bench/load/lanes.h"
#include "bench/load/measure.h"
#include "bench/load/network.h"
#include "bench/load/scenarios.h"

namespace load {
namespace {

// The life of ports: each lane adds a port to its switch, changes its address and takes it away
// again, in a transaction each.
class PortLife {
 public:
  PortLife(const Options& options, size_t lanes)
      : net_(options.rows), wait_(options.wait), ports_(lanes) {}

  Request Next(size_t lane, absl::string_view reply) {
    Port& port = ports_[lane];
    switch (port.step++ % 3) {
      case 0:
        return Add(lane, &port);
      case 1:
        port.uuid = std::string(FirstUuid(reply));
        return ChangeAddress(lane, port);
      default:
        return Delete(lane, port);
    }
  }

 private:
  struct Port {
    uint64_t step = 0;
    std::string name;
    std::string uuid;
  };

  // The UUID that an insert answered with.
  static absl::string_view FirstUuid(absl::string_view reply) {
    constexpr absl::string_view kStart = "[\"uuid\",\"";
    const size_t at = reply.find(kStart);
    if (at == reply.npos) Die(absl::StrCat("no UUID in ", reply));
    return reply.substr(at + kStart.size(), 36);
  }

  uint64_t Switch(size_t lane) const { return lane * 7 % net_.switches; }

  static Request Transaction(absl::string_view operations, absl::string_view command) {
    return {"transact", absl::StrCat("[\"OVN_Northbound\",", operations,
                                     ",{\"op\":\"comment\",\"comment\":\"ovn-nbctl: ovn-nbctl ",
                                     command, "\"}]")};
  }

  // A `wait` as clients put in front: that a row read earlier is still so ("uuid", the IDL's
  // verification of a column), or that a name is taken or still free ("name", as libraries do that
  // look rows up by their index).
  std::string WaitForName(absl::string_view table, absl::string_view uuid, absl::string_view name,
                          bool exists) const {
    if (wait_.empty()) return "";
    const std::string where = wait_ == "uuid"
                                  ? absl::StrCat("[\"_uuid\",\"==\",[\"uuid\",\"", uuid, "\"]]")
                                  : absl::StrCat("[\"name\",\"==\",\"", name, "\"]");
    return absl::StrCat("{\"op\":\"wait\",\"table\":\"", table, "\",\"timeout\":0,\"where\":[",
                        where, "],\"columns\":[\"name\"],\"until\":\"",
                        exists ? "==" : "!=", "\",\"rows\":[{\"name\":\"", name, "\"}]},");
  }

  Request Add(size_t lane, Port* port) {
    port->name = absl::StrCat("bench-", lane, "-", port->step);
    const std::string switch_uuid = Uuid(Kind::kSwitch, Switch(lane));
    const std::string wait = wait_ == "uuid"
                                 ? WaitForName("Logical_Switch", switch_uuid,
                                               absl::StrCat("subnet-", Switch(lane)), true)
                                 : WaitForName("Logical_Switch_Port", "", port->name, false);
    return Transaction(
        absl::StrCat(
            wait, "{\"op\":\"mutate\",\"table\":\"Logical_Switch\",\"where\":[[\"_uuid\",\"==\",",
            "[\"uuid\",\"", switch_uuid, "\"]]],\"mutations\":[[\"ports\",\"insert\",[\"set\",[[",
            "\"named-uuid\",\"row0\"]]]]]},{\"op\":\"insert\",\"table\":\"Logical_Switch_Port\",",
            "\"uuid-name\":\"row0\",\"row\":{\"name\":\"", port->name, "\",\"addresses\":\"",
            Mac(port->step), " ", Ipv4(port->step), "\",\"external_ids\":[\"map\",[[\"pod\",\"ns/",
            port->name, "\"],[\"vendor\",\"bench\"]]]}}"),
        absl::StrCat("lsp-add subnet-", Switch(lane), " ", port->name));
  }

  Request ChangeAddress(size_t lane, const Port& port) const {
    const std::string address = absl::StrCat(Mac(port.step), " ", Ipv4(port.step));
    return Transaction(
        absl::StrCat(WaitForName("Logical_Switch_Port", port.uuid, port.name, true),
                     "{\"op\":\"update\",\"table\":\"Logical_Switch_Port\",\"where\":[[\"_uuid\",",
                     "\"==\",[\"uuid\",\"", port.uuid, "\"]]],\"row\":{\"addresses\":\"", address,
                     "\"}}"),
        absl::StrCat("lsp-set-addresses ", port.name, " ", address));
  }

  Request Delete(size_t lane, const Port& port) const {
    return Transaction(
        absl::StrCat(
            WaitForName("Logical_Switch_Port", port.uuid, port.name, true),
            "{\"op\":\"mutate\",\"table\":\"Logical_Switch\",\"where\":[[\"_uuid\",\"==\",",
            UuidJson(Kind::kSwitch, Switch(lane)),
            "]],\"mutations\":[[\"ports\",\"delete\",[\"set\",[[\"uuid\",\"", port.uuid,
            "\"]]]]]}"),
        absl::StrCat("lsp-del ", port.name));
  }

  const Northbound net_;
  const std::string wait_;
  std::vector<Port> ports_;
};

// Runs the lanes of `options` and reports them.
void RunLanes(absl::string_view name, const Options& options, NextRequest next) {
  Loop loop;
  Lanes lanes(&loop, loop.Connect(options.socket, options.clients), options.window,
              std::move(next));
  lanes.Run(options.operations / 10);  // Warm-up.
  lanes.latencies() = Latencies();
  const Processes servers(options.pids);
  const Measurement measurement(servers);
  lanes.Run(options.operations);
  Report report;
  report.Add("scenario", name);
  measurement.Stop(options.operations, &report);
  report.Add("latency", &lanes.latencies()).Print();
}

}  // namespace

void Transact(const Options& options) {
  PortLife life(options, options.clients * options.window);
  RunLanes("transact", options,
           [&](size_t lane, absl::string_view reply) { return life.Next(lane, reply); });
}

void Insert(const Options& options) {
  const Southbound net(options.rows, options.datapaths);
  uint64_t index = net.flows;
  RunLanes("insert", options, [&](size_t, absl::string_view) {
    std::string params = "[\"OVN_Southbound\"";
    for (uint64_t i = 0; i < options.batch; ++i) {
      absl::StrAppend(&params, ",{\"op\":\"insert\",\"table\":\"Logical_Flow\",\"uuid-name\":\"row",
                      i, "\",\"row\":", FlowRow(net, index++), "}");
    }
    return Request{"transact", params + "]"};
  });
}

void Echo(const Options& options) {
  RunLanes("echo", options, [](size_t, absl::string_view) { return Request{"echo", "[]"}; });
}

}  // namespace load
