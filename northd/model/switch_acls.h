// What ACLs and load balancers make of a switch: small facts that most of its flows depend on.
//
// Switches are told apart by these facts only, so that flows which they share are emitted once for
// all that are alike.
#ifndef NORTHD_MODEL_SWITCH_ACLS_H_
#define NORTHD_MODEL_SWITCH_ACLS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// Where an ACL is evaluated. Also its number in reg8[19..20] and ct_mark.obs_stage.
enum class AclStage : uint8_t { kIngress = 0, kIngressAfterLb = 1, kEgress = 2 };
inline constexpr size_t kNumAclStages = 3;

// What is special about some ACL of a switch or port group. As bits of a mask.
enum class AclFact : uint32_t { kAny = 0, kAllowRelated = 1, kTier = 2 };
constexpr uint32_t FactOf(AclFact fact) { return static_cast<uint32_t>(fact); }
// That one in this stage has this tier, 1..3.
constexpr uint32_t TierFact(AclStage stage, int64_t tier) {
  return FactOf(AclFact::kTier) + static_cast<uint32_t>(stage) * 4 +
         static_cast<uint32_t>(tier & 3);
}

struct SwitchAcls {
  bool has_acls = false;           // Its own, or those of port groups that have some of its ports.
  bool has_allow_related = false;  // Among these.
  bool has_lb_vips = false;
  bool has_dns_records = false;
  std::array<uint8_t, kNumAclStages> max_tier = {};

  // Packets go through connection tracking.
  bool is_stateful() const { return has_allow_related || has_lb_vips; }
  bool is_tiered(AclStage stage) const { return max_tier[static_cast<size_t>(stage)] != 0; }
  uint32_t Pack() const;
  static SwitchAcls Unpack(uint32_t packed);
  bool operator==(const SwitchAcls& o) const = default;
};

SwitchAcls ComputeSwitchAcls(Context& ctx, const Uuid& sw);
extern const engine::Kind<Uuid, SwitchAcls> kSwitchAcls;

// The port groups that have ports of a switch; and the switches that have ports of a port group.
std::vector<Uuid> ComputePortGroupsOf(Context& ctx, const Uuid& sw);
extern const engine::Kind<Uuid, std::vector<Uuid>> kPortGroupsOf;
std::vector<Uuid> ComputeSwitchesOf(Context& ctx, const Uuid& port_group);
extern const engine::Kind<Uuid, std::vector<Uuid>> kSwitchesOf;

}  // namespace northd

#endif  // NORTHD_MODEL_SWITCH_ACLS_H_
