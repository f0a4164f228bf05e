#include "northd/pipeline/lb_actions.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "northd/model/copp.h"
#include "northd/model/globals.h"
#include "northd/model/lb_health.h"
#include "northd/world.h"

namespace northd {
namespace {

using MeterKey = std::pair<DatapathSet, std::string>;

MeteredSets ComputeByMeter(Context& ctx, const MeterKey& key) {
  DatapathSets& sets = ctx.world().datapath_sets;
  std::map<std::string, DatapathBits> parts;
  key.first.bits().ForEach([&](DatapathNumber n) {
    parts[CoppMeter(ctx, sets.datapath(n).nb_uuid, key.second)].Add(n);
  });
  MeteredSets result;
  for (const auto& [meter, bits] : parts) result.emplace_back(meter, sets.Make(bits));
  return result;
}
constexpr engine::Kind<MeterKey, MeteredSets> kByMeter{"datapaths_by_meter", &ComputeByMeter};

}  // namespace

const MeteredSets& ByMeter(Context& ctx, const DatapathSet& datapaths,
                           const std::string& protocol) {
  return ctx.Get(kByMeter, MeterKey(datapaths, protocol));
}

LbVerdict LbVerdictOf(Context& ctx, const LbVipId& id, const LoadBalancer& lb, const LbVip& vip,
                      int reject_table) {
  const std::string& backends = ctx.Get(kLbUsableBackends, id);
  if (backends.empty() && lb.reject) {
    return {LbVerdict::Kind::kReject,
            absl::StrCat("reg0 = 0; reject { outport <-> inport; next(pipeline=egress,table=",
                         reject_table, ");};")};
  }
  if (backends.empty()) return {LbVerdict::Kind::kDrop, GetGlobals(ctx).drop_action};
  std::string actions = absl::StrCat("ct_lb_mark(backends=", backends);
  if (!lb.selection_fields.empty()) {
    absl::StrAppend(&actions, "; hash_fields=\"", absl::StrJoin(lb.selection_fields, ","), "\"");
  }
  return {LbVerdict::Kind::kBalance, std::move(actions)};
}

std::string LbSaveVip(const LbVip& vip) {
  std::string text = absl::StrCat(vip.v6 ? "xxreg1 = " : "reg4 = ", vip.ip, "; ");
  if (!vip.port.empty()) absl::StrAppend(&text, "reg2[0..15] = ", vip.port, "; ");
  return text;
}

std::string LbVipMatch(const LbVip& vip) {
  return absl::StrCat(vip.v6 ? "ip6" : "ip4", ".dst == ", vip.ip);
}

std::string LbEndpoint(const LbVip& vip, absl::string_view ip, absl::string_view port) {
  if (port.empty()) return std::string(ip);
  return vip.v6 ? absl::StrCat("[", ip, "]:", port) : absl::StrCat(ip, ":", port);
}

LbEventFlow LbEventFlowOf(const Uuid& lb_uuid, const LoadBalancer& lb, const LbVip& vip) {
  LbEventFlow flow;
  if (!lb.event || lb.reject || !vip.backends.empty()) return flow;
  flow.exists = true;
  flow.match = absl::StrCat(LbVipMatch(vip), " && ", lb.protocol);
  if (!vip.port.empty()) absl::StrAppend(&flow.match, " && ", lb.protocol, ".dst == ", vip.port);
  flow.actions = absl::StrCat("trigger_event(event = \"empty_lb_backends\", vip = \"",
                              LbEndpoint(vip, vip.ip, vip.port), "\", protocol = \"", lb.protocol,
                              "\", load_balancer = \"", lb_uuid.ToString(), "\");");
  return flow;
}

std::vector<LbAffinityFlow> LbAffinityFlows(const LoadBalancer& lb, LbVip vip, bool on_router) {
  if (vip.has_variables) {
    for (LbBackend& backend : vip.backends) backend.port.clear();
  }
  if (lb.is_template) vip.v6 |= on_router;
  const absl::string_view ip = vip.v6 ? "ip6" : "ip4";
  const absl::string_view ip_register = vip.v6 ? "xxreg1" : "reg4";
  std::vector<LbAffinityFlow> flows;
  for (const LbBackend& backend : vip.backends) {
    LbAffinityFlow flow;
    flow.backend = LbEndpoint(vip, backend.ip, backend.port);
    flow.known_match = absl::StrCat("reg9[6] == 1 && ct.new && ", LbVipMatch(vip), " && ",
                                    ip_register, " == ", backend.ip);
    if (!backend.port.empty()) {
      absl::StrAppend(&flow.known_match, " && reg2[0..15] == ", backend.port);
    }
    flow.learn_match =
        absl::StrCat("reg9[6] == 0 && ct.new && ", ip, " && ", ip_register, " == ", vip.ip);
    if (!vip.port.empty()) absl::StrAppend(&flow.learn_match, " && reg2[0..15] == ", vip.port);
    absl::StrAppend(&flow.learn_match, " && ", ip, ".dst == ", backend.ip);
    if (!backend.port.empty()) {
      absl::StrAppend(&flow.learn_match, " && ", lb.protocol, ".dst == ", backend.port);
    }
    flow.learn_actions = absl::StrCat("commit_lb_aff(vip = \"", LbEndpoint(vip, vip.ip, vip.port),
                                      "\", backend = \"", flow.backend, "\"");
    if (!vip.port.empty()) absl::StrAppend(&flow.learn_actions, ", proto = ", lb.protocol);
    absl::StrAppend(&flow.learn_actions, ", timeout = ", lb.affinity_timeout, "); /* drop */");
    flows.push_back(std::move(flow));
  }
  return flows;
}

}  // namespace northd
