#include "northd/model/switch_acls.h"

#include <algorithm>

#include "northd/model/load_balancers.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"

namespace northd {
namespace {

// Reading a relation is a unit's whole business.
uint32_t ComputeFacts(Context& ctx, const Uuid& owner) {
  uint32_t facts = 0;
  for (const uint32_t fact : ctx.world().acl_facts.Read(ctx, owner)) facts |= 1u << fact;
  return facts;
}
constexpr engine::Kind<Uuid, uint32_t> kFacts{"acl_facts", &ComputeFacts, /*is_cutoff=*/true};

bool ComputeHasDnsRecords(Context& ctx, const Uuid& dns) {
  const auto row = Row<nb::DNS>(ctx, dns);
  return row && !row.records().empty();
}
constexpr engine::Kind<Uuid, bool> kHasDnsRecords{"has_dns_records", &ComputeHasDnsRecords,
                                                  /*is_cutoff=*/true};

bool ComputeSwitchHasDnsRecords(Context& ctx, const Uuid& uuid) {
  const auto sw = Row<nb::LogicalSwitch>(ctx, uuid);
  if (!sw) return false;
  const auto dns = sw.dns_records();
  return std::any_of(dns.begin(), dns.end(),
                     [&ctx](const Uuid& row) { return ctx.Get(kHasDnsRecords, row); });
}

constexpr int kTierShift = 4;
constexpr int kTierBits = 2;

}  // namespace

uint32_t SwitchAcls::Pack() const {
  uint32_t packed = (has_acls ? 1u : 0) | (has_allow_related ? 2u : 0) | (has_lb_vips ? 4u : 0) |
                    (has_dns_records ? 8u : 0);
  for (size_t i = 0; i < kNumAclStages; ++i) {
    packed |= uint32_t{max_tier[i]} << (kTierShift + kTierBits * static_cast<int>(i));
  }
  return packed;
}

SwitchAcls SwitchAcls::Unpack(uint32_t packed) {
  SwitchAcls acls;
  acls.has_acls = (packed & 1) != 0;
  acls.has_allow_related = (packed & 2) != 0;
  acls.has_lb_vips = (packed & 4) != 0;
  acls.has_dns_records = (packed & 8) != 0;
  for (size_t i = 0; i < kNumAclStages; ++i) {
    acls.max_tier[i] = packed >> (kTierShift + kTierBits * static_cast<int>(i)) & 3;
  }
  return acls;
}

std::vector<Uuid> ComputePortGroupsOf(Context& ctx, const Uuid& sw) {
  const auto& groups = ctx.world().port_groups_of_switch.Read(ctx, sw);
  return {groups.begin(), groups.end()};
}
constexpr engine::Kind<Uuid, std::vector<Uuid>> kPortGroupsOf{
    "port_groups_of", &ComputePortGroupsOf, /*is_cutoff=*/true};

std::vector<Uuid> ComputeSwitchesOf(Context& ctx, const Uuid& port_group) {
  const auto& switches = ctx.world().switches_of_port_group.Read(ctx, port_group);
  return {switches.begin(), switches.end()};
}
constexpr engine::Kind<Uuid, std::vector<Uuid>> kSwitchesOf{"switches_of", &ComputeSwitchesOf,
                                                            /*is_cutoff=*/true};

SwitchAcls ComputeSwitchAcls(Context& ctx, const Uuid& sw) {
  uint32_t facts = ctx.Get(kFacts, sw);
  for (const Uuid& group : ctx.Get(kPortGroupsOf, sw)) facts |= ctx.Get(kFacts, group);
  const auto has = [&facts](uint32_t fact) { return (facts >> fact & 1) != 0; };
  SwitchAcls acls;
  acls.has_acls = has(FactOf(AclFact::kAny));
  acls.has_allow_related = has(FactOf(AclFact::kAllowRelated));
  acls.has_lb_vips = ctx.Get(kSwitchHasLbVips, sw);
  acls.has_dns_records = ComputeSwitchHasDnsRecords(ctx, sw);
  for (size_t i = 0; i < kNumAclStages; ++i) {
    for (uint8_t tier = 1; tier <= 3; ++tier) {
      if (has(TierFact(static_cast<AclStage>(i), tier))) acls.max_tier[i] = tier;
    }
  }
  return acls;
}
constexpr engine::Kind<Uuid, SwitchAcls> kSwitchAcls{"switch_acls", &ComputeSwitchAcls,
                                                     /*is_cutoff=*/true};

}  // namespace northd
