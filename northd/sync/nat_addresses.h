// For which addresses a chassis announces a router (Port_Binding.nat_addresses): of the switch port
// that leads to it.
#ifndef NORTHD_SYNC_NAT_ADDRESSES_H_
#define NORTHD_SYNC_NAT_ADDRESSES_H_

#include <string>
#include <vector>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

std::vector<std::string> ComputeNatAddresses(Context& ctx, const Uuid& switch_port);
extern const engine::Kind<Uuid, std::vector<std::string>> kNatAddresses;

}  // namespace northd

#endif  // NORTHD_SYNC_NAT_ADDRESSES_H_
