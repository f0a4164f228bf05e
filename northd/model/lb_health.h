// Health checks of load balancers: which backends are watched, and which of them may be used.
#ifndef NORTHD_MODEL_LB_HEALTH_H_
#define NORTHD_MODEL_LB_HEALTH_H_

#include <string>
#include <vector>

#include "northd/engine/engine.h"
#include "northd/model/load_balancers.h"
#include "northd/rows/row_view.h"

namespace northd {

// A backend that Load_Balancer.ip_port_mappings names.
struct LbCheck {
  LbBackend backend;
  std::string logical_port;
  std::string source_ip;

  bool operator==(const LbCheck& o) const = default;
};

struct LbHealth {
  bool checked = false;  // The VIP has a Load_Balancer_Health_Check.
  Uuid check;            // It.
  std::vector<LbCheck> backends;

  bool operator==(const LbHealth& o) const = default;
};

LbHealth ComputeLbHealth(Context& ctx, const LbVipId& id);
extern const engine::Kind<LbVipId, LbHealth> kLbHealth;

// The key of a Service_Monitor row.
std::string ServiceMonitorKey(const LbCheck& check, absl::string_view protocol);

// The backends that a VIP's connections may go to, as `backends=` has them; "" if there are none.
// Without a health check these are all.
std::string ComputeLbUsableBackends(Context& ctx, const LbVipId& id);
extern const engine::Kind<LbVipId, std::string> kLbUsableBackends;

}  // namespace northd

#endif  // NORTHD_MODEL_LB_HEALTH_H_
