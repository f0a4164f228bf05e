// Addresses that a router port answers for on its switch (options:arp_proxy): the stage arp_rsp.
#ifndef NORTHD_PIPELINE_ARP_PROXY_H_
#define NORTHD_PIPELINE_ARP_PROXY_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// What one switch port has.
std::monostate AddArpProxyOf(Context& ctx, const Uuid& port);
extern const engine::Kind<Uuid> kArpProxyOf;

}  // namespace northd

#endif  // NORTHD_PIPELINE_ARP_PROXY_H_
