#include "northd/pipeline/router_policies.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "northd/model/bfd.h"
#include "northd/model/globals.h"
#include "northd/model/router_networks.h"
#include "northd/model/routers.h"
#include "northd/model/written_flows.h"
#include "northd/output/flow_table.h"
#include "northd/pipeline/routing.h"
#include "northd/pipeline/stages.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "server/base/log.h"

namespace northd {
namespace {

base::LogModule log("northd");

constexpr int64_t kMaxGroup = 65535;   // Of reg8[0..15].
constexpr int64_t kMaxMember = 65535;  // Of reg8[16..31].
constexpr int64_t kMaxChain = 65535;   // Of reg9[16..31].

// Of a Logical_Router and a Logical_Router_Policy.
using PolicyId = std::pair<Uuid, Uuid>;

// ---- Next hops ----

struct Hop {
  std::string next_hop;  // As the row spells it.
  bool v6 = false;
  Uuid port;
  Ip source;
  bool operator==(const Hop& o) const = default;
};
using Hops = std::vector<Hop>;

bool IsDown(Context& ctx, const nb::LogicalRouterPolicy& policy, const Uuid& port,
            absl::string_view next_hop) {
  for (const Uuid& uuid : policy.bfd_sessions()) {
    const auto bfd = Row<nb::BFD>(ctx, uuid);
    if (!bfd || bfd.dst_ip() != next_hop) continue;
    if (bfd.logical_port() != ctx.Get(kRouterPortModel, port).name) continue;
    return IsBfdDownTowards(ctx, uuid, next_hop);
  }
  return false;
}

// Those that a router can reach.
Hops ComputeHops(Context& ctx, const PolicyId& id) {
  Hops hops;
  const auto policy = Row<nb::LogicalRouterPolicy>(ctx, id.second);
  if (!policy || policy.action() != "reroute") return hops;
  const auto add = [&](absl::string_view text) {
    const std::optional<Ip> ip = Ip::Parse(text);
    const NextHopPort found = ip ? FindNextHopPort(ctx, id.first, *ip) : NextHopPort();
    if (!found.found()) {
      static base::RateLimit limit(1, 5);
      log.WarnLimited(limit, "lrp_addr not found for routing policy priority %d nexthop %s",
                      policy.priority(), std::string(text));
      return;
    }
    if (IsDown(ctx, policy, found.port, text)) return;
    hops.push_back({std::string(text), ip->v6, found.port, found.source});
  };
  const Strings next_hops = policy.nexthops();
  if (next_hops.empty()) {
    if (const auto next_hop = policy.nexthop(); next_hop && !next_hop->empty()) add(*next_hop);
  }
  for (const absl::string_view next_hop : next_hops) add(next_hop);
  const auto other_family = [&](const Hop& hop) { return hop.v6 != hops[0].v6; };
  if (std::any_of(hops.begin(), hops.end(), other_family)) {
    static base::RateLimit limit(1, 5);
    log.WarnLimited(limit, "routing policy %s has next hops of both address families",
                    policy.uuid().ToString());
    hops.clear();
  }
  return hops;
}
constexpr engine::Kind<PolicyId, Hops> kHops{"policy_next_hops", &ComputeHops};

// ---- Chains ----

using Chains = std::map<std::string, int64_t>;

// Whose flows show the number of a chain: hints of policies.
struct ChainUsers {
  std::set<uint32_t> members;
  std::set<uint32_t> jumps;
};

Chains ComputeChains(Context& ctx, const Uuid& router) {
  Chains chains;
  const auto row = Row<nb::LogicalRouter>(ctx, router);
  if (!row) return chains;
  std::map<std::string, ChainUsers> all_users;
  std::multimap<std::string, uint32_t> jumps;
  for (const Uuid& uuid : row.policies()) {
    const auto policy = Row<nb::LogicalRouterPolicy>(ctx, uuid);
    if (!policy) continue;
    if (const auto chain = policy.chain(); chain && !chain->empty()) {
      all_users[std::string(*chain)].members.insert(HintOf(uuid));
    }
    if (const auto chain = policy.jump_chain()) jumps.emplace(*chain, HintOf(uuid));
  }
  for (const auto& [chain, hint] : jumps) {
    if (const auto users = all_users.find(chain); users != all_users.end()) {
      users->second.jumps.insert(hint);
    }
  }
  if (all_users.empty()) return chains;
  const Uuid& sb_datapath = ctx.Get(kDatapath, router).sb_uuid;
  std::vector<NumberWish> wishes;
  for (const auto& [chain, users] : all_users) {
    const int64_t existing =
        WrittenNumber(ctx, sb_datapath, Stage::kLrInPolicy, [&users](const WrittenFlow& flow) {
          if (users.jumps.contains(flow.hint)) return NumberAfter(flow.actions, "reg9[16..31]=");
          if (users.members.contains(flow.hint)) return NumberAfter(flow.match, "reg9[16..31] == ");
          return int64_t{0};
        });
    wishes.push_back({.key = chain, .existing = existing});
  }
  const std::vector<int64_t> ids = ctx.world().numbers.Assign(
      absl::StrCat("policy_chain/", router.ToString()), wishes, 1, kMaxChain);
  for (size_t i = 0; i < wishes.size(); ++i) chains[wishes[i].key] = ids[i];
  return chains;
}
constexpr engine::Kind<Uuid, Chains> kChains{"policy_chains", &ComputeChains, true};

int64_t ChainId(Context& ctx, const Uuid& router, std::optional<absl::string_view> chain) {
  if (!chain || chain->empty()) return 0;
  const Chains& chains = ctx.Get(kChains, router);
  const auto found = chains.find(std::string(*chain));
  return found == chains.end() ? 0 : found->second;
}

// A policy's match within its chain. Where there are no chains, there is nothing to tell apart.
std::string MatchOf(Context& ctx, const Uuid& router, const nb::LogicalRouterPolicy& policy) {
  if (ctx.Get(kChains, router).empty()) return std::string(policy.match());
  return absl::StrCat("reg9[16..31] == ", ChainId(ctx, router, policy.chain()), " && (",
                      policy.match(), ")");
}

// ---- ECMP groups ----

// With several next hops, even if only one of them is left.
bool ComputeIsEcmp(Context& ctx, const PolicyId& id) {
  const auto policy = Row<nb::LogicalRouterPolicy>(ctx, id.second);
  return policy && policy.nexthops().size() > 1 && !ctx.Get(kHops, id).empty();
}
constexpr engine::Kind<PolicyId, bool> kIsEcmp{"policy_is_ecmp", &ComputeIsEcmp, true};

std::monostate NumberGroups(Context& ctx, const Uuid& router) {
  const auto row = Row<nb::LogicalRouter>(ctx, router);
  if (!row) return {};
  const Uuid& sb_datapath = ctx.Get(kDatapath, router).sb_uuid;
  std::vector<NumberWish> wishes;
  std::vector<Uuid> policies;
  for (const Uuid& uuid : row.policies()) {
    if (!ctx.Get(kIsEcmp, PolicyId(router, uuid))) continue;
    const auto policy = Row<nb::LogicalRouterPolicy>(ctx, uuid);
    const absl::string_view match = policy.match();
    const int64_t priority = policy.priority();
    const int64_t existing =
        WrittenNumber(ctx, sb_datapath, Stage::kLrInPolicy, [&](const WrittenFlow& flow) {
          return flow.match == match && flow.priority == priority
                     ? NumberAfter(flow.actions, "reg8[0..15] = ")
                     : 0;
        });
    wishes.push_back({.key = uuid.ToString(), .existing = existing});
    policies.push_back(uuid);
  }
  const std::vector<int64_t> ids = ctx.world().numbers.Assign(
      absl::StrCat("policy_group/", router.ToString()), wishes, 1, kMaxGroup);
  for (size_t i = 0; i < policies.size(); ++i) {
    ctx.world().numbers_of_policies.Emit(ctx, {router, policies[i]}, ids[i]);
  }
  return {};
}
constexpr engine::Kind<Uuid> kGroups{"policy_groups", &NumberGroups, true};

// Reading a relation is a unit's whole business. The unit that emits it is brought up to date
// first.
int64_t ComputeGroup(Context& ctx, const PolicyId& id) {
  ctx.Get(kGroups, id.first);
  const auto& numbers = ctx.world().numbers_of_policies.Read(ctx, id);
  return numbers.empty() ? 0 : *numbers.begin();
}
constexpr engine::Kind<PolicyId, int64_t> kGroup{"policy_group", &ComputeGroup, true};

// ---- Flows ----

class PolicyFlows {
 public:
  PolicyFlows(Context* ctx, const Router& router, const nb::LogicalRouterPolicy& policy)
      : ctx_(*ctx), router_(router), policy_(policy) {
    const int64_t mark = policy.options().GetInt("pkt_mark", 0);
    if (mark > 0) mark_ = absl::StrCat("pkt.mark = ", mark, "; ");
  }

  void AddAction(absl::string_view actions) {
    AddAction(MatchOf(ctx_, router_.uuid, policy_), actions);
  }
  void AddAction(absl::string_view match, absl::string_view actions) {
    AddFlow(ctx_, router_.number, Stage::kLrInPolicy, static_cast<int>(policy_.priority()), match,
            actions, {.hint = policy_.uuid()});
  }

  void AddAllow() { AddAction(absl::StrCat(mark_, "reg8[0..15] = 0; next;")); }

  void AddJump() {
    const int64_t chain = ChainId(ctx_, router_.uuid, policy_.jump_chain());
    if (chain == 0) {
      static base::RateLimit limit(1, 5);
      log.WarnLimited(limit, "policy %s jumps to the chain %s, which does not exist",
                      policy_.uuid().ToString(), std::string(policy_.jump_chain().value_or("")));
      return;
    }
    AddAction(absl::StrCat("reg9[16..31]=", chain, "; next(pipeline=ingress, table=",
                           InfoOf(Stage::kLrInPolicy).table, ");"));
  }

  void AddReroute(const Hops& hops) {
    if (hops.empty()) return;
    if (policy_.nexthops().size() <= 1) {
      AddAction(Through(hops[0], "flags.loopback = 1; reg8[0..15] = 0; "));
      return;
    }
    const int64_t group = ctx_.Get(kGroup, PolicyId(router_.uuid, policy_.uuid()));
    if (group == 0) return;
    const std::string group_match = absl::StrCat("reg8[0..15] == ", group, " && ");
    const Uuid& sb_datapath = ctx_.Get(kDatapath, router_.uuid).sb_uuid;
    std::vector<std::string> actions;
    std::vector<NumberWish> wishes;
    for (const Hop& hop : hops) {
      actions.push_back(Through(hop, "flags.loopback = 1; "));
      const int64_t existing =
          WrittenNumber(ctx_, sb_datapath, Stage::kLrInPolicyEcmp, [&](const WrittenFlow& flow) {
            return flow.actions == actions.back() && absl::StartsWith(flow.match, group_match)
                       ? NumberAfter(flow.match, "reg8[16..31] == ")
                       : 0;
          });
      wishes.push_back({.key = hop.next_hop, .existing = existing});
    }
    const std::vector<int64_t> members = ctx_.world().numbers.Assign(
        absl::StrCat("policy_member/", router_.uuid.ToString(), "/", policy_.uuid().ToString()),
        wishes, 1, kMaxMember);
    for (size_t i = 0; i < hops.size(); ++i) {
      AddFlow(ctx_, router_.number, Stage::kLrInPolicyEcmp, 100,
              absl::StrCat(group_match, "reg8[16..31] == ", members[i]), actions[i],
              {.hint = policy_.uuid()});
    }
    // With several next hops a policy is of every chain.
    AddAction(policy_.match(),
              absl::StrCat("reg8[0..15] = ", group, "; ", SelectMember(members, {})));
  }

 private:
  std::string Through(const Hop& hop, absl::string_view middle) {
    const RouterPort& port = ctx_.Get(kRouterPortModel, hop.port);
    return absl::StrCat(mark_, NextHopActions(hop.next_hop, hop.v6, port, hop.source, middle));
  }

  Context& ctx_;
  const Router& router_;
  const nb::LogicalRouterPolicy& policy_;
  std::string mark_;
};

std::monostate TranslatePolicy(Context& ctx, const PolicyId& id) {
  const Router& router = ctx.Get(kRouterModel, id.first);
  const auto policy = Row<nb::LogicalRouterPolicy>(ctx, id.second);
  if (!router.exists || !policy) return {};
  PolicyFlows flows(&ctx, router, policy);
  const absl::string_view action = policy.action();
  if (action == "drop") {
    flows.AddAction(GetGlobals(ctx).drop_action);
  } else if (action == "allow") {
    flows.AddAllow();
  } else if (action == "jump") {
    flows.AddJump();
  } else if (action == "reroute") {
    flows.AddReroute(ctx.Get(kHops, id));
  }
  return {};
}
constexpr engine::Kind<PolicyId> kPolicy{"policy", &TranslatePolicy};

}  // namespace

std::monostate TranslatePolicies(Context& ctx, const Uuid& uuid) {
  const auto row = Row<nb::LogicalRouter>(ctx, uuid);
  if (!row) return {};
  for (const Uuid& policy : row.policies()) ctx.Require(kPolicy, PolicyId(uuid, policy));
  return {};
}
constexpr engine::Kind<Uuid> kRouterPolicies{"router_policies", &TranslatePolicies};

}  // namespace northd
