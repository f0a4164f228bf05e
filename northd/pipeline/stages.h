// The stages of the four pipelines (ovn-northd(8) "Logical Flow Table Structure"), as data.
#ifndef NORTHD_PIPELINE_STAGES_H_
#define NORTHD_PIPELINE_STAGES_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace northd {

// Name, `stage-name`, of a switch (else a router), ingress (else egress), table_id.
// clang-format off
#define NORTHD_STAGES(X) \
  X(kLsInCheckPortSec, "ls_in_check_port_sec", true, true, 0) \
  X(kLsInApplyPortSec, "ls_in_apply_port_sec", true, true, 1) \
  X(kLsInLookupFdb, "ls_in_lookup_fdb", true, true, 2) \
  X(kLsInPutFdb, "ls_in_put_fdb", true, true, 3) \
  X(kLsInPreAcl, "ls_in_pre_acl", true, true, 4) \
  X(kLsInPreLb, "ls_in_pre_lb", true, true, 5) \
  X(kLsInPreStateful, "ls_in_pre_stateful", true, true, 6) \
  X(kLsInAclHint, "ls_in_acl_hint", true, true, 7) \
  X(kLsInAclEval, "ls_in_acl_eval", true, true, 8) \
  X(kLsInAclSample, "ls_in_acl_sample", true, true, 9) \
  X(kLsInAclAction, "ls_in_acl_action", true, true, 10) \
  X(kLsInQos, "ls_in_qos", true, true, 11) \
  X(kLsInLbAffCheck, "ls_in_lb_aff_check", true, true, 12) \
  X(kLsInLb, "ls_in_lb", true, true, 13) \
  X(kLsInLbAffLearn, "ls_in_lb_aff_learn", true, true, 14) \
  X(kLsInPreHairpin, "ls_in_pre_hairpin", true, true, 15) \
  X(kLsInNatHairpin, "ls_in_nat_hairpin", true, true, 16) \
  X(kLsInHairpin, "ls_in_hairpin", true, true, 17) \
  X(kLsInAclAfterLbEval, "ls_in_acl_after_lb_eval", true, true, 18) \
  X(kLsInAclAfterLbSample, "ls_in_acl_after_lb_sample", true, true, 19) \
  X(kLsInAclAfterLbAction, "ls_in_acl_after_lb_action", true, true, 20) \
  X(kLsInStateful, "ls_in_stateful", true, true, 21) \
  X(kLsInArpRsp, "ls_in_arp_rsp", true, true, 22) \
  X(kLsInDhcpOptions, "ls_in_dhcp_options", true, true, 23) \
  X(kLsInDhcpResponse, "ls_in_dhcp_response", true, true, 24) \
  X(kLsInDnsLookup, "ls_in_dns_lookup", true, true, 25) \
  X(kLsInDnsResponse, "ls_in_dns_response", true, true, 26) \
  X(kLsInExternalPort, "ls_in_external_port", true, true, 27) \
  X(kLsInL2Lkup, "ls_in_l2_lkup", true, true, 28) \
  X(kLsInL2Unknown, "ls_in_l2_unknown", true, true, 29) \
  X(kLsOutLookupFdb, "ls_out_lookup_fdb", true, false, 0) \
  X(kLsOutPutFdb, "ls_out_put_fdb", true, false, 1) \
  X(kLsOutPreAcl, "ls_out_pre_acl", true, false, 2) \
  X(kLsOutPreLb, "ls_out_pre_lb", true, false, 3) \
  X(kLsOutPreStateful, "ls_out_pre_stateful", true, false, 4) \
  X(kLsOutAclHint, "ls_out_acl_hint", true, false, 5) \
  X(kLsOutAclEval, "ls_out_acl_eval", true, false, 6) \
  X(kLsOutAclSample, "ls_out_acl_sample", true, false, 7) \
  X(kLsOutAclAction, "ls_out_acl_action", true, false, 8) \
  X(kLsOutQos, "ls_out_qos", true, false, 9) \
  X(kLsOutStateful, "ls_out_stateful", true, false, 10) \
  X(kLsOutCheckPortSec, "ls_out_check_port_sec", true, false, 11) \
  X(kLsOutApplyPortSec, "ls_out_apply_port_sec", true, false, 12) \
  X(kLrInAdmission, "lr_in_admission", false, true, 0) \
  X(kLrInLookupNeighbor, "lr_in_lookup_neighbor", false, true, 1) \
  X(kLrInLearnNeighbor, "lr_in_learn_neighbor", false, true, 2) \
  X(kLrInIpInput, "lr_in_ip_input", false, true, 3) \
  X(kLrInDhcpRelayReq, "lr_in_dhcp_relay_req", false, true, 4) \
  X(kLrInUnsnat, "lr_in_unsnat", false, true, 5) \
  X(kLrInPostUnsnat, "lr_in_post_unsnat", false, true, 6) \
  X(kLrInDefrag, "lr_in_defrag", false, true, 7) \
  X(kLrInLbAffCheck, "lr_in_lb_aff_check", false, true, 8) \
  X(kLrInDnat, "lr_in_dnat", false, true, 9) \
  X(kLrInLbAffLearn, "lr_in_lb_aff_learn", false, true, 10) \
  X(kLrInEcmpStateful, "lr_in_ecmp_stateful", false, true, 11) \
  X(kLrInNdRaOptions, "lr_in_nd_ra_options", false, true, 12) \
  X(kLrInNdRaResponse, "lr_in_nd_ra_response", false, true, 13) \
  X(kLrInIpRoutingPre, "lr_in_ip_routing_pre", false, true, 14) \
  X(kLrInIpRouting, "lr_in_ip_routing", false, true, 15) \
  X(kLrInIpRoutingEcmp, "lr_in_ip_routing_ecmp", false, true, 16) \
  X(kLrInPolicy, "lr_in_policy", false, true, 17) \
  X(kLrInPolicyEcmp, "lr_in_policy_ecmp", false, true, 18) \
  X(kLrInDhcpRelayRespChk, "lr_in_dhcp_relay_resp_chk", false, true, 19) \
  X(kLrInDhcpRelayResp, "lr_in_dhcp_relay_resp", false, true, 20) \
  X(kLrInArpResolve, "lr_in_arp_resolve", false, true, 21) \
  X(kLrInChkPktLen, "lr_in_chk_pkt_len", false, true, 22) \
  X(kLrInLargerPkts, "lr_in_larger_pkts", false, true, 23) \
  X(kLrInGwRedirect, "lr_in_gw_redirect", false, true, 24) \
  X(kLrInArpRequest, "lr_in_arp_request", false, true, 25) \
  X(kLrOutChkDnatLocal, "lr_out_chk_dnat_local", false, false, 0) \
  X(kLrOutUndnat, "lr_out_undnat", false, false, 1) \
  X(kLrOutPostUndnat, "lr_out_post_undnat", false, false, 2) \
  X(kLrOutSnat, "lr_out_snat", false, false, 3) \
  X(kLrOutPostSnat, "lr_out_post_snat", false, false, 4) \
  X(kLrOutEgrLoop, "lr_out_egr_loop", false, false, 5) \
  X(kLrOutDelivery, "lr_out_delivery", false, false, 6)
// clang-format on

enum class Stage : uint8_t {
#define NORTHD_STAGE(name, text, of_switch, ingress, table) name,
  NORTHD_STAGES(NORTHD_STAGE)
#undef NORTHD_STAGE
};

struct StageInfo {
  absl::string_view name;
  bool of_switch;
  bool ingress;
  int table;
};

inline constexpr StageInfo kStages[] = {
#define NORTHD_STAGE(name, text, of_switch, ingress, table) {text, of_switch, ingress, table},
    NORTHD_STAGES(NORTHD_STAGE)
#undef NORTHD_STAGE
};
inline constexpr int kNumStages = sizeof(kStages) / sizeof(kStages[0]);

constexpr const StageInfo& InfoOf(Stage stage) { return kStages[static_cast<int>(stage)]; }

}  // namespace northd

#endif  // NORTHD_PIPELINE_STAGES_H_
