#include "northd/model/load_balancers.h"

#include <algorithm>
#include <optional>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "northd/model/addresses.h"
#include "northd/model/datapaths.h"
#include "northd/model/globals.h"
#include "northd/model/nat.h"
#include "northd/model/ports.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "server/base/log.h"

namespace northd {
namespace {

base::LogModule log("northd");

constexpr int64_t kMaxAffinityTimeout = 65535;  // Seconds.

// ---- VIPs ----

struct Endpoint {
  std::string ip;
  std::string port;
  bool v6 = false;
};

// "IP", "IP:PORT", "[IPV6]" or "[IPV6]:PORT"; port 0 is none.
std::optional<Endpoint> ParseEndpoint(absl::string_view text) {
  absl::string_view host = text;
  absl::string_view port;
  if (absl::ConsumePrefix(&host, "[")) {
    const size_t end = host.find(']');
    if (end == absl::string_view::npos) return std::nullopt;
    port = host.substr(end + 1);
    host = host.substr(0, end);
    if (!port.empty() && !absl::ConsumePrefix(&port, ":")) return std::nullopt;
  } else if (std::count(host.begin(), host.end(), ':') == 1) {
    const size_t colon = host.find(':');
    port = host.substr(colon + 1);
    host = host.substr(0, colon);
  }
  const std::optional<Ip> ip = Ip::Parse(host);
  int64_t number = 0;
  if (!ip || (!port.empty() && !absl::SimpleAtoi(port, &number)) || number < 0 || number > 65535) {
    return std::nullopt;
  }
  return Endpoint{ip->ToString(), number == 0 ? std::string() : absl::StrCat(number), ip->v6};
}

// "HOST" or "HOST:PORT", as a template has them: neither is looked into, whatever it is.
std::optional<Endpoint> ParseTemplateEndpoint(absl::string_view text, bool v6) {
  const std::vector<std::string> parts = absl::StrSplit(text, ':', absl::SkipEmpty());
  if (parts.empty() || parts.size() > 2) return std::nullopt;
  return Endpoint{parts[0], parts.size() == 2 ? parts[1] : "", v6};
}

// ---- Groups ----

void AddSwitch(Context& ctx, const Uuid& uuid, DatapathBits* bits) {
  const Datapath& datapath = ctx.Get(kDatapath, uuid);
  if (datapath.exists && !datapath.is_router) bits->Add(datapath.number);
}

// The switches that a router is connected to.
DatapathSet ComputeSwitchesOfRouter(Context& ctx, const Uuid& router) {
  DatapathBits bits;
  const auto row = Row<nb::LogicalRouter>(ctx, router);
  if (!row) return {};
  for (const Uuid& port : row.ports()) {
    const Uuid& peer = ctx.Get(kRouterPortModel, port).switch_port;
    if (!peer.is_zero()) AddSwitch(ctx, SwitchOf(ctx, peer), &bits);
  }
  return ctx.world().datapath_sets.Make(bits);
}
constexpr engine::Kind<Uuid, DatapathSet> kSwitchesOfRouter{"switches_of_router",
                                                            &ComputeSwitchesOfRouter};

DatapathSet SwitchesOf(Context& ctx, absl::Span<const Uuid> groups_sets,
                       absl::Span<const Uuid> switches, absl::Span<const Uuid> routers);

DatapathSet ComputeSwitchesOfGroup(Context& ctx, const Uuid& group) {
  return SwitchesOf(ctx, {},
                    RowsWith<nb::LogicalSwitch>(ctx, nb::LogicalSwitch::kLoadBalancerGroup, group),
                    RowsWith<nb::LogicalRouter>(ctx, nb::LogicalRouter::kLoadBalancerGroup, group));
}
constexpr engine::Kind<Uuid, DatapathSet> kSwitchesOfGroup{"switches_of_lb_group",
                                                           &ComputeSwitchesOfGroup};

DatapathSet SwitchesOf(Context& ctx, absl::Span<const Uuid> groups, absl::Span<const Uuid> switches,
                       absl::Span<const Uuid> routers) {
  DatapathBits bits;
  for (const Uuid& group : groups) bits.Add(ctx.Get(kSwitchesOfGroup, group).bits());
  for (const Uuid& sw : switches) AddSwitch(ctx, sw, &bits);
  if (!routers.empty() && GetGlobals(ctx).install_ls_lb_from_router) {
    for (const Uuid& router : routers) bits.Add(ctx.Get(kSwitchesOfRouter, router).bits());
  }
  return ctx.world().datapath_sets.Make(bits);
}

// What a router's flows for load balancers depend on.
struct RouterClass {
  bool exists = false;
  DatapathNumber number = 0;
  bool force_snat = false;
  bool distributed = false;
  bool operator==(const RouterClass& o) const = default;
};

RouterClass ComputeRouterClass(Context& ctx, const Uuid& uuid) {
  const NatRouter& router = ctx.Get(kNatRouter, uuid);
  return {.exists = router.exists,
          .number = router.number,
          .force_snat = router.lb_force_snat.any(),
          .distributed = !router.distributed_gateways.empty()};
}
constexpr engine::Kind<Uuid, RouterClass> kRouterClass{"router_lb_class", &ComputeRouterClass};

// Sets of routers while they are put together.
class LbRoutersBuilder {
 public:
  void Add(Context& ctx, const Uuid& router) {
    const RouterClass& its = ctx.Get(kRouterClass, router);
    if (!its.exists) return;
    all_.Add(its.number);
    (its.distributed ? distributed_bits_ : plain_)[its.force_snat].Add(its.number);
    if (its.distributed) distributed_.push_back(router);
  }
  void Add(const LbRouters& o) {
    all_.Add(o.all.bits());
    plain_[false].Add(o.plain.bits());
    plain_[true].Add(o.force_snat.bits());
    distributed_bits_[false].Add(o.distributed_plain.bits());
    distributed_bits_[true].Add(o.distributed_force_snat.bits());
    distributed_.insert(distributed_.end(), o.distributed.begin(), o.distributed.end());
  }
  LbRouters Build(Context& ctx) {
    DatapathSets& sets = ctx.world().datapath_sets;
    std::sort(distributed_.begin(), distributed_.end());
    distributed_.erase(std::unique(distributed_.begin(), distributed_.end()), distributed_.end());
    return {.all = sets.Make(all_),
            .plain = sets.Make(plain_[false]),
            .force_snat = sets.Make(plain_[true]),
            .distributed = std::move(distributed_),
            .distributed_plain = sets.Make(distributed_bits_[false]),
            .distributed_force_snat = sets.Make(distributed_bits_[true])};
  }

 private:
  DatapathBits all_;
  DatapathBits plain_[2];  // By lb_force_snat_ip.
  DatapathBits distributed_bits_[2];
  std::vector<Uuid> distributed_;
};

LbRouters ComputeRoutersOfGroup(Context& ctx, const Uuid& group) {
  LbRoutersBuilder builder;
  for (const Uuid& router :
       RowsWith<nb::LogicalRouter>(ctx, nb::LogicalRouter::kLoadBalancerGroup, group)) {
    builder.Add(ctx, router);
  }
  return builder.Build(ctx);
}
constexpr engine::Kind<Uuid, LbRouters> kRoutersOfGroup{"routers_of_lb_group",
                                                        &ComputeRoutersOfGroup};

// ---- Whether there are VIPs ----

bool ComputeHasVips(Context& ctx, const Uuid& lb) {
  const auto row = Row<nb::LoadBalancer>(ctx, lb);
  return row && !row.vips().empty();
}
constexpr engine::Kind<Uuid, bool> kHasVips{"lb_has_vips", &ComputeHasVips};

bool AnyHasVips(Context& ctx, absl::Span<const Uuid> load_balancers) {
  for (const Uuid& lb : load_balancers) {
    if (ctx.Get(kHasVips, lb)) return true;
  }
  return false;
}

bool ComputeGroupHasVips(Context& ctx, const Uuid& group) {
  const auto row = Row<nb::LoadBalancerGroup>(ctx, group);
  return row && AnyHasVips(ctx, row.load_balancer());
}
constexpr engine::Kind<Uuid, bool> kGroupHasVips{"lb_group_has_vips", &ComputeGroupHasVips};

template <typename R>
bool HasLbVips(Context& ctx, const Uuid& datapath) {
  const auto row = Row<R>(ctx, datapath);
  if (!row) return false;
  if (AnyHasVips(ctx, row.load_balancer())) return true;
  for (const Uuid& group : row.load_balancer_group()) {
    if (ctx.Get(kGroupHasVips, group)) return true;
  }
  return false;
}

template <typename R>
void AddLoadBalancers(Context& ctx, const R& row, std::vector<Uuid>* all) {
  const absl::Span<const Uuid> direct = row.load_balancer();
  all->assign(direct.begin(), direct.end());
  for (const Uuid& uuid : row.load_balancer_group()) {
    const auto group = Row<nb::LoadBalancerGroup>(ctx, uuid);
    if (!group) continue;
    const absl::Span<const Uuid> members = group.load_balancer();
    all->insert(all->end(), members.begin(), members.end());
  }
}

}  // namespace

LoadBalancer ComputeLoadBalancer(Context& ctx, const Uuid& uuid) {
  LoadBalancer lb;
  const auto row = Row<nb::LoadBalancer>(ctx, uuid);
  if (!row) return lb;
  lb.exists = true;
  lb.protocol = std::string(row.protocol().value_or("tcp"));
  const StringMap options = row.options();
  lb.is_template = options.GetBool("template", false);
  lb.skip_snat = options.GetBool("skip_snat", false);
  lb.reject = options.GetBool("reject", false);
  lb.event = GetGlobals(ctx).controller_event || options.GetBool("event", false);
  lb.add_route = options.GetBool("add_route", false);
  lb.use_stateless_nat = options.GetBool("use_stateless_nat", false);
  const absl::string_view responder = options.GetOrEmpty("neighbor_responder");
  if (responder == "all") {
    lb.neighbor_responder = NeighborResponder::kAll;
  } else if (responder == "none" || lb.is_template) {
    lb.neighbor_responder = NeighborResponder::kNone;
  }
  const int64_t affinity = options.GetInt("affinity_timeout", 0);
  if (affinity > kMaxAffinityTimeout) {
    static base::RateLimit limit(1, 5);
    log.WarnLimited(limit, "load balancer %s has affinity_timeout %d: the most is %d",
                    std::string(row.name()), affinity, kMaxAffinityTimeout);
  }
  lb.affinity_timeout = std::clamp<int64_t>(affinity, 0, kMaxAffinityTimeout);
  // Fields of a port are the protocol's, if one is named.
  for (const absl::string_view field : row.selection_fields()) {
    const bool is_port = row.protocol() && (field == "tp_src" || field == "tp_dst");
    lb.selection_fields.push_back(is_port ? absl::StrCat(lb.protocol, field.substr(2))
                                          : std::string(field));
  }
  const absl::Span<const Uuid> checks = row.health_check();
  lb.health_checks.assign(checks.begin(), checks.end());
  return lb;
}
constexpr engine::Kind<Uuid, LoadBalancer> kLoadBalancer{"load_balancer", &ComputeLoadBalancer};

LbVip ComputeLbVip(Context& ctx, const LbVipId& id) {
  LbVip vip;
  const auto row = Row<nb::LoadBalancer>(ctx, id.first);
  if (!row) return vip;
  const std::optional<absl::string_view> value = row.vips().Get(id.second);
  if (!value) return vip;
  const bool is_template = row.options().GetBool("template", false);
  // Whatever else it says is taken for IPv6.
  const bool v6_template =
      is_template && row.options().Get("address-family").value_or("ipv4") != "ipv4";
  const auto warn = [&](absl::string_view what, absl::string_view text) {
    static base::RateLimit limit(5, 1);
    log.WarnLimited(limit, "load balancer %s: VIP %s: %s \"%s\"", std::string(row.name()),
                    id.second, std::string(what), std::string(text));
  };
  const std::optional<Endpoint> endpoint =
      is_template ? ParseTemplateEndpoint(id.second, v6_template) : ParseEndpoint(id.second);
  if (!endpoint) {
    warn("bad IP address or port", id.second);
    return vip;
  }
  vip.v6 = endpoint->v6;
  vip.ip = endpoint->ip;
  vip.port = endpoint->port;
  vip.backends_text = std::string(*value);
  const std::vector<absl::string_view> texts = absl::StrSplit(*value, ',', absl::SkipEmpty());
  // A template's may be variables, unless they are IPv6 addresses with ports, all of them.
  vip.has_variables =
      is_template && !(v6_template && absl::c_all_of(texts, [](absl::string_view text) {
                         const std::optional<Endpoint> backend = ParseEndpoint(text);
                         return backend && backend->v6 && !backend->port.empty();
                       }));
  for (const absl::string_view text : texts) {
    const std::optional<Endpoint> backend =
        vip.has_variables ? ParseTemplateEndpoint(text, v6_template) : ParseEndpoint(text);
    if (!backend) {
      warn("bad backend", text);
      return vip;
    }
    // A template's variable may stand for both.
    if (!is_template && backend->port.empty() != vip.port.empty()) {
      warn("a port belongs to the VIP and to its backends, or to none of them:", text);
      return vip;
    }
    if (backend->v6 != vip.v6) {
      warn("a backend of another address family:", text);
      return vip;
    }
    vip.backends.push_back({backend->ip, backend->port});
  }
  vip.valid = true;
  return vip;
}
constexpr engine::Kind<LbVipId, LbVip> kLbVip{"lb_vip", &ComputeLbVip};

LbPlaces ComputeLbPlaces(Context& ctx, const Uuid& lb) {
  LbPlaces places;
  if (!Row<nb::LoadBalancer>(ctx, lb)) return places;
  const auto copy = [](absl::Span<const Uuid> uuids, std::vector<Uuid>* to) {
    to->assign(uuids.begin(), uuids.end());
  };
  copy(RowsWith<nb::LoadBalancerGroup>(ctx, nb::LoadBalancerGroup::kLoadBalancer, lb),
       &places.groups);
  copy(RowsWith<nb::LogicalSwitch>(ctx, nb::LogicalSwitch::kLoadBalancer, lb), &places.switches);
  copy(RowsWith<nb::LogicalRouter>(ctx, nb::LogicalRouter::kLoadBalancer, lb), &places.routers);
  ctx.world().lb_places.Emit(ctx, {}, places);
  return places;
}
constexpr engine::Kind<Uuid, LbPlaces> kLbPlaces{"lb_places", &ComputeLbPlaces};

DatapathSet ComputeLbSwitches(Context& ctx, const LbPlaces& places) {
  return SwitchesOf(ctx, places.groups, places.switches, places.routers);
}
constexpr engine::Kind<LbPlaces, DatapathSet> kLbSwitches{"lb_switches", &ComputeLbSwitches};

LbRouters ComputeLbRouters(Context& ctx, const LbPlaces& places) {
  LbRoutersBuilder builder;
  for (const Uuid& group : places.groups) builder.Add(ctx.Get(kRoutersOfGroup, group));
  for (const Uuid& router : places.routers) builder.Add(ctx, router);
  return builder.Build(ctx);
}
constexpr engine::Kind<LbPlaces, LbRouters> kLbRouters{"lb_routers", &ComputeLbRouters};

std::vector<Uuid> LoadBalancersOf(Context& ctx, const Uuid& datapath) {
  std::vector<Uuid> all;
  if (const auto sw = Row<nb::LogicalSwitch>(ctx, datapath)) {
    AddLoadBalancers(ctx, sw, &all);
  } else if (const auto router = Row<nb::LogicalRouter>(ctx, datapath)) {
    AddLoadBalancers(ctx, router, &all);
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

bool ComputeSwitchHasLbVips(Context& ctx, const Uuid& sw) {
  return HasLbVips<nb::LogicalSwitch>(ctx, sw);
}
constexpr engine::Kind<Uuid, bool> kSwitchHasLbVips{"switch_has_lb_vips", &ComputeSwitchHasLbVips};

bool ComputeRouterHasLbVips(Context& ctx, const Uuid& router) {
  return HasLbVips<nb::LogicalRouter>(ctx, router);
}
constexpr engine::Kind<Uuid, bool> kRouterHasLbVips{"router_has_lb_vips", &ComputeRouterHasLbVips};

}  // namespace northd
