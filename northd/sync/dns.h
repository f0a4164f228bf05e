// Names that switches resolve (DNS): a row of the northbound each, with the switches that have it.
#ifndef NORTHD_SYNC_DNS_H_
#define NORTHD_SYNC_DNS_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// Of a switch.
std::monostate SyncSwitchDns(Context& ctx, const Uuid& sw);
extern const engine::Kind<Uuid> kSyncSwitchDns;

}  // namespace northd

#endif  // NORTHD_SYNC_DNS_H_
