#include "northd/pipeline/dns.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "northd/model/copp.h"
#include "northd/model/datapaths.h"
#include "northd/model/switches.h"
#include "northd/output/flow_table.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"

namespace northd {
namespace {

std::string Answer(absl::string_view ip) {
  return absl::StrCat("eth.dst <-> eth.src; ", ip, ".src <-> ", ip,
                      ".dst; udp.dst = udp.src; udp.src = 53; outport = inport; "
                      "flags.loopback = 1; output;");
}

}  // namespace

std::monostate AddDns(Context& ctx, const std::monostate&) {
  const SwitchGroups& switches = ctx.Get(kSwitchGroups, {});
  AddFlow(ctx, switches.all, Stage::kLsInDnsLookup, 0, "1", "next;");
  AddFlow(ctx, switches.all, Stage::kLsInDnsResponse, 0, "1", "next;");
  for (const absl::string_view ip : {"ip4", "ip6"}) {
    AddFlow(ctx, switches.with_dns, Stage::kLsInDnsResponse, 100, "udp.dst == 53 && reg0[4]",
            Answer(ip));
  }
  return {};
}
constexpr engine::Kind<std::monostate> kDns{"dns", &AddDns};

std::monostate AddDnsOf(Context& ctx, const Uuid& uuid) {
  const SwitchTraits& sw = ctx.Get(kSwitchTraits, uuid);
  if (!sw.exists || !sw.has_dns) return {};
  AddFlow(ctx, sw.number, Stage::kLsInDnsLookup, 100, "udp.dst == 53",
          "reg0[4] = dns_lookup(); next;", {.meter = CoppMeter(ctx, uuid, "dns")});
  return {};
}
constexpr engine::Kind<Uuid> kDnsOf{"dns_of", &AddDnsOf};

}  // namespace northd
