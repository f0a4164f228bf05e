// Addresses that northd gives to ports (Logical_Switch_Port.dynamic_addresses), and tags to nested
// ports (tag). What a port has it keeps.
#ifndef NORTHD_MODEL_DYNAMIC_ADDRESSES_H_
#define NORTHD_MODEL_DYNAMIC_ADDRESSES_H_

#include <cstdint>
#include <optional>
#include <string>

#include "northd/engine/engine.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/row_view.h"

namespace northd {

// "MAC [IP] [IP6]", or "" for a port that asks for none, or gets none.
std::string ComputeDynamicAddresses(Context& ctx, const Uuid& switch_port);
extern const engine::Kind<Uuid, std::string> kDynamicAddresses;

// Whether a switch gives out addresses.
bool HasDynamicAddresses(Context& ctx, const Uuid& sw);

// What `tag` is to be; nothing to leave it as it is.
std::optional<int64_t> TagToWrite(Context& ctx, const nb::LogicalSwitchPort& row);

}  // namespace northd

#endif  // NORTHD_MODEL_DYNAMIC_ADDRESSES_H_
