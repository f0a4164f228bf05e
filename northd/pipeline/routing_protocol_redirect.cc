#include "northd/pipeline/routing_protocol_redirect.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "northd/model/datapaths.h"
#include "northd/model/router_attachment.h"
#include "northd/output/flow_table.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "server/base/log.h"

namespace northd {
namespace {

base::LogModule log("northd");

// Where the daemons listen: "PROTOCOL" and "PORT".
using Listener = std::pair<std::string, int>;

std::vector<Listener> ListenersOf(const nb::LogicalRouterPort& row) {
  std::vector<Listener> listeners;
  for (const absl::string_view name :
       absl::StrSplit(row.options().GetOrEmpty("routing-protocols"), ',')) {
    if (name == "BGP") {
      listeners.emplace_back("tcp", 179);
    } else if (name == "BFD") {
      listeners.emplace_back("udp", 3784);
    } else {
      static base::RateLimit limit(1, 5);
      log.WarnLimited(limit, "logical router port %s: options:routing-protocols: unknown value %s",
                      std::string(row.name()), std::string(name));
    }
  }
  return listeners;
}

// The port that speaks for the router port; one that does not exist if it is not on the switch.
SwitchPort SpeakerOf(Context& ctx, const nb::LogicalRouterPort& row, absl::string_view name,
                     const Uuid& switch_uuid) {
  const auto ports = RowsWith<nb::LogicalSwitchPort>(ctx, nb::LogicalSwitchPort::kName, name);
  if (!ports.empty()) {
    const SwitchPort& port = ctx.Get(kSwitchPortModel, ports.front());
    if (port.exists && port.switch_uuid == switch_uuid) return port;
  }
  static base::RateLimit limit(1, 5);
  log.WarnLimited(limit,
                  "logical router port %s: options:routing-protocol-redirect: there is no port %s "
                  "on its switch",
                  std::string(row.name()), std::string(name));
  return {};
}

// It has the router port's addresses, but it is the router that answers for them.
void KeepQuiet(Context& ctx, DatapathNumber sw, const SwitchPort& speaker) {
  for (const absl::string_view answer : {"arp.op == 2", "nd_na", "nd_ra"}) {
    AddFlow(ctx, sw, Stage::kLsInCheckPortSec, 80,
            absl::StrCat("inport == ", speaker.json_name, " && ", answer), "reg0[15] = 1; next;");
  }
}

}  // namespace

std::monostate AddRoutingProtocolRedirectOf(Context& ctx, const Uuid& uuid) {
  const RouterAttachment& attachment = ctx.Get(kRouterAttachment, uuid);
  if (!attachment.exists) return {};
  const auto row = Row<nb::LogicalRouterPort>(ctx, attachment.router_port);
  const auto name = row.options().Get("routing-protocol-redirect");
  if (!name || !row.options().Contains("routing-protocols")) return {};
  const SwitchPort& port = ctx.Get(kSwitchPortModel, uuid);
  const Datapath& sw = ctx.Get(kDatapath, port.switch_uuid);
  const SwitchPort speaker = SpeakerOf(ctx, row, *name, port.switch_uuid);
  if (!sw.exists || !speaker.exists) return {};

  const std::vector<Listener> listeners = ListenersOf(row);
  const auto add = [&](const std::string& match, const std::string& actions) {
    AddFlow(ctx, sw.number, Stage::kLsInL2Lkup, 100, match, actions);
  };
  const std::string to_speaker = absl::StrCat("outport = ", speaker.json_name, "; output;");
  const std::string to_both =
      absl::StrCat("clone { ", to_speaker, " }; outport = ", port.json_name, "; output;");
  const auto add_all = [&](const std::string& ip, absl::string_view version,
                           const std::string& answer) {
    for (const auto& [protocol, number] : listeners) {
      for (const char* end : {"dst", "src"}) {
        add(absl::StrCat(version, ".dst == ", ip, " && ", protocol, ".", end, " == ", number),
            to_speaker);
      }
    }
    add(answer, to_both);
  };
  for (const Network& network : attachment.addresses.v4) {
    const std::string ip = network.IpText();
    add_all(ip, "ip4", absl::StrCat("arp.op == 2 && arp.tpa == ", ip));
  }
  for (const Network& network : attachment.addresses.v6) {
    const std::string ip = network.IpText();
    add_all(ip, "ip6", absl::StrCat("ip6.dst == ", ip, " && nd_na"));
  }
  KeepQuiet(ctx, sw.number, speaker);
  return {};
}
constexpr engine::Kind<Uuid> kRoutingProtocolRedirectOf{"routing_protocol_redirect_of",
                                                        &AddRoutingProtocolRedirectOf};

}  // namespace northd
