// Network-wide settings: the options of NB_Global that logical flows depend on, and what all
// chassis understand. Read once; a unit that reads them runs again when one of them changes.
#ifndef NORTHD_MODEL_GLOBALS_H_
#define NORTHD_MODEL_GLOBALS_H_

#include <cstdint>
#include <string>
#include <variant>

#include "northd/engine/engine.h"
#include "northd/model/addresses.h"
#include "northd/rows/row_view.h"

namespace northd {

// What every chassis of this zone says that it can do (Chassis.other_config). All true without any
// chassis, and with NB_Global.options:ignore_chassis_features.
struct ChassisFeatures {
  bool mac_binding_timestamp = true;
  bool fdb_timestamp = true;
  bool ls_dpg_column = true;
  bool ct_commit_nat_v2 = true;
  bool ct_commit_to_zone = true;
  bool sample_with_registers = true;
  bool ct_next_zone = true;
  bool ct_label_flush = true;

  bool operator==(const ChassisFeatures& o) const = default;
};

// The ids of Sampling_App, which go to the most significant byte of an observation domain. 0: none.
struct SamplingApps {
  int64_t drop = 0;
  int64_t acl_new = 0;
  int64_t acl_est = 0;

  bool operator==(const SamplingApps& o) const = default;
};

struct Globals {
  // ---- NB_Global.options ----
  bool ignore_lsp_down = true;
  bool use_ct_inv_match = true;
  bool default_acl_drop = false;
  bool controller_event = false;
  bool install_ls_lb_from_router = false;
  bool use_common_zone = false;
  bool always_tunnel = false;
  bool ecmp_nexthop_monitor = false;
  bool vxlan_mode = true;                 // As configured, not whether it is in use.
  int64_t mac_binding_removal_limit = 0;  // 0: none.
  int64_t fdb_removal_limit = 0;          // 0: none.
  Mac svc_monitor_mac;     // A valid one: invented if none is configured, and ever the same.
  std::string mac_prefix;  // "xx:xx:xx", likewise.

  ChassisFeatures features;
  SamplingApps sampling_apps;

  // ---- Dropping ----
  bool debug_drop = false;  // Dropped packets are sampled.
  // Actions of a flow that drops, and of one whose actions would else be an empty comment.
  std::string drop_action = "drop;";
  std::string implicit_drop_action = "/* drop */";

  // " && !ct.inv" and " || ct.inv" where hardware can match that, else "".
  std::string and_not_ct_inv() const { return use_ct_inv_match ? " && !ct.inv" : ""; }
  std::string or_ct_inv() const { return use_ct_inv_match ? "ct.inv || " : ""; }
  std::string svc_monitor_mac_text() const { return svc_monitor_mac.ToString(); }
  bool operator==(const Globals& o) const = default;
};

Globals ComputeGlobals(Context& ctx, const std::monostate&);
extern const engine::Kind<std::monostate, Globals> kGlobals;

inline const Globals& GetGlobals(Context& ctx) { return ctx.Get(kGlobals, {}); }

}  // namespace northd

#endif  // NORTHD_MODEL_GLOBALS_H_
